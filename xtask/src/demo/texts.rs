//! What a shell would show for an effect: English texts for the core's message keys.

use std::collections::BTreeMap;

use innsync_client::{Effect, EffectBody, ToastLevel};

/// An effect as a line.
pub(crate) fn effect(effect: &Effect) -> String {
    match &effect.body {
        EffectBody::Toast { level, key, args, .. } => format!("{} {}", sign(*level), text(key, args)),
        EffectBody::EmergencyModal { title, message, .. } => format!("▣ full screen: {title} — {message}"),
        EffectBody::Sound { name, looping } => {
            format!("♪ {name}{}", if *looping { ", until acknowledged" } else { "" })
        }
        EffectBody::SystemNotification { key, args } => format!("⌂ in the background: {}", text(key, args)),
    }
}

fn sign(level: ToastLevel) -> &'static str {
    match level {
        ToastLevel::Info => "ℹ toast",
        ToastLevel::Success => "✔ toast",
        ToastLevel::Warning => "! toast",
        ToastLevel::Error => "✘ toast",
    }
}

fn text(key: &str, args: &BTreeMap<String, String>) -> String {
    let of = |name: &str| args.get(name).cloned().unwrap_or_default();
    match key {
        "suite.created" => format!("New suite {} created", of("number")),
        "suite.status-changed" => format!("Suite {} status changed", of("number")),
        "task.assigned" => format!("New task assigned: {}", of("title")),
        "task.available" => format!("To be taken: {}", of("title")),
        "emergency" => format!("EMERGENCY: {}", of("message")),
        "connection.lost" => "Connection lost. Changes will be saved locally.".to_owned(),
        "connection.restored" => "Connection restored. Syncing changes...".to_owned(),
        "connection.still-offline" => "Still offline. Retrying.".to_owned(),
        _ => {
            let args: Vec<String> = args.iter().map(|(name, value)| format!("{name} {value}")).collect();
            format!("{key} {}", args.join(", "))
        }
    }
}
