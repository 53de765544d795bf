//! `GET /v1/health`: for load balancers and operators. Without a token, so without anything about people.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::atomic::Ordering;

use super::reply::{self, Refused};
use super::state::App;
use crate::ledger::LedgerError;
use crate::reader::Reader;

pub(super) async fn health(State(shared): App) -> Result<Response, Refused> {
    let properties = shared.readers.run(feeds).await?.map_err(|error| {
        tracing::error!(%error, "the ledger cannot be read");
        Refused::new(503, "LEDGER_UNREADABLE", "The ledger cannot be read; see the server's log.").after(5)
    })?;
    let body = serde_json::json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeSeconds": shared.clock.mono_ms() / 1000,
        "sockets": shared.sockets.load(Ordering::Relaxed),
        "properties": properties,
    });
    Ok(reply::json(StatusCode::OK, body.to_string()))
}

fn feeds(reader: &Reader) -> Result<Vec<serde_json::Value>, LedgerError> {
    let properties = reader.properties()?.into_iter();
    let feed = |id: String| {
        let head = reader.head(&id)?;
        Ok(serde_json::json!({ "id": id, "epoch": head.epoch, "seq": head.seq }))
    };
    properties.map(|property| feed(property.id)).collect()
}
