//! Serves a program until it is asked to stop, and then until its connections have ended.

use std::{future::Future, net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt};
use socketioxide::SocketIo;
use tokio::{net::TcpListener, sync::oneshot, time::sleep};
use tracing::{debug, info, warn};

/// How long a stopping server waits for its connections.
const STOP_DEADLINE: Duration = Duration::from_secs(4);

/// Serves `app` until `stop` completes, then closes every connection of `io`. Connections
/// that have not ended by the deadline are dropped.
///
/// # Errors
/// If the listener fails.
pub(crate) async fn until_stopped(
    listener: TcpListener,
    app: Router,
    io: SocketIo,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    // Without TCP_NODELAY the kernel holds a small packet back until the client has
    // acknowledged the one before it.
    let listener = listener.tap_io(|tcp| {
        tcp.set_nodelay(true).unwrap_or_else(|error| debug!(%error, "no TCP_NODELAY"));
    });
    // Each request bears the address of its client, as `ConnectInfo`.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let (stopping, stopped) = oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        stop.await;
        info!("stopping");
        // The deadline starts now, before `close`: a client that no longer reads delays it.
        stopping.send(()).ok();
        // Ends the long polls too; axum would wait for them.
        io.close().await;
    });
    let deadline = async {
        stopped.await.ok();
        sleep(STOP_DEADLINE).await;
    };
    tokio::select! {
        result = server => Ok(result?),
        () = deadline => {
            warn!("some connections did not end in time");
            Ok(())
        }
    }
}
