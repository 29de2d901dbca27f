//! Who is in which room: a client is in one room at most, and changes come one at a time.

use std::sync::Arc;

use serde::Serialize;
use socketioxide::{SocketIo, extract::SocketRef};
use tokio::sync::Mutex;
use tracing::warn;

use crate::member::{Member, Name};

/// The rooms. The library keeps the lists; what it cannot know is that two changes of one
/// client, which run in tasks of their own, must not mix.
#[derive(Clone, Default)]
pub(crate) struct Rooms {
    change: Arc<Mutex<()>>,
}

/// What members of a room are told when they are moved.
#[derive(Serialize)]
struct Moved<'a> {
    room: &'a Name,
}

impl Rooms {
    /// Puts a client into `room` and out of the one before. False if it has gone meanwhile.
    pub(crate) async fn enter(
        &self,
        io: &SocketIo,
        socket: &SocketRef,
        room: &Name,
    ) -> bool {
        let _change = self.change.lock().await;
        socket.leave_all();
        socket.join(String::from(room.clone()));
        // A socket that ends is taken out of its rooms at that moment. If that was before the
        // line above, nobody else will do it.
        let here = io.get_socket(socket.id).is_some();
        if !here {
            socket.leave_all();
        }
        here
    }

    /// Moves everybody from one room to another.
    pub(crate) async fn move_all(&self, io: &SocketIo, from: Name, to: Name) {
        if from == to {
            return;
        }
        let _change = self.change.lock().await;
        let everybody = io.within(String::from(from.clone()));
        if let Err(error) = everybody.clone().emit("moved", &Moved { room: &to }).await {
            warn!(%error, "not everybody knows that they were moved");
        }
        let Ok(()) = everybody.clone().join(String::from(to)).await;
        let Ok(()) = everybody.leave(String::from(from)).await;
    }

    /// Disconnects everybody in `room`.
    pub(crate) async fn close(&self, io: &SocketIo, room: Name) {
        let _change = self.change.lock().await;
        let room = String::from(room);
        if let Err(error) = io.within(room.clone()).disconnect().await {
            // The packet that says so needs a place in the buffer like any other.
            warn!(%error, "not everybody could be disconnected");
            let Ok(()) = io.within(room.clone()).leave(room).await;
        }
    }
}

/// The room that a client is in.
pub(crate) fn room_of(socket: &SocketRef) -> Option<String> {
    socket.rooms().pop().map(String::from)
}

/// Who is in `room`.
pub(crate) fn members(io: &SocketIo, room: String) -> Vec<Member> {
    let sockets = io.within(room).sockets().into_iter();
    sockets.filter_map(|socket| socket.extensions.get()).collect()
}
