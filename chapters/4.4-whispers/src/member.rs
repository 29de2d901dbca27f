//! What clients may know about each other, and the rules for names and texts.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest name of a room or a person, in characters.
const MAX_NAME: usize = 50;
/// The longest text, in characters.
const MAX_TEXT: usize = 1000;

/// A client, as others see it.
#[derive(Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Member {
    pub(crate) id: MemberId,
}

impl Member {
    pub(crate) fn new() -> Self {
        Self { id: MemberId(Uuid::new_v4()) }
    }
}

/// A random id, which tells members apart and gives no access. Never publish `socket.id`:
/// it is the id of the session, and over long polling it is all that a request needs to
/// send and receive as its owner.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct MemberId(Uuid);

/// The name of a room or a person: 1 to 50 characters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Name(String);

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        match name.chars().count() {
            1..=MAX_NAME => Ok(Self(name)),
            _ => Err("a name has 1 to 50 characters"),
        }
    }
}

impl From<Name> for String {
    fn from(Name(name): Name) -> Self {
        name
    }
}

/// A message's text: at most 1000 characters.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Text(String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.chars().count() {
            0..=MAX_TEXT => Ok(Self(text)),
            _ => Err("a text has at most 1000 characters"),
        }
    }
}
