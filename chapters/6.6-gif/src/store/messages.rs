//! The table of messages.

use std::collections::HashSet;

use rusqlite::Row;

use super::{Store, visitor_of};
use crate::{
    gifs::GifName,
    message::{Content, Stretch},
    room::RoomId,
    visitor::Visitor,
};

/// How many messages are read at once.
const PAGE: u32 = 50;

/// A message as it is kept: who wrote it is a visitor, and no name.
pub(crate) struct StoredMessage {
    pub(crate) id: String,
    pub(crate) seq: i64,
    pub(crate) author: Visitor,
    pub(crate) content: Content,
    pub(crate) created_at: String,
}

impl Store {
    /// Adds a message, with the next number of its room.
    pub(crate) async fn add_message(
        &self,
        room: RoomId,
        id: String,
        author: Visitor,
        content: Content,
    ) -> anyhow::Result<StoredMessage> {
        let (chat, gif) = match content {
            Content::Chat(text) => (text, None),
            Content::Gif(name) => (String::new(), Some(name)),
        };
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO message (room, seq, id, author, chat, gif, created_at)
                     SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5,
                            strftime('%Y-%m-%dT%H:%M:%fZ')
                     FROM message WHERE room = ?1
                     RETURNING *",
                )?
                .query_one((room.to_string(), id, author.secret(), chat, gif), message_of)
        })
        .await
    }

    /// A stretch of a room's messages, oldest first.
    pub(crate) async fn messages(
        &self,
        room: RoomId,
        stretch: Stretch,
    ) -> anyhow::Result<Vec<StoredMessage>> {
        // From one end and then in order: SQLite walks along the primary key.
        let (select, seq) = match stretch {
            Stretch::After(seq) => ("seq > ?2 ORDER BY seq", seq),
            Stretch::Before(seq) => ("seq < ?2 ORDER BY seq DESC", seq),
            Stretch::Last => ("seq < ?2 ORDER BY seq DESC", i64::MAX),
        };
        let select =
            format!("SELECT * FROM message WHERE room = ?1 AND {select} LIMIT ?3");
        let mut messages: Vec<StoredMessage> = self
            .run(move |connection| {
                let mut select = connection.prepare_cached(&select)?;
                select.query_map((room.to_string(), seq, PAGE), message_of)?.collect()
            })
            .await?;
        messages.sort_by_key(|message| message.seq);
        Ok(messages)
    }

    /// The GIFs of all messages.
    pub(crate) async fn gifs(&self) -> anyhow::Result<HashSet<GifName>> {
        self.run(|connection| {
            let mut select =
                connection.prepare("SELECT gif FROM message WHERE gif NOTNULL")?;
            select.query_map((), |row| row.get(0))?.collect()
        })
        .await
    }

    /// The number of a room's last message, 0 if there is none.
    pub(crate) async fn last_seq(&self, room: RoomId) -> anyhow::Result<i64> {
        let select = "SELECT coalesce(max(seq), 0) FROM message WHERE room = ?1";
        self.run(move |connection| {
            connection.query_one(select, [room.to_string()], |row| row.get(0))
        })
        .await
    }
}

fn message_of(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    Ok(StoredMessage {
        id: row.get("id")?,
        seq: row.get("seq")?,
        author: visitor_of(row.get("author")?)?,
        content: match row.get("gif")? {
            Some(name) => Content::Gif(name),
            None => Content::Chat(row.get("chat")?),
        },
        created_at: row.get("created_at")?,
    })
}
