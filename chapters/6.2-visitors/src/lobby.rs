//! The lobby: the list of rooms, and everybody who is looking at it.

use serde::Serialize;
use socketioxide::{SocketIo, extract::SocketRef};
use tokio::sync::Mutex;
use tracing::{debug, info, warn};

use crate::room::{Room, RoomId};

/// The namespace of those who look at the list.
pub(crate) const NAMESPACE: &str = "/room";
/// The Socket.IO room of those who have been sent the list.
const WATCHING: &str = "watching";

/// The rooms, as everybody was told. Whatever changes here is told under the same lock: no
/// change falls between a list and what is told after it, and none is told twice.
pub(crate) struct Lobby {
    io: SocketIo,
    rooms: Mutex<Vec<Room>>,
}

impl Lobby {
    pub(crate) fn new(io: SocketIo, rooms: Vec<Room>) -> Self {
        Self { io, rooms: Mutex::new(rooms) }
    }

    /// All rooms, oldest first.
    pub(crate) async fn rooms(&self) -> Vec<Room> {
        self.rooms.lock().await.clone()
    }

    /// One room.
    pub(crate) async fn room(&self, id: RoomId) -> Option<Room> {
        self.rooms.lock().await.iter().find(|room| room.id == id).cloned()
    }

    /// Sends a socket the list, and from then on every change.
    pub(crate) async fn watch(&self, socket: &SocketRef) {
        let rooms = self.rooms.lock().await;
        if let Err(error) = socket.emit("rooms", &*rooms) {
            debug!(%error, "gone before the list");
        }
        socket.join(WATCHING);
        // Closed in the meantime: the library has forgotten it already, and would remember
        // this for ever.
        if self.io.of(NAMESPACE).and_then(|lobby| lobby.get_socket(socket.id)).is_none() {
            socket.leave(WATCHING);
        }
    }

    /// A room was made.
    pub(crate) async fn add(&self, room: Room) {
        let mut rooms = self.rooms.lock().await;
        info!(room = %room.id, "a new room");
        self.tell("newRoom", &room).await;
        rooms.push(room);
    }

    /// A room is gone.
    pub(crate) async fn remove(&self, id: RoomId) {
        let mut rooms = self.rooms.lock().await;
        info!(room = %id, "a room is gone");
        rooms.retain(|room| room.id != id);
        self.tell("removeRoom", &id).await;
    }

    async fn tell(&self, event: &str, what: &impl Serialize) {
        // A server that stops has closed its sockets, and still answers what it was asked.
        let Some(lobby) = self.io.of(NAMESPACE) else { return };
        // A tab whose buffer is full misses this. It will ask for the list again.
        if let Err(error) = lobby.to(WATCHING).emit(event, what).await {
            warn!(%error, event, "not everybody was told");
        }
    }
}
