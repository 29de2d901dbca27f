//! What every server program needs and no chapter is about: logs, an address, signals.

use std::{
    env,
    future::Future,
    io::{self, IsTerminal},
};

use anyhow::{anyhow, bail};
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// Logs to standard error, at `info` unless `RUST_LOG` says otherwise.
pub(crate) fn start_logging() -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .map_err(|error| anyhow!("RUST_LOG is not a log filter: {error}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}

/// Binds to `HOST` and `PORT`. Only this machine can connect unless `HOST` says otherwise.
pub(crate) async fn listen() -> anyhow::Result<TcpListener> {
    let host = setting("HOST", "127.0.0.1")?;
    let port = setting("PORT", "8005")?;
    let Ok(port) = port.parse::<u16>() else {
        bail!("PORT must be a number from 0 to 65535, not {port:?}");
    };
    TcpListener::bind((host.as_str(), port)).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("port {port} on {host} is taken: stop the other program, or set PORT")
        }
        _ => anyhow!("cannot listen on HOST {host:?} with PORT {port}: {error}"),
    })
}

fn setting(name: &str, default: &str) -> anyhow::Result<String> {
    match env::var(name) {
        Ok(value) => Ok(value),
        Err(env::VarError::NotPresent) => Ok(default.to_owned()),
        Err(env::VarError::NotUnicode(value)) => {
            bail!("{name} is not Unicode: {value:?}")
        }
    }
}

/// Completes when the process is asked to stop. The handlers are in place on return, before
/// the future is first polled: a signal that comes early is not lost.
#[cfg(unix)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
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

#[cfg(windows)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::windows::{ctrl_c, ctrl_close};
    let (mut ctrl_c, mut ctrl_close) = (ctrl_c()?, ctrl_close()?);
    Ok(async move {
        tokio::select! {
            _ = ctrl_c.recv() => {}
            _ = ctrl_close.recv() => {}
        }
    })
}
