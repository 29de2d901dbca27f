//! Rooms and their members. A client is in one room at most, and changes happen one at a time.

use std::{ptr, sync::Arc};

use socketioxide::{
    SocketIo,
    adapter::LocalAdapter,
    extract::SocketRef,
    handler::DisconnectHandler,
    socket::{DisconnectReason, Socket},
};
use tokio::sync::Mutex;

use crate::member::{Member, Name};

/// The rooms. The library keeps the lists. This lock makes two calls, `leave_all` and `join`,
/// one change.
#[derive(Clone, Default)]
pub(crate) struct Rooms {
    change: Arc<Mutex<()>>,
}

impl Rooms {
    /// Puts a client into `room` and out of the one before. False if it has disconnected.
    pub(crate) async fn enter(
        &self,
        io: &SocketIo,
        socket: &SocketRef,
        room: &Name,
    ) -> bool {
        let _change = self.change.lock().await;
        if !is_connected(io, socket) {
            return false;
        }
        socket.leave_all();
        socket.join(String::from(room.clone()));
        // The library takes a socket out of its rooms when it disconnects. If that happened
        // before `join`, nobody else takes it out.
        let connected = is_connected(io, socket);
        if !connected {
            socket.leave_all();
        }
        connected
    }
}

/// Whether the namespace still knows this very socket. A client that leaves and comes back
/// gets a new socket with the old id, so comparing ids is not enough.
fn is_connected(io: &SocketIo, socket: &Socket) -> bool {
    io.get_socket(socket.id)
        .filter(|connected| ptr::eq::<Socket>(&**connected, socket))
        .is_some()
}

/// The room that a client is in.
pub(crate) fn room_of(socket: &Socket) -> Option<String> {
    socket.rooms().pop().map(String::from)
}

/// The members of `room`.
pub(crate) fn members(io: &SocketIo, room: String) -> Vec<Member> {
    let sockets = io.within(room).sockets().into_iter();
    sockets.filter_map(|socket| socket.extensions.get()).collect()
}

/// The disconnect handler: tells the room which member has left.
pub(crate) struct OnDisconnect;

impl DisconnectHandler<LocalAdapter, Self> for OnDisconnect {
    /// The library calls this while it still handles the packet that ends the socket, and
    /// handles the next one after it. An `async fn` in place of this would run in a task of
    /// its own, later, and the socket would keep its place until that task has ended: a
    /// client that comes back meanwhile would not get an answer.
    fn call_with_defer(
        &self,
        socket: Arc<Socket>,
        reason: DisconnectReason,
        remove: fn(Arc<Socket>),
    ) {
        println!("a client has disconnected: {reason}");
        let left = room_of(&socket).zip(socket.extensions.get::<Member>());
        let others = left.map(|(room, member)| (socket.to(room), member));
        remove(socket);
        let Some((others, member)) = others else { return };
        tokio::spawn(async move { others.emit("user has left", &member).await });
    }
}
