//! Who hears what: an operator describes an audience, and `emit` sends to it.

use std::{collections::HashMap, time::Duration};

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{Extension, SocketRef, TryData},
    socket::Sid,
};

use crate::{
    member::{Member, MemberId, Name, Text},
    reply::Reply,
    rooms::room_of,
    sent::Sent,
};

/// How long the members of a room may take to answer a question.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);

/// What a client sends with `say`. Without a room, its own is meant.
#[derive(Deserialize)]
pub(crate) struct Say {
    how: How,
    room: Option<Name>,
    msg: Text,
}

/// The operators.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    To,
    Within,
    Except,
    Broadcast,
    Volatile,
    Local,
}

/// The event `said`.
#[derive(Serialize)]
struct Said {
    how: How,
    msg: Text,
}

/// What a client sends with `announce`. Without `to`, everybody is meant.
#[derive(Deserialize)]
pub(crate) struct Announcement {
    #[serde(default)]
    to: Vec<Name>,
    #[serde(default)]
    except: Vec<Name>,
    msg: Text,
}

/// The event `announced`.
#[derive(Serialize)]
struct Announced {
    msg: Text,
}

/// What a client sends with `ask`.
#[derive(Deserialize)]
pub(crate) struct Question {
    msg: Text,
}

/// The event `asked`. Each member acknowledges it with its answer, a string.
#[derive(Serialize)]
struct Asked {
    from: MemberId,
    msg: Text,
}

/// Acknowledges `ask`.
#[derive(Serialize)]
struct Answers {
    ok: bool,
    answers: Vec<Answer>,
    /// How many members gave no answer in time, or not a string.
    silent: usize,
}

/// The answer of one member.
#[derive(Serialize)]
struct Answer {
    id: MemberId,
    msg: Text,
}

/// Registers the events of this module.
pub(crate) fn prepare(socket: &SocketRef) {
    socket.on("say", on_say);
    socket.on("announce", on_announce);
    socket.on("ask", on_ask);
}

async fn on_say(reply: Reply, socket: SocketRef, TryData(say): TryData<Say>) {
    let Ok(Say { how, room, msg }) = say else {
        return reply.reject(
            "say takes an object with a how, a msg of at most 1000 characters and maybe a room",
        );
    };
    let room = room.map(String::from).or_else(|| room_of(&socket));
    let audience = match (how, room) {
        (How::To, Some(room)) => socket.to(room),
        (How::Within, Some(room)) => socket.within(room),
        (How::Except, Some(room)) => socket.except(room),
        (How::Volatile, Some(room)) => socket.to(room).volatile(),
        (How::Broadcast, _) => socket.broadcast(),
        // Without `broadcast`, `local` reaches nobody but the sender.
        (How::Local, _) => socket.local().broadcast(),
        (_, None) => return reply.reject("name a room, or join one first"),
    };
    let sent = audience.emit("said", &Said { how, msg }).await;
    reply.accept(&Sent::from(sent));
}

async fn on_announce(
    reply: Reply,
    io: SocketIo,
    TryData(announcement): TryData<Announcement>,
) {
    let Ok(Announcement { to, except, msg }) = announcement else {
        return reply.reject(
            "announce takes an object with a msg of at most 1000 characters and maybe to and except, lists of rooms",
        );
    };
    let except: Vec<_> = except.into_iter().map(String::from).collect();
    let mut audience = io.except(except);
    for room in to {
        audience = audience.to(String::from(room));
    }
    let sent = audience.emit("announced", &Announced { msg }).await;
    reply.accept(&Sent::from(sent));
}

async fn on_ask(
    reply: Reply,
    socket: SocketRef,
    TryData(question): TryData<Question>,
    Extension(you): Extension<Member>,
) {
    let Ok(Question { msg }) = question else {
        return reply.reject("ask takes an object with a msg of at most 1000 characters");
    };
    let Some(room) = room_of(&socket) else {
        return reply.reject("join a room first");
    };
    let others = socket.to(room).timeout(ANSWER_DEADLINE);
    // An answer comes with the id of the socket, which no client may see.
    let members: HashMap<Sid, Member> = others
        .clone()
        .sockets()
        .into_iter()
        .filter_map(|socket| Some((socket.id, socket.extensions.get()?)))
        .collect();
    let asked = Asked { from: you.id, msg };
    let Ok(stream) = others.emit_with_ack::<_, Text>("asked", &asked).await else {
        return reply.reject("the question could not be sent");
    };
    let answers: Vec<_> = stream
        .filter_map(async |(sid, answer)| {
            Some(Answer { id: members.get(&sid)?.id, msg: answer.ok()? })
        })
        .collect()
        .await;
    let silent = members.len().saturating_sub(answers.len());
    reply.accept(&Answers { ok: true, answers, silent });
}
