//! A room: what everybody may know of it, and what makes a good one.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{colour::Colour, error::AppError, passwords::Password};

/// The longest title, in characters.
const MAX_TITLE: usize = 50;
/// A room for one is no room; more than a hundred talk past each other.
const SEATS: std::ops::RangeInclusive<u8> = 2..=100;

/// Names a room, in addresses and events. Random: it cannot be guessed from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub(crate) struct RoomId(Uuid);

impl RoomId {
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// Reads an id in the one spelling that [`Display`](std::fmt::Display) writes. A room
    /// has one address: not a second one in capitals, nor a third in braces.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?;
        (id.to_string() == text).then_some(Self(id))
    }
}

impl std::fmt::Display for RoomId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// As a handler's argument: the id in the path. What is no id names no room.
impl<S: Send + Sync> FromRequestParts<S> for RoomId {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| AppError::NoSuchRoom)?;
        Self::parse(&id).ok_or(AppError::NoSuchRoom)
    }
}

/// A room, as everybody sees it: on the lobby's page and in its events.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) title: String,
    /// How many may be in it.
    pub(crate) max: u8,
    /// The colour of who made it.
    pub(crate) owner: Option<Colour>,
    /// Whether it asks for a password.
    pub(crate) secret: bool,
    /// How many are in it.
    pub(crate) members: usize,
    /// RFC 3339, in UTC.
    pub(crate) created_at: String,
}

impl Room {
    /// No room: a card of it is the pattern for all others.
    pub(crate) fn blank() -> Self {
        Self {
            id: RoomId(Uuid::nil()),
            title: String::new(),
            max: 0,
            owner: None,
            secret: false,
            members: 0,
            created_at: String::new(),
        }
    }
}

/// The form, as it was typed. It is shown again if something in it is wrong.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct RoomForm {
    #[serde(default)]
    title: String,
    #[serde(default)]
    max: String,
    /// Is never sent back: whoever has to correct the rest types it again.
    #[serde(default, skip_serializing)]
    password: Password,
}

/// What is wrong with a form, field by field.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RoomFaults {
    title: Option<&'static str>,
    max: Option<&'static str>,
    password: Option<&'static str>,
}

/// A room that somebody wants, and may have.
pub(crate) struct NewRoom {
    pub(crate) title: String,
    pub(crate) max: u8,
    /// Without one, everybody may come in.
    pub(crate) password: Option<Password>,
}

impl RoomForm {
    /// The form that nobody has filled in.
    pub(crate) fn blank() -> Self {
        Self { max: "10".to_owned(), ..Self::default() }
    }

    /// Checks every field, so that all faults are named at once.
    pub(crate) fn check(&self) -> Result<NewRoom, RoomFaults> {
        let title = self.title.trim();
        let max = self.max.trim().parse().ok().filter(|max| SEATS.contains(max));
        let mut faults = RoomFaults::default();
        match title.chars().count() {
            0 => faults.title = Some("A room needs a title."),
            1..=MAX_TITLE => {}
            _ => faults.title = Some("A title has at most 50 characters."),
        }
        if max.is_none() {
            faults.max = Some("The limit is a number from 2 to 100.");
        }
        if self.password.is_too_long() {
            faults.password = Some("A password has at most 128 characters.");
        }
        match max {
            Some(max) if faults.title.is_none() && faults.password.is_none() => {
                let password = self.password.clone();
                let password = Some(password).filter(|password| !password.is_empty());
                Ok(NewRoom { title: title.to_owned(), max, password })
            }
            _ => Err(faults),
        }
    }
}
