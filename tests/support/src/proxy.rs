//! A door in front of a server that counts who comes through it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

use crate::Server;

/// Passes TCP connections on to a server, and counts them. Ends with its owner.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    connections: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Proxy {
    /// Opens a door to `server`.
    pub async fn start(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("BUG: it is bound").to_string();
        let connections = Arc::<AtomicUsize>::default();
        let (target, counter) = (server.address().to_owned(), connections.clone());
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let target = target.clone();
                tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(target).await {
                        copy_bidirectional(&mut client, &mut server).await.ok();
                    }
                });
            }
        });
        Self { address, connections, task: task.abort_handle() }
    }

    /// The server, seen through the door.
    pub fn server(&self) -> Server {
        Server::at(&self.address)
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
