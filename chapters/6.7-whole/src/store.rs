//! The database, on a thread of its own.
//!
//! SQLite's calls block: they wait for the disk. On a thread that runs tasks, everybody
//! else's task would wait along. One thread owns the one connection and takes one job after
//! the other; handlers await the results.

mod messages;

use std::{collections::HashSet, path::Path, thread};

use anyhow::{Context, bail};
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::messages::StoredMessage;
use crate::{
    gifs::GifName,
    room::{NewRoom, Room, RoomId},
    visitor::Visitor,
};

/// How the tables came to be, oldest first. What is in this list has been run on somebody's
/// data: it is only ever added to.
const MIGRATIONS: [&str; 5] = [
    include_str!("../migrations/1-rooms.sql"),
    include_str!("../migrations/2-owners.sql"),
    include_str!("../migrations/3-passwords.sql"),
    include_str!("../migrations/4-messages.sql"),
    include_str!("../migrations/5-gifs.sql"),
];

/// Jobs that may wait. More than that, and whoever brings the next one waits.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle to the database's thread. The thread ends when the last handle is gone.
#[derive(Clone)]
pub(crate) struct Store {
    jobs: mpsc::Sender<Job>,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let mut connection = Connection::open(path)
            .and_then(configure)
            .with_context(|| format!("cannot open the database {}", path.display()))?;
        migrate(&mut connection)?;
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        thread::Builder::new().name("store".to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut connection);
            }
        })?;
        Ok(Self { jobs })
    }

    /// Runs one job on the thread, in its turn. Once handed over it is carried out, also
    /// when nobody waits for the result any more.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Whoever asked may have gone away.
            done.send(job(connection)).ok();
        });
        self.jobs.send(job).await.ok().context("the database's thread has ended")?;
        Ok(result.await.context("the database's thread has ended")??)
    }

    /// All rooms and who made them, oldest first.
    pub(crate) async fn rooms(&self) -> anyhow::Result<Vec<(Room, Option<Visitor>)>> {
        self.run(|connection| {
            connection
                .prepare(
                    "SELECT id, title, max, owner, password, created_at FROM room ORDER BY rowid",
                )?
                .query_map((), |row| Ok((room_of(row)?, owner_of(row)?)))?
                .collect()
        })
        .await
    }

    /// Adds a room, and returns it as it is from now on. Whoever makes it is admitted. Of
    /// the password only the hash comes here.
    pub(crate) async fn add_room(
        &self,
        new: NewRoom,
        password: Option<String>,
        owner: Visitor,
    ) -> anyhow::Result<Room> {
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            let room = transaction.query_one(
                "INSERT INTO room (id, title, max, owner, password, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, strftime('%Y-%m-%dT%H:%M:%fZ'))
                 RETURNING id, title, max, owner, password, created_at",
                (RoomId::new().to_string(), new.title, new.max, owner.secret(), password),
                room_of,
            )?;
            admit(&transaction, room.id, owner)?;
            transaction.commit()?;
            Ok(room)
        })
        .await
    }

    /// The hash of a room's password, if it has one.
    pub(crate) async fn password(&self, id: RoomId) -> anyhow::Result<Option<String>> {
        let select = "SELECT password FROM room WHERE id = ?1";
        let found = self.run(move |connection| {
            connection.query_one(select, [id.to_string()], |row| row.get(0)).optional()
        });
        Ok(found.await?.flatten())
    }

    /// Those who knew a room's password.
    pub(crate) async fn admitted(&self, id: RoomId) -> anyhow::Result<HashSet<Visitor>> {
        let select = "SELECT visitor FROM admission WHERE room = ?1";
        let visitors: Vec<String> = self
            .run(move |connection| {
                let mut select = connection.prepare(select)?;
                select.query_map([id.to_string()], |row| row.get(0))?.collect()
            })
            .await?;
        Ok(visitors.iter().filter_map(|text| Visitor::from_secret(text)).collect())
    }

    /// Remembers that a visitor knew a room's password.
    pub(crate) async fn add_admission(
        &self,
        id: RoomId,
        visitor: Visitor,
    ) -> anyhow::Result<()> {
        self.run(move |connection| admit(connection, id, visitor)).await
    }

    /// Removes a room and its messages. Returns the names of the GIFs that nobody needs now.
    pub(crate) async fn remove_room(&self, id: RoomId) -> anyhow::Result<Vec<GifName>> {
        self.run(move |connection| {
            let id = id.to_string();
            let transaction = connection.transaction()?;
            let gifs = transaction
                .prepare("SELECT gif FROM message WHERE room = ?1 AND gif NOTNULL")?
                .query_map([&id], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            transaction.execute("DELETE FROM room WHERE id = ?1", [&id])?;
            transaction.commit()?;
            Ok(gifs)
        })
        .await
    }
}

/// With a write-ahead log a commit appends to one file. `NORMAL` leaves it to the operating
/// system when that reaches the disk: a killed process loses nothing, a power cut may take
/// the last moments.
fn configure(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Runs the migrations that this database has not seen. `user_version` counts those it has.
fn migrate(connection: &mut Connection) -> anyhow::Result<()> {
    let seen: u32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(unseen) = MIGRATIONS.get(seen as usize..) else {
        bail!("the database was made by a later version of this program");
    };
    for (migration, version) in unseen.iter().zip(seen + 1..) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

fn admit(connection: &Connection, id: RoomId, visitor: Visitor) -> rusqlite::Result<()> {
    let insert = "INSERT OR IGNORE INTO admission (room, visitor) VALUES (?1, ?2)";
    connection.execute(insert, (id.to_string(), visitor.secret()))?;
    Ok(())
}

/// A room from a row of `id, title, max, owner, password, created_at`.
fn room_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Room> {
    Ok(Room {
        id: id_of(row, "id")?,
        title: row.get("title")?,
        max: row.get("max")?,
        owner: owner_of(row)?.map(Visitor::colour),
        secret: row.get::<_, Option<String>>("password")?.is_some(),
        members: 0,
        created_at: row.get("created_at")?,
    })
}

fn owner_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Visitor>> {
    let owner: Option<String> = row.get("owner")?;
    Ok(owner.as_deref().and_then(Visitor::from_secret))
}

fn visitor_of(text: String) -> rusqlite::Result<Visitor> {
    // The error would be logged, and the id with it.
    Visitor::from_secret(&text).ok_or(rusqlite::Error::InvalidQuery)
}

fn id_of(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<RoomId> {
    let text: String = row.get(column)?;
    RoomId::parse(&text).ok_or_else(|| rusqlite::Error::InvalidColumnName(text))
}
