//! The promises of chapter 6-5, over the wire.

use support::{
    chat::{CHAT, Chat, Visitor, heard},
    record::transcript,
};

// What earlier chapters promised, and what every later step promises too.
#[path = "chapter_6_4/admission.rs"]
mod admission;
#[path = "chapter_6_5/crashes.rs"]
mod crashes;
#[path = "chapter_6_3/life.rs"]
mod life;
#[path = "chapter_6_1/lobby.rs"]
mod lobby;
#[path = "chapter_6_3/presence.rs"]
mod presence;
#[path = "chapter_6_5/talk.rs"]
mod talk;
#[path = "chapter_6_2/visitors.rs"]
mod visitors;

#[path = "promises/crooked.rs"]
mod crooked;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-6-5");

#[tokio::test]
async fn a_message_goes_in_by_http_and_out_as_an_event() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = (Visitor::new(&chat).await, Visitor::new(&chat).await);
    let room = ada.create(&chat, "Cats").await;
    let (mut hers, joined) = ada.join(&chat, &room).await;
    let (mut his, _) = bob.join(&chat, &room).await;
    hers.event_in(CHAT, "join").await;
    let stored = ada.say(&chat, &room, "Do cats purr at 25 Hz?").await;
    let event = hers.packet("42/chat,").await;
    assert_eq!(his.packet("42/chat,").await, event);
    let history = bob.history(&chat, &room, "?after=0").await;
    let outside = Visitor::new(&chat).await.say(&chat, &room, "Yes").await;
    assert!(
        heard(&mut his).await.is_empty(),
        "{CHAT} hears what is stored, nothing else"
    );
    let record = [
        format!("> POST /room/{room}/chat  {{\"chat\":\"Do cats purr at 25 Hz?\"}}"),
        format!("< {}  {}", stored.status, stored.text()),
        "# every tab in the room, hers too".to_owned(),
        format!("< {event}"),
        "# somebody else reads what was said".to_owned(),
        format!("> GET /room/{room}/messages?after=0"),
        format!("< {}  {}", history.status, history.text()),
        "# somebody who is not in the room".to_owned(),
        format!("> POST /room/{room}/chat  {{\"chat\":\"Yes\"}}"),
        format!("< {}  {}", outside.status, outside.text()),
    ];
    let message = stored.json();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let record = [
        (text(&joined["you"]["id"]), "<member>"),
        (text(&message["user"]), "<colour>"),
        (text(&message["id"]), "<id>"),
        (text(&message["createdAt"]), "<time>"),
        (room.clone(), "<room>"),
    ]
    .iter()
    .fold(record.join("\n"), |record, (what, name)| record.replace(what, name));
    transcript("chapter-6-5", "message", &record);
}
