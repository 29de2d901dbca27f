//! The promises of chapter 6-2, over the wire.

// What chapter 6-1 promised, and what every later step promises too.
#[path = "chapter_6_1/lobby.rs"]
mod lobby;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-6-2");
