//! What a shell would show for an effect: English texts for the core's message keys.

use std::collections::BTreeMap;

use innsync_client::{Effect, EffectBody, ToastLevel};

/// An effect as a line.
pub(crate) fn effect(effect: &Effect) -> String {
    match &effect.body {
        EffectBody::Toast { level, key, args, .. } => format!("{} {}", sign(*level), text(key, args)),
        EffectBody::EmergencyModal { title, message, .. } => format!("▣ full screen: {title} — {message}"),
        EffectBody::EmergencyOver { .. } => "▢ the emergency is over".to_owned(),
        EffectBody::Sound { name, looping } => {
            format!("♪ {name}{}", if *looping { ", until acknowledged" } else { "" })
        }
        EffectBody::SystemNotification { key, args } => format!("⌂ in the background: {}", text(key, args)),
    }
}

fn sign(level: ToastLevel) -> &'static str {
    match level {
        ToastLevel::Info => "• toast",
        ToastLevel::Success => "✔ toast",
        ToastLevel::Warning => "! toast",
        ToastLevel::Error => "✘ toast",
    }
}

fn text(key: &str, args: &BTreeMap<String, String>) -> String {
    let of = |name: &str| args.get(name).cloned().unwrap_or_default();
    match key {
        "announcement" | "notification" => format!("{}: {}", of("title"), of("message")),
        "connection.failing" => "Still offline. Retrying.".to_owned(),
        "connection.lost" => "Connection lost. Changes will be saved locally.".to_owned(),
        "connection.restored" => "Connection restored. Syncing changes...".to_owned(),
        "emergency" => format!("EMERGENCY: {}", of("message")),
        "shift.changed" => format!("The shift changed from {} to {}", of("old"), of("new")),
        "suite.created" => format!("New suite {} created", of("number")),
        "suite.status" => format!("Suite {} status changed: {}", of("number"), of("status")),
        "sync.done" if of("failed") == "0" => format!("Synced {} change(s)", of("n")),
        "sync.done" => format!("Synced {} change(s), {} failed", of("n"), of("failed")),
        "sync.failed" => format!("{} change(s) failed to sync. Will retry.", of("n")),
        "sync.parked" => format!("{} change(s) need you.", of("m")),
        "task.assigned" => format!("New task assigned: {}", of("title")),
        "task.available" => format!("To be taken: {}", of("title")),
        "update.failed" if of("reason") == "CONFLICT" => {
            format!("Failed to update {}: somebody else changed it too", of("entityType").to_lowercase())
        }
        "update.failed" => format!("Failed to update {}: {}", of("entityType").to_lowercase(), of("message")),
        _ => {
            let args: Vec<String> = args.iter().map(|(name, value)| format!("{name} {value}")).collect();
            format!("{key} {}", args.join(", "))
        }
    }
}
