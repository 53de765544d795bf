//! `innsync-server serve`

use std::io::Write;
use std::time::Duration;

use super::CliError;
use super::args::Serve;
use super::staff::{authority, now};
use crate::auth::TokenKey;
use crate::demo;
use crate::http::{self, Config};
use crate::ledger::Ledger;
use crate::logging;

pub(super) fn serve(options: Serve, out: &mut (impl Write + Send)) -> Result<(), CliError> {
    logging::init(options.log_format);
    let path = &options.data.data;
    if options.demo {
        let mut authority = authority(path)?;
        match demo::fill(&mut authority, now())? {
            true => tracing::info!("the ledger was empty; it has the Seaside Motel now"),
            false => tracing::warn!("--demo: the ledger is not empty and is left as it is"),
        }
    }
    let ledger = Ledger::open(path)?;
    let key = TokenKey::load(path)?;
    let config = Config {
        listen: options.listen,
        token_ttl: options.token_ttl,
        keep_changes: options.keep_changes,
        query_token: !options.no_query_token,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let stop = stop_signal()?;
        let ready = |address| {
            writeln!(out, "innsync-server listening on http://{address}")?;
            out.flush()
        };
        Ok(http::serve(config, ledger, key, ready, stop).await?)
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// SIGINT or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, CliError> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
