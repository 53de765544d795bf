//! `innsync-server serve`

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::CliError;
use super::args::Serve;
use super::staff::{authority, creation, existing, now};
use crate::auth::TokenKey;
use crate::demo;
use crate::http::{self, Config};
use crate::ledger::Ledger;
use crate::logging;

pub(super) fn serve(options: Serve, out: &mut (impl Write + Send)) -> Result<(), CliError> {
    logging::init(options.log_format);
    let path = &options.data;
    if !options.demo {
        existing(path).map_err(|error| {
            CliError::Usage(format!(
                "{error}\nor try a motel that is made up:\n  innsync-server serve --demo"
            ))
        })?;
    }
    let config = Config {
        token_ttl: options.token_ttl,
        keep_changes: options.keep_changes,
        query_token: !options.no_query_token,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        // First, so that a port in use leaves no file behind.
        let listener = http::listen(options.listen).await?;
        let _alone = alone(path)?;
        let (ledger, key) = open(path, options.demo)?;
        let stop = stop_signal()?;
        let ready = |address| {
            writeln!(out, "innsync-server listening on http://{address}")?;
            out.flush()
        };
        Ok(http::serve(listener, config, ledger, key, ready, stop).await?)
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// The ledger, filled if that is asked for, and its key.
fn open(path: &Path, demo: bool) -> Result<(Ledger, TokenKey), CliError> {
    if demo {
        match demo::fill(&mut authority(path)?, now())? {
            true => tracing::info!("the ledger was empty; it has the Seaside Motel now"),
            false => tracing::warn!("--demo: the ledger is not empty and is left as it is"),
        }
    }
    let ledger = Ledger::open(path)?;
    if ledger.read().properties()?.is_empty() {
        tracing::warn!("the ledger has no property, so nobody can sign in; create one: {}", creation(path));
    }
    Ok((ledger, TokenKey::load(path)?))
}

/// One process serves a ledger, since each remembers what it has told to whom. Held until the process ends, however that
/// comes about; `<data>.lock` itself stays and means nothing.
pub(super) fn alone(data: &Path) -> Result<File, CliError> {
    let mut name = data.as_os_str().to_owned();
    name.push(".lock");
    let file = File::create(&name).map_err(|error| {
        let (name, why) = (Path::new(&name).display(), error);
        CliError::Usage(format!(
            "cannot create {name}: {why}; --data names a file in a folder that can be written to"
        ))
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CliError::Usage(format!(
            "{} is served by another process already; stop it first, or name another ledger with --data",
            data.display()
        ))),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
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
