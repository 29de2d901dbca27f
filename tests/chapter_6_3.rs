//! The promises of chapter 6-3, over the wire.

use serde_json::json;
use support::{
    chat::{CHAT, Chat, Visitor},
    record::transcript,
};

#[path = "chapter_6_3/life.rs"]
mod life;
// What earlier chapters promised, and what every later step promises too.
#[path = "chapter_6_1/lobby.rs"]
mod lobby;
#[path = "chapter_6_3/presence.rs"]
mod presence;
#[path = "chapter_6_2/visitors.rs"]
mod visitors;

#[path = "promises/crooked.rs"]
mod crooked;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-6-3");

#[tokio::test]
async fn a_visitor_comes_and_goes_and_so_does_the_room() {
    let times = [("LEAVE_GRACE_MS", "0"), ("EMPTY_ROOM_MS", "0")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let (ada, bob) = (Visitor::new(&chat).await, Visitor::new(&chat).await);
    let (mut lobby, _) = Visitor::nobody().watch(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let made = lobby.packet("42/room,[\"newRoom\"").await;
    let mut tab = ada.connect(&chat, CHAT).await;
    let join = format!("42/chat,0[\"join\",{{\"room\":\"{room}\"}}]");
    tab.send(&join).await;
    let answer = tab.packet("43/chat,0").await;
    let (his, second) = bob.join(&chat, &room).await;
    let came = tab.packet("42/chat,[\"join\"").await;
    drop(his);
    let went = tab.packet("42/chat,[\"exit\"").await;
    drop(tab);
    let told = lobby.before("42/room,[\"removeRoom\"").await;
    let mut record = vec![
        "# Ada's tab joins the room that she has made".to_owned(),
        format!("> {join}"),
        format!("< {answer}"),
        "# Bob opens the room, and closes it".to_owned(),
        format!("< {came}"),
        format!("< {went}"),
        "# the lobby, until Ada has gone as well".to_owned(),
    ];
    record.extend(told.iter().map(|packet| format!("< {packet}")));
    record.push(format!("< 42/room,[\"removeRoom\",\"{room}\"]"));
    let mut record = record.join("\n").replace(&room, "<room>");
    let room: serde_json::Value =
        serde_json::from_str(made.strip_prefix("42/room,").expect("BUG: it starts so"))
            .expect("an event");
    let you = [&second["members"][0], &second["you"]];
    for (value, name) in [
        (&room[1]["createdAt"], "<time>"),
        (&you[0]["id"], "<Ada>"),
        (&you[1]["id"], "<Bob>"),
        (&you[0]["user"], "#d2862d"),
        (&you[1]["user"], "#2d79d2"),
    ] {
        assert_ne!(value, &json!(null));
        record = record.replace(value.as_str().expect("a text"), name);
    }
    transcript("chapter-6-3", "visit", &record);
}
