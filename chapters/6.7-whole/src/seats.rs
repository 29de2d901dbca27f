//! The seats of one room: who has one, and until when. No clock, no lock and no socket here:
//! only what follows from what.

use std::collections::HashSet;

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    colour::Colour,
    room::Room,
    visitor::{MemberId, Visitor},
};

/// Somebody in a room, as the others see them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Member {
    pub(crate) id: MemberId,
    /// The colour of the visitor.
    pub(crate) user: Colour,
    /// Whether the room is theirs.
    pub(crate) owner: bool,
}

/// A room, and who is in it.
pub(crate) struct Seats {
    /// The room, with nobody in it.
    room: Room,
    owner: Option<Visitor>,
    /// Those who knew the password.
    admitted: HashSet<Visitor>,
    /// In the order in which they came.
    taken: Vec<Seat>,
    /// The number of the last message.
    seq: i64,
    /// When the room ends, if nobody comes.
    ends: Option<Instant>,
    /// The room is no more. Whoever still holds it must let go.
    gone: bool,
}

struct Seat {
    visitor: Visitor,
    member: Member,
    tabs: usize,
    /// When the seat is free, if no tab comes back.
    leaves: Option<Instant>,
}

/// Why somebody gets no seat.
#[derive(Clone, Copy)]
pub(crate) enum NoSeat {
    /// There is no such room.
    Unknown,
    /// It has a password, and the visitor has not said it.
    Forbidden,
    /// All seats are taken.
    Full,
    /// That is no way to ask: a tab is in one room.
    Invalid,
}

impl NoSeat {
    /// The word that a client is told.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Forbidden => "forbidden",
            Self::Full => "full",
            Self::Invalid => "invalid",
        }
    }
}

impl Seats {
    pub(crate) fn new(
        room: Room,
        owner: Option<Visitor>,
        admitted: HashSet<Visitor>,
        seq: i64,
    ) -> Self {
        Self { room, owner, admitted, taken: Vec::new(), seq, ends: None, gone: false }
    }

    /// The room, as everybody sees it now.
    pub(crate) fn room(&self) -> Room {
        Room { members: self.taken.len(), ..self.room.clone() }
    }

    /// Whether the room is this visitor's.
    pub(crate) fn belongs_to(&self, visitor: Visitor) -> bool {
        self.owner == Some(visitor)
    }

    /// The number of the last message, 0 if there is none.
    pub(crate) fn seq(&self) -> i64 {
        self.seq
    }

    /// A message was stored.
    pub(crate) fn said(&mut self, seq: i64) {
        self.seq = seq;
    }

    /// Everybody in the room, also those whose last tab has only just gone.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.taken.iter().map(|seat| &seat.member)
    }

    /// The member that a visitor is, if they have a seat.
    pub(crate) fn member(&self, visitor: Visitor) -> Option<&Member> {
        self.taken.iter().find(|seat| seat.visitor == visitor).map(|seat| &seat.member)
    }

    /// The visitor knew the password.
    pub(crate) fn let_in(&mut self, visitor: Visitor) {
        self.admitted.insert(visitor);
    }

    /// Whether a visitor may be in the room: the one decision, for the page, for a `join`,
    /// for everything. Whoever is in it may stay.
    pub(crate) fn admit(&self, visitor: Visitor) -> Result<(), NoSeat> {
        if self.gone {
            return Err(NoSeat::Unknown);
        }
        if self.member(visitor).is_some() {
            return Ok(());
        }
        if self.room.secret && !self.admitted.contains(&visitor) {
            return Err(NoSeat::Forbidden);
        }
        if self.taken.len() >= usize::from(self.room.max) {
            return Err(NoSeat::Full);
        }
        Ok(())
    }

    /// A tab of a visitor who was admitted comes. They keep the seat they have, or take a
    /// free one: then they are new here, and the result is true.
    pub(crate) fn tab_comes(&mut self, visitor: Visitor, id: MemberId) -> bool {
        let owner = self.belongs_to(visitor);
        if let Some(seat) = self.seat(visitor) {
            seat.tabs += 1;
            seat.leaves = None;
            return false;
        }
        let member = Member { id, user: visitor.colour(), owner };
        self.taken.push(Seat { visitor, member, tabs: 1, leaves: None });
        self.ends = None;
        true
    }

    /// A tab goes. If it was the visitor's last, their seat is free at `then`, and the
    /// result is true.
    pub(crate) fn tab_goes(&mut self, visitor: Visitor, then: Instant) -> bool {
        let Some(seat) = self.seat(visitor) else { return false };
        seat.tabs -= 1;
        if seat.tabs > 0 {
            return false;
        }
        seat.leaves = Some(then);
        true
    }

    /// Frees the seat that was to be free at `then`. Whoever came back in the meantime has
    /// no such moment any more, or another one.
    pub(crate) fn leave(&mut self, visitor: Visitor, then: Instant) -> Option<Member> {
        let due = |seat: &Seat| seat.visitor == visitor && seat.leaves == Some(then);
        let seat = self.taken.iter().position(due)?;
        Some(self.taken.remove(seat).member)
    }

    /// If nobody is here, the room ends at `then`, and the result is true.
    pub(crate) fn end_if_empty(&mut self, then: Instant) -> bool {
        let empty = self.taken.is_empty();
        self.ends = empty.then_some(then);
        empty
    }

    /// Whether the room was to end at `then`, and nobody has come since.
    pub(crate) fn is_due(&self, then: Instant) -> bool {
        !self.gone && self.ends == Some(then)
    }

    /// Whether the room is still there.
    pub(crate) fn is_open(&self) -> bool {
        !self.gone
    }

    /// The end.
    pub(crate) fn close(&mut self) {
        self.gone = true;
    }

    fn seat(&mut self, visitor: Visitor) -> Option<&mut Seat> {
        self.taken.iter_mut().find(|seat| seat.visitor == visitor)
    }
}
