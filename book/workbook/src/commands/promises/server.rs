//! The server that a URL names, as far as it concerns the checker: does it listen?

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, anyhow};

/// How often a server that does not listen is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a connection stays open before the next takes its place. Shorter than any server's
/// patience with a client that says nothing: what closes it earlier is the server's end.
const HELD: Duration = Duration::from_secs(4);

/// Connects to the server. Without one every promise would be broken, each after 3 s.
pub(super) fn connect(url: &str) -> Result<TcpStream> {
    TcpStream::connect(address(url)).map_err(|error| {
        anyhow!("nothing answers at {url} ({error}); start the server, then check it")
    })
}

/// Returns when the server has ended and a new one listens.
pub(super) fn restarted(url: &str) {
    loop {
        let Ok(connection) = TcpStream::connect(address(url)) else { break };
        if !lasts(connection) {
            break;
        }
    }
    listens(url);
}

/// Returns as soon as something listens.
pub(super) fn listens(url: &str) {
    while TcpStream::connect(address(url)).is_err() {
        std::thread::sleep(AGAIN);
    }
}

/// Whether the server keeps the connection open.
fn lasts(mut connection: TcpStream) -> bool {
    if connection.set_read_timeout(Some(HELD)).is_err() {
        return false;
    }
    match connection.read(&mut [0]) {
        // Whoever says something before closing, as Node does to a client that is silent, runs.
        Ok(bytes) => bytes > 0,
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

fn address(url: &str) -> String {
    let address = url.strip_prefix("http://").unwrap_or(url);
    let address = address.split('/').next().unwrap_or_default();
    let port = if address.contains(':') { "" } else { ":80" };
    format!("{address}{port}")
}
