//! The promises of chapter 6-4, over the wire.

// What earlier chapters promised, and what every later step promises too.
#[path = "chapter_6_4/admission.rs"]
mod admission;
#[path = "chapter_6_3/life.rs"]
mod life;
#[path = "chapter_6_1/lobby.rs"]
mod lobby;
#[path = "chapter_6_3/presence.rs"]
mod presence;
#[path = "chapter_6_2/visitors.rs"]
mod visitors;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-6-4");
