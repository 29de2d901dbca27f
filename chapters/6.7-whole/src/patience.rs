//! How long a connection waits for a peer that does not read: not for ever.
//!
//! A WebSocket's writer waits until the peer takes what was written. One that never reads
//! would keep its seat, its socket and what is waiting for it, for as long as it likes.

use std::{
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Sleep, sleep},
};
use tracing::debug;

/// Without one byte of progress for this long, a write fails. A phone in a tunnel is back
/// sooner, or has reconnected.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a last answer has, to arrive before its connection is gone.
const FAREWELL: Duration = Duration::from_millis(500);

/// Accepts connections whose writes have a deadline.
pub(crate) struct Patient(pub(crate) TcpListener);

impl Listener for Patient {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (tcp, address) = Listener::accept(&mut self.0).await;
        // Without TCP_NODELAY the kernel holds a small packet back until the one before it
        // has been acknowledged.
        tcp.set_nodelay(true).unwrap_or_else(|error| debug!(%error, "no TCP_NODELAY"));
        (Connection { tcp, stuck: None, lingers: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::local_addr(&self.0)
    }
}

/// The address at the other end of a connection: a person's, or that of a proxy.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Connected<IncomingStream<'_, Patient>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Patient>) -> Self {
        Self(stream.remote_addr().ip())
    }
}

/// A TCP connection. A deadline exists only while a write waits: most never have one.
pub(crate) struct Connection {
    tcp: TcpStream,
    stuck: Option<Pin<Box<Sleep>>>,
    lingers: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    /// Passes on what a write came to. One that has to wait is given until the deadline.
    fn or_give_up(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        // Not ready: this has also arranged that the task is woken at the deadline.
        ready!(stuck.as_mut().poll(context));
        debug!("a peer does not read");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Waits a moment before the end, if the peer has sent what nobody will read. A kernel
    /// resets a connection that is closed like that, and a reset overtakes the answer.
    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.lingers.is_none() {
            let mut byte = [0];
            let unread = self.tcp.poll_peek(context, &mut ReadBuf::new(&mut byte));
            if !matches!(unread, Poll::Ready(Ok(1..))) {
                return Poll::Ready(());
            }
        }
        self.lingers
            .get_or_insert_with(|| Box::pin(sleep(FAREWELL)))
            .as_mut()
            .poll(context)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.or_give_up(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.or_give_up(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.tcp).poll_shutdown(context))?;
        self.linger(context).map(Ok)
    }
}
