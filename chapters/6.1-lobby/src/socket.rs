//! What happens on sockets. Pages and forms are in `pages`.

use std::sync::Arc;

use socketioxide::{SocketIo, extract::SocketRef};
use tracing::info;

use crate::{lobby, lobby::Lobby};

/// Opens the namespaces.
pub(crate) fn register(io: &SocketIo, lobby: Arc<Lobby>) {
    io.ns(lobby::NAMESPACE, async move |socket: SocketRef| {
        on_watch(socket, &lobby).await;
    });
}

/// Somebody looks at the lobby.
async fn on_watch(socket: SocketRef, lobby: &Lobby) {
    info!(transport = ?socket.transport_type(), "somebody watches the lobby");
    lobby.watch(&socket).await;
}
