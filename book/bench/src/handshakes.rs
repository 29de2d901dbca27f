//! Connections that are opened and closed again.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    client::{Client, Dialect},
    process::cpu_time,
};

/// How many clients open connections, each one after the other.
const CLIENTS: usize = 32;
/// How long the server has to notice that the last client has gone.
const AFTERWARDS: Duration = Duration::from_millis(300);

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// CPU time of the server for each, closing included, in microseconds.
    pub(crate) cpu: f64,
    /// Connections opened in a second.
    pub(crate) rate: f64,
}

/// Opens and closes `count` connections, after a quarter as many that do not count.
pub(crate) async fn drive(
    address: SocketAddr,
    server: u32,
    dialect: Dialect,
    count: usize,
) -> Result<Outcome> {
    open_and_close(address, dialect, count / 4).await?;
    sleep(AFTERWARDS).await;
    let (before, start) = (cpu_time(server)?, Instant::now());
    let opened = open_and_close(address, dialect, count).await?;
    let seconds = start.elapsed().as_secs_f64();
    sleep(AFTERWARDS).await;
    let spent = cpu_time(server)?.saturating_sub(before);
    Ok(Outcome {
        cpu: spent.as_secs_f64() * 1e6 / opened as f64,
        rate: opened as f64 / seconds,
    })
}

async fn open_and_close(
    address: SocketAddr,
    dialect: Dialect,
    count: usize,
) -> Result<usize> {
    let each = count.div_ceil(CLIENTS);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(async move {
            for _ in 0..each {
                // Dropped at once: a browser's tab that is closed.
                Client::open(address, dialect).await?;
            }
            Ok(())
        });
    }
    let done: Result<Vec<()>> = clients.join_all().await.into_iter().collect();
    done?;
    Ok(each * CLIENTS)
}
