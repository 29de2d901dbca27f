//! Connections that are open and silent.
//!
//! They are held by a process of their own for each server: a process may have only so many
//! open files, and all servers can be measured at the same time. Waiting disturbs nobody.

use std::{
    future::pending,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;

use crate::{
    client::{Client, Dialect},
    fanout::AT_ONCE,
};

/// A process that holds connections open. They close when this is dropped.
#[derive(Debug)]
pub(crate) struct Holder(Child);

impl Holder {
    /// Starts to connect.
    pub(crate) fn start(address: SocketAddr, kind: &str, count: usize) -> Result<Self> {
        let process = Command::new(std::env::current_exe()?)
            .args(["hold", &address.to_string(), kind, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a holder of connections")?;
        Ok(Self(process))
    }

    /// Waits until all connections are open.
    pub(crate) fn ready(&mut self) -> Result<()> {
        let output = self.0.stdout.take().context("BUG: piped, and asked once")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(line.trim() == "ready", "not all connections could be opened");
        Ok(())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The holder itself: opens connections, says so, and answers pings until its input ends.
pub(crate) async fn hold(
    address: SocketAddr,
    dialect: Dialect,
    count: usize,
) -> Result<()> {
    let mut opening = JoinSet::new();
    for at in 0..count {
        if opening.len() == AT_ONCE {
            keep(opening.join_next().await.context("BUG: not empty")??);
        }
        opening.spawn(async move {
            let client = Client::open(address, dialect).await;
            client.with_context(|| format!("connection {at} of {count}"))
        });
    }
    while let Some(opened) = opening.join_next().await {
        keep(opened?);
    }
    println!("ready");
    let until = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
    until.await??;
    Ok(())
}

/// Reads what comes, and leaves the connection open for as long as the server does.
fn keep(client: Result<Client>) {
    match client {
        Ok(mut client) => {
            tokio::spawn(async move {
                while client.read(&mut |_: &[u8]| {}).await.is_ok() {}
                eprintln!("bench: a connection that should be idle was closed");
                pending::<()>().await;
            });
        }
        Err(error) => {
            eprintln!("bench: {error:#}");
            std::process::exit(1);
        }
    }
}
