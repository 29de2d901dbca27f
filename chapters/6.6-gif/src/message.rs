//! A message: what a visitor writes, and what others read.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    colour::Colour, error::AppError, gifs::GifName, room::RoomId, visitor::MemberId,
};

/// The longest message, in characters.
const MAX_CHAT: usize = 1000;

/// The body of a message that is sent: `{"chat": "..."}`.
#[derive(Deserialize)]
pub(crate) struct Draft {
    chat: String,
    /// Whatever else there is. Without this, an array with a text in it would do as well.
    #[serde(flatten)]
    _rest: IgnoredAny,
}

impl Draft {
    /// The text, without what surrounds it.
    pub(crate) fn text(&self) -> Result<String, AppError> {
        let text = self.chat.trim();
        match text.chars().count() {
            0 => Err(AppError::Wrong("A message needs a text.")),
            1..=MAX_CHAT => Ok(text.to_owned()),
            _ => Err(AppError::Wrong("A message has at most 1000 characters.")),
        }
    }
}

/// A message, as it is told to everybody in the room.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) seq: i64,
    pub(crate) room: RoomId,
    /// Who wrote it. A visitor's colour is not theirs alone, this name is.
    pub(crate) author: MemberId,
    pub(crate) user: Colour,
    #[serde(flatten)]
    pub(crate) content: Content,
    /// RFC 3339, in UTC.
    pub(crate) created_at: String,
}

/// What a message says: `"chat": "a text"`, or `"gif": "a name"`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Content {
    Chat(String),
    Gif(GifName),
}

/// A message, as one visitor reads it.
#[derive(Serialize)]
pub(crate) struct MessageView {
    #[serde(flatten)]
    pub(crate) message: Message,
    /// Whether it is the reader's own. Left out if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) mine: bool,
}

impl MessageView {
    /// No message: the pattern for all others.
    pub(crate) fn blank(room: RoomId) -> Self {
        let message = Message {
            id: String::new(),
            seq: 0,
            room,
            author: MemberId::nobody(),
            user: Colour::of(""),
            content: Content::Chat(String::new()),
            created_at: String::new(),
        };
        Self { message, mine: false }
    }
}

/// Which messages somebody wants to read: so many, and no more, in one direction.
#[derive(Clone, Copy)]
pub(crate) enum Stretch {
    /// The last ones.
    Last,
    /// The last ones before a number.
    Before(i64),
    /// The first ones after a number.
    After(i64),
}

/// A stretch, as a query: `?before=SEQ`, `?after=SEQ`, or nothing.
#[derive(Deserialize)]
pub(crate) struct StretchQuery {
    before: Option<String>,
    after: Option<String>,
}

impl StretchQuery {
    /// The stretch. Before the first message there is nothing to ask for, after none is all.
    pub(crate) fn stretch(&self) -> Option<Stretch> {
        match (&self.before, &self.after) {
            (None, None) => Some(Stretch::Last),
            (Some(seq), None) => number(seq).filter(|seq| *seq > 0).map(Stretch::Before),
            (None, Some(seq)) => number(seq).map(Stretch::After),
            (Some(_), Some(_)) => None,
        }
    }
}

/// Digits and nothing else: no sign, no space.
fn number(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}
