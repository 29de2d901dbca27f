//! What happens on sockets. Pages and forms are in `pages`.

use std::{convert::Infallible, fmt, sync::Arc};

use serde::{Deserialize, de::IgnoredAny};
use socketioxide::{
    SocketIo,
    extract::{Extension, SocketRef, TryData},
    handler::ConnectHandler,
};
use tokio::sync::Mutex;
use tracing::info;

use crate::{
    lobby,
    lobby::Lobby,
    presence,
    presence::{Presence, Tab},
    reply::Reply,
    room::RoomId,
    seats::NoSeat,
    visitor::Visitor,
};

/// The payload of `join`.
#[derive(Deserialize)]
struct Join {
    room: String,
    /// Whatever else there is. Without this, an array with an id in it would do as well.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// Where a socket is, once it has joined. Locked while it joins: of two that are sent at
/// once, the second waits for the first.
#[derive(Clone, Default)]
struct Place(Arc<Mutex<Option<Tab>>>);

/// Nobody enters `/chat` without a cookie.
struct NoVisitor;

impl fmt::Display for NoVisitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no visitor")
    }
}

/// Opens the namespaces.
pub(crate) fn register(io: &SocketIo, lobby: Arc<Lobby>, presence: Arc<Presence>) {
    let watch = async move |socket: SocketRef| on_watch(socket, &lobby).await;
    io.ns(lobby::NAMESPACE, watch.with(prepare));
    let enter =
        async move |socket: SocketRef| prepare_for_chat(socket, presence.clone()).await;
    io.ns(presence::NAMESPACE, on_enter.with(enter));
}

/// Says what a client may send, before the client is told that it is connected. A handler
/// that is added later misses what comes first.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    socket.on_fallback(on_unknown);
    Ok(())
}

/// The same for `/chat`, where everybody is somebody.
async fn prepare_for_chat(
    socket: SocketRef,
    presence: Arc<Presence>,
) -> Result<(), NoVisitor> {
    let visitor = *socket.req_parts().extensions.get::<Visitor>().ok_or(NoVisitor)?;
    socket.extensions.insert(visitor);
    socket.extensions.insert(presence);
    socket.extensions.insert(Place::default());
    socket.on("join", on_join);
    socket.on_fallback(on_unknown);
    Ok(())
}

/// Somebody looks at the lobby.
async fn on_watch(socket: SocketRef, lobby: &Lobby) {
    info!(transport = ?socket.transport_type(), "somebody watches the lobby");
    lobby.watch(&socket).await;
}

/// Somebody is at the door of a room. What they want, their first event says.
async fn on_enter(socket: SocketRef) {
    info!(transport = ?socket.transport_type(), "somebody comes to chat");
}

/// Somebody wants a seat. A client asks on every connect: whoever had one keeps it.
async fn on_join(
    socket: SocketRef,
    reply: Reply,
    TryData(join): TryData<Join>,
    Extension(presence): Extension<Arc<Presence>>,
    Extension(visitor): Extension<Visitor>,
    Extension(Place(place)): Extension<Place>,
) {
    let Ok(Join { room, .. }) = join else {
        return reply.reject(NoSeat::Invalid.word());
    };
    let Some(id) = RoomId::parse(&room) else {
        return reply.reject(NoSeat::Unknown.word());
    };
    let mut place = place.lock().await;
    presence.join(&socket, reply, &mut place, id, visitor).await;
}

/// Runs for every event that has no handler of its own.
async fn on_unknown(reply: Reply) {
    reply.reject("there is no such event");
}
