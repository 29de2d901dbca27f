//! A message to one member of the sender's room.

use serde::{Deserialize, Serialize};
use socketioxide::extract::{Extension, SocketRef, TryData};
use tracing::warn;

use crate::{
    member::{Member, MemberId, Text},
    reply::Reply,
    rooms::{member, room_of},
    sent::Sent,
};

/// What a client sends with `whisper`.
#[derive(Deserialize)]
pub(crate) struct Whisper {
    to: MemberId,
    msg: Text,
}

/// The event `whispered`.
#[derive(Serialize)]
struct Whispered {
    from: MemberId,
    msg: Text,
}

pub(crate) async fn on_whisper(
    reply: Reply,
    socket: SocketRef,
    TryData(whisper): TryData<Whisper>,
    Extension(you): Extension<Member>,
) {
    let Ok(Whisper { to, msg }) = whisper else {
        return reply.reject(
            "whisper takes an object with to, a member's id, and a msg of at most 1000 characters",
        );
    };
    let Some(room) = room_of(&socket) else {
        return reply.reject("join a room first");
    };
    let Some(member) = member(socket.within(room).sockets(), to) else {
        return reply.reject("nobody in your room has this id");
    };
    match member.emit("whispered", &Whispered { from: you.id, msg }) {
        Ok(()) => reply.accept(&Sent::from(Ok(()))),
        Err(error) => {
            warn!(%error, "whisper not sent");
            reply.reject(
                "it could not be sent: that member reads too slowly, or has gone",
            );
        }
    }
}
