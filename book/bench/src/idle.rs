//! Connections that are open and silent.
//!
//! They are held by a process of their own for each server: a process may have only so many
//! open files, and all servers can be measured at the same time. Waiting disturbs nobody.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;

use crate::{
    client::{Client, Dialect},
    fanout::AT_ONCE,
};

/// A process that holds connections open. They close when this is dropped.
#[derive(Debug)]
pub(crate) struct Holder {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Holder {
    /// Connects, and returns when all connections are open.
    pub(crate) fn start(address: SocketAddr, kind: &str, count: usize) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["hold", &address.to_string(), kind, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a holder of connections")?;
        let output = process.stdout.take().context("BUG: piped")?;
        let mut holder = Self { process, output: BufReader::new(output) };
        ensure!(holder.says()? == "ready", "not all connections could be opened");
        Ok(holder)
    }

    /// Hangs up. An error if the server had hung up before.
    pub(crate) fn finish(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        let open = self.says()?;
        ensure!(
            open == "all open",
            "connections were closed while they were idle: {open}"
        );
        Ok(())
    }

    fn says(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
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
            keep(opening.join_next().await.context("BUG: not empty")??)?;
        }
        opening.spawn(async move {
            let client = Client::open(address, dialect).await;
            client.with_context(|| format!("connection {at} of {count}"))
        });
    }
    while let Some(opened) = opening.join_next().await {
        keep(opened?)?;
    }
    println!("ready");
    let until = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
    until.await??;
    match CLOSED.load(Relaxed) {
        0 => println!("all open"),
        closed => println!("{closed} of {count}"),
    }
    Ok(())
}

/// Connections that the server has closed.
static CLOSED: AtomicUsize = AtomicUsize::new(0);

/// Reads what comes, and leaves the connection open for as long as the server does.
fn keep(client: Result<Client>) -> Result<()> {
    let mut client = client?;
    tokio::spawn(async move {
        while client.read(&mut |_: &[u8]| {}).await.is_ok() {}
        CLOSED.fetch_add(1, Relaxed);
    });
    Ok(())
}
