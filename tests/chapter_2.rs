//! The promises of chapter 2, over the wire.

use std::time::Duration;

use serde_json::{Value, json};
use support::{Server, socket_io::SocketIo};

#[path = "chapter_2/acknowledgements.rs"]
mod acknowledgements;
#[path = "chapter_2/disconnects.rs"]
mod disconnects;
#[path = "chapter_2/news.rs"]
mod news;
#[path = "chapter_2/replies.rs"]
mod replies;

// What every later program promises too.
#[path = "promises/connections.rs"]
mod connections;
#[path = "promises/crooked.rs"]
mod crooked;
#[path = "promises/page.rs"]
mod page;
#[path = "promises/random.rs"]
mod random;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-2");

/// News come so often.
const NEWS: Duration = Duration::from_secs(3);

// What the shared promises have to know.
const AUTH: &str = "";
const UNKNOWN: [&str; 3] = ["/nowhere", "/socket.io/nothing.js", "/socket.iofoo"];

async fn connect(server: &Server) -> SocketIo {
    SocketIo::connect(server).await
}

fn question() -> (&'static str, Value) {
    ("reply", json!(["first"]))
}
