//! Who is where, and how long a room lives. Every change to a room happens under its lock:
//! what is decided there is also stored and told there, in that order.
//!
//! Locks are taken in one order, so that no two tasks wait for each other: a tab's, then a
//! room's, then the lobby's.

use std::{
    collections::{HashMap, HashSet},
    ptr,
    sync::{
        Arc, Mutex as StdMutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use socketioxide::{
    SocketIo, extract::SocketRef, operators::BroadcastOperators, socket::Socket,
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep_until},
};
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::{
    config::Times,
    error::AppError,
    lobby::Lobby,
    message::{Message, MessageView, Stretch},
    reply::Reply,
    room::{NewRoom, Room, RoomId},
    seats::{Member, NoSeat, Seats},
    store::{Store, StoredMessage},
    throttle::Throttle,
    visitor::{Names, Visitor},
};

/// The namespace of those who are in a room.
pub(crate) const NAMESPACE: &str = "/chat";

/// Messages that one visitor can send in a second. Nobody types faster.
const PACE: usize = 10;

/// A room that is open.
type Open = Arc<Mutex<Seats>>;

/// All open rooms.
pub(crate) struct Presence {
    io: SocketIo,
    lobby: Arc<Lobby>,
    store: Store,
    names: Names,
    times: Times,
    pace: Throttle<Visitor>,
    rooms: StdMutex<HashMap<RoomId, Open>>,
    /// The process stops. Connections end, and nobody is leaving.
    stopping: AtomicBool,
}

/// A room, as one visitor finds it.
pub(crate) struct View {
    pub(crate) room: Room,
    /// Whether it is theirs.
    pub(crate) mine: bool,
    /// Whether they may be in it.
    pub(crate) admitted: Result<(), NoSeat>,
}

/// The answer to a `join`.
#[derive(Serialize)]
pub(crate) struct Joined {
    ok: bool,
    room: Room,
    you: Member,
    members: Vec<Member>,
    /// The number of the last message, 0 if there is none. Whoever has seen one that is
    /// lower has missed something.
    seq: i64,
}

/// What the others are told when somebody comes or goes.
#[derive(Serialize)]
struct Moved<'a> {
    #[serde(flatten)]
    member: &'a Member,
    /// How many are in the room now.
    members: usize,
    /// A sentence for the log of the room.
    chat: String,
}

/// What members are told when the owner deletes the room.
#[derive(Serialize)]
struct RoomClosed {
    room: RoomId,
}

/// A tab's place in a room. The tab is gone when this is dropped: with its socket, or with
/// the handler that found that there is no seat.
pub(crate) struct Tab {
    presence: Arc<Presence>,
    room: RoomId,
    visitor: Visitor,
}

impl Drop for Tab {
    fn drop(&mut self) {
        // The runtime is gone only when the process is about to be.
        if let Ok(runtime) = Handle::try_current() {
            let (presence, room) = (self.presence.clone(), self.room);
            let visitor = self.visitor;
            runtime.spawn(async move { presence.tab_goes(room, visitor).await });
        }
    }
}

impl Presence {
    pub(crate) fn new(
        io: SocketIo,
        lobby: Arc<Lobby>,
        store: Store,
        names: Names,
        times: Times,
    ) -> Self {
        Self {
            io,
            lobby,
            store,
            names,
            times,
            pace: Throttle::new(PACE, Duration::from_secs(1)),
            rooms: StdMutex::default(),
            stopping: AtomicBool::new(false),
        }
    }

    /// Opens the rooms that the last process left. Nobody is in them, and nobody was told to
    /// leave: they wait as long as a room that nobody has joined yet.
    pub(crate) async fn reopen(self: &Arc<Self>) -> anyhow::Result<()> {
        for (room, owner) in self.store.rooms().await? {
            let admitted = self.store.admitted(room.id).await?;
            let seq = self.store.last_seq(room.id).await?;
            self.open(Seats::new(room, owner, admitted, seq)).await;
        }
        Ok(())
    }

    /// Makes a room.
    pub(crate) async fn create(
        self: &Arc<Self>,
        new: NewRoom,
        password: Option<String>,
        owner: Visitor,
    ) -> anyhow::Result<RoomId> {
        let room = self.store.add_room(new, password, owner).await?;
        let id = room.id;
        self.open(Seats::new(room, Some(owner), HashSet::from([owner]), 0)).await;
        Ok(id)
    }

    async fn open(self: &Arc<Self>, seats: Seats) {
        let room = seats.room();
        let id = room.id;
        let open = Arc::new(Mutex::new(seats));
        // Locked before anybody can find it: the lobby hears of a room before its end.
        let mut seats = open.lock().await;
        self.rooms().insert(id, open.clone());
        self.lobby.add(room).await;
        self.end_later(&mut seats, Instant::now() + self.times.abandoned_room);
    }

    /// The room, as this visitor finds it.
    pub(crate) async fn look(&self, id: RoomId, visitor: Visitor) -> Option<View> {
        let open = self.find(id)?;
        let seats = open.lock().await;
        let view = View {
            room: seats.room(),
            mine: seats.belongs_to(visitor),
            admitted: seats.admit(visitor),
        };
        seats.is_open().then_some(view)
    }

    /// Lets a visitor in who knew the password, from now on and after every restart.
    pub(crate) async fn admit(
        &self,
        id: RoomId,
        visitor: Visitor,
    ) -> Result<(), AppError> {
        let open = self.find(id).ok_or(AppError::NoSuchRoom)?;
        let mut seats = open.lock().await;
        if !seats.is_open() {
            return Err(AppError::NoSuchRoom);
        }
        self.store.add_admission(id, visitor).await?;
        seats.let_in(visitor);
        Ok(())
    }

    /// Gives a tab a place, and answers before anything else can happen in the room: what
    /// does, comes after the answer.
    pub(crate) async fn join(
        self: &Arc<Self>,
        socket: &SocketRef,
        reply: Reply,
        place: &mut Option<Tab>,
        id: RoomId,
        visitor: Visitor,
    ) {
        let Some(open) = self.find(id) else {
            return reply.reject(NoSeat::Unknown.word());
        };
        let mut seats = open.lock().await;
        if !self.is_connected(socket) {
            // It waited too long for its turn. Whoever is gone gets no seat.
            return;
        }
        let new_here = match self.sit(&mut seats, place, visitor) {
            Ok(new_here) => new_here,
            Err(no_seat) => return reply.reject(no_seat.word()),
        };
        let you = seats.member(visitor).expect("BUG: a tab has a seat").clone();
        let members = seats.members().cloned().collect();
        let room = seats.room();
        reply.accept(&Joined {
            ok: true,
            room,
            you: you.clone(),
            members,
            seq: seats.seq(),
        });
        self.listen(socket, id);
        if new_here {
            info!(room = %id, members = seats.room().members, "joined");
            let others = socket.to(id.to_string());
            self.tell_moved(Some(others), "join", &seats, &you).await;
        }
    }

    /// Finds a seat for a tab that has none. Says whether its visitor is new in the room.
    fn sit(
        self: &Arc<Self>,
        seats: &mut Seats,
        place: &mut Option<Tab>,
        visitor: Visitor,
    ) -> Result<bool, NoSeat> {
        let room = seats.room().id;
        if place.as_ref().is_some_and(|tab| tab.room != room) {
            return Err(NoSeat::Invalid);
        }
        seats.admit(visitor)?;
        if place.is_some() {
            // The tab asks once more: it gets the same answer.
            return Ok(false);
        }
        let new_here = seats.tab_comes(visitor, self.names.member(room, visitor));
        *place = Some(Tab { presence: self.clone(), room, visitor });
        Ok(new_here)
    }

    /// From here on the socket hears what is said in the room. If it has been closed in the
    /// meantime, the library has forgotten it already, and would remember this for ever.
    fn listen(&self, socket: &SocketRef, id: RoomId) {
        socket.join(id.to_string());
        if !self.is_connected(socket) {
            socket.leave(id.to_string());
        }
    }

    /// Whether the library still knows this socket. A client that leaves the namespace and
    /// comes back has another socket with the same id: that one has not joined anything.
    fn is_connected(&self, socket: &SocketRef) -> bool {
        let known = self.io.of(NAMESPACE).and_then(|chat| chat.get_socket(socket.id));
        known.is_some_and(|known| ptr::eq::<Socket>(&*known, &**socket))
    }

    /// Whether a visitor may send a message now. Whoever may not is told before anybody reads
    /// what they sent.
    pub(crate) async fn may_post(
        &self,
        id: RoomId,
        visitor: Option<Visitor>,
    ) -> Result<Visitor, AppError> {
        let open = self.find(id).ok_or(AppError::NoSuchRoom)?;
        let seats = open.lock().await;
        let visitor = is_member(&seats, visitor)?;
        self.pace.check(&visitor)?;
        Ok(visitor)
    }

    /// Stores a message, then tells it: whoever hears of it can rely on it. One after the
    /// other, so that everybody hears them in the order of their numbers.
    pub(crate) async fn say(
        &self,
        id: RoomId,
        visitor: Visitor,
        chat: String,
    ) -> Result<MessageView, AppError> {
        let open = self.find(id).ok_or(AppError::NoSuchRoom)?;
        let mut seats = open.lock().await;
        is_member(&seats, Some(visitor))?;
        let counted = self.pace.count(visitor)?;
        let message = Uuid::new_v4().to_string();
        let stored = match self.store.add_message(id, message, visitor, chat).await {
            Ok(stored) => stored,
            Err(error) => {
                self.pace.forgive(&visitor, counted);
                return Err(error.into());
            }
        };
        seats.said(stored.seq);
        let view = self.view_for(visitor, id, stored);
        tell(self.everybody_in(id), "chat", &view.message).await;
        Ok(view)
    }

    /// Whether a visitor may read what was said.
    pub(crate) async fn may_read(
        &self,
        id: RoomId,
        visitor: Option<Visitor>,
    ) -> Result<Visitor, AppError> {
        let open = self.find(id).ok_or(AppError::NoSuchRoom)?;
        let seats = open.lock().await;
        if !seats.is_open() {
            return Err(AppError::NoSuchRoom);
        }
        let visitor = visitor.ok_or(AppError::NoVisitor)?;
        seats.admit(visitor)?;
        Ok(visitor)
    }

    /// A stretch of what was said.
    pub(crate) async fn read(
        &self,
        id: RoomId,
        visitor: Visitor,
        stretch: Stretch,
    ) -> Result<Vec<MessageView>, AppError> {
        let open = self.find(id).ok_or(AppError::NoSuchRoom)?;
        // Held while reading: the room cannot end in the middle of it.
        let seats = open.lock().await;
        seats.admit(visitor)?;
        let stored = self.store.messages(id, stretch).await?;
        Ok(stored.into_iter().map(|it| self.view_for(visitor, id, it)).collect())
    }

    /// A message, as this visitor reads it.
    fn view_for(
        &self,
        reader: Visitor,
        room: RoomId,
        stored: StoredMessage,
    ) -> MessageView {
        let StoredMessage { id, seq, author, chat, created_at } = stored;
        let message = Message {
            id,
            seq,
            room,
            author: self.names.member(room, author),
            user: author.colour(),
            chat,
            created_at,
        };
        MessageView { message, mine: author == reader }
    }

    /// A tab has gone: closed, reloaded, or out of reach.
    async fn tab_goes(self: Arc<Self>, id: RoomId, visitor: Visitor) {
        let Some(open) = self.find(id) else { return };
        let mut seats = open.lock().await;
        let then = Instant::now() + self.times.leave_grace;
        if self.is_stopping() || !seats.tab_goes(visitor, then) {
            return;
        }
        drop(seats);
        // A task of its own for each: it ends after the grace, whatever happens meanwhile.
        sleep_until(then).await;
        self.leave(id, visitor, then).await;
    }

    /// A visitor's grace is over.
    async fn leave(self: Arc<Self>, id: RoomId, visitor: Visitor, then: Instant) {
        let Some(open) = self.find(id) else { return };
        let mut seats = open.lock().await;
        if self.is_stopping() || !seats.is_open() {
            return;
        }
        let Some(member) = seats.leave(visitor, then) else { return };
        info!(room = %id, members = seats.room().members, "left");
        self.tell_moved(self.everybody_in(id), "exit", &seats, &member).await;
        self.end_later(&mut seats, Instant::now() + self.times.empty_room);
    }

    /// If nobody is in the room, it ends at `then`.
    fn end_later(self: &Arc<Self>, seats: &mut Seats, then: Instant) {
        if seats.end_if_empty(then) {
            let (presence, id) = (self.clone(), seats.room().id);
            tokio::spawn(async move {
                sleep_until(then).await;
                presence.end(id, then).await;
            });
        }
    }

    /// Ends the room that was to end at `then`, unless somebody has come.
    async fn end(self: Arc<Self>, id: RoomId, then: Instant) {
        let Some(open) = self.find(id) else { return };
        let mut seats = open.lock().await;
        if self.is_stopping() || !seats.is_due(then) {
            return;
        }
        if let Err(error) = self.remove(&mut seats).await {
            error!(error = format!("{error:#}"), room = %id, "a room cannot be removed");
            // What is stored and what is told must not differ: it stays, and tries again.
            self.end_later(&mut seats, Instant::now() + self.times.empty_room);
        }
    }

    /// Deletes a room, for its owner.
    pub(crate) async fn delete(
        &self,
        id: RoomId,
        visitor: Option<Visitor>,
    ) -> Result<(), AppError> {
        let open = self.find(id).ok_or(AppError::NoSuchRoom)?;
        let mut seats = open.lock().await;
        if !seats.is_open() {
            return Err(AppError::NoSuchRoom);
        }
        if !seats.belongs_to(visitor.ok_or(AppError::NoVisitor)?) {
            return Err(AppError::NotTheOwner);
        }
        self.remove(&mut seats).await?;
        tell(self.everybody_in(id), "roomClosed", &RoomClosed { room: id }).await;
        if let Some(everybody) = self.everybody_in(id) {
            // Of this process's own sockets, which cannot fail to leave.
            everybody.leave(id.to_string()).await.ok();
        }
        Ok(())
    }

    /// Removes a room: first what is stored, then what is known and told.
    async fn remove(&self, seats: &mut MutexGuard<'_, Seats>) -> anyhow::Result<()> {
        let id = seats.room().id;
        self.store.remove_room(id).await?;
        seats.close();
        self.rooms().remove(&id);
        self.lobby.remove(id).await;
        Ok(())
    }

    /// From here on nobody leaves and no room ends: whoever is here now may come back to
    /// the next process.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn find(&self, id: RoomId) -> Option<Open> {
        self.rooms().get(&id).cloned()
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, HashMap<RoomId, Open>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everybody in a room, unless the server stops: then its sockets are closed.
    fn everybody_in(&self, id: RoomId) -> Option<BroadcastOperators> {
        Some(self.io.of(NAMESPACE)?.to(id.to_string()))
    }

    /// Tells a room who came or went, and the lobby how many are in it now.
    async fn tell_moved(
        &self,
        to: Option<BroadcastOperators>,
        event: &str,
        seats: &Seats,
        member: &Member,
    ) {
        let room = seats.room();
        let verb = if event == "join" { "has joined" } else { "has left" };
        let chat = format!("{} {verb} the room.", member.user);
        tell(to, event, &Moved { member, members: room.members, chat }).await;
        self.lobby.update(room).await;
    }
}

/// Only who has a seat may speak.
fn is_member(seats: &Seats, visitor: Option<Visitor>) -> Result<Visitor, AppError> {
    if !seats.is_open() {
        return Err(AppError::NoSuchRoom);
    }
    let visitor = visitor.ok_or(AppError::NoVisitor)?;
    seats.member(visitor).map(|_| visitor).ok_or(AppError::NotAMember)
}

async fn tell(to: Option<BroadcastOperators>, event: &str, what: &impl Serialize) {
    let Some(to) = to else { return };
    // A tab that lets a thousand events wait misses the next one. All others have it.
    if let Err(error) = to.emit(event, what).await {
        warn!(%error, event, "not everybody was told");
    }
}
