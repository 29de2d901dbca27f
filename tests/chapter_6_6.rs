//! The promises of chapter 6-6, over the wire.

use support::{
    chat::{Chat, Visitor},
    record::transcript,
};

// What earlier chapters promised, and what every later step promises too.
#[path = "chapter_6_4/admission.rs"]
mod admission;
#[path = "chapter_6_5/crashes.rs"]
mod crashes;
#[path = "chapter_6_6/gifs.rs"]
mod gifs;
#[path = "chapter_6_6/hostile.rs"]
mod hostile;
#[path = "chapter_6_3/life.rs"]
mod life;
#[path = "chapter_6_1/lobby.rs"]
mod lobby;
#[path = "chapter_6_6/pictures.rs"]
mod pictures;
#[path = "chapter_6_3/presence.rs"]
mod presence;
#[path = "chapter_6_5/talk.rs"]
mod talk;
#[path = "chapter_6_2/visitors.rs"]
mod visitors;

#[path = "promises/crooked.rs"]
mod crooked;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-6-6");

#[tokio::test]
async fn a_gif_goes_in_as_a_form_and_out_as_a_name() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut tab, joined) = ada.join(&chat, &room).await;
    let gif = pictures::small(1);
    let stored = ada.send_gif(&chat, &room, &gif).await;
    let event = tab.packet("42/chat,").await;
    let message = stored.json();
    let name = message["gif"].as_str().expect("a name").to_owned();
    let served = support::http::get(&chat, &format!("/gif/{name}")).await;
    let html = ada.send_gif(&chat, &room, b"<script>alert(1)</script>").await;
    let mut record = vec![
        format!(
            "> POST /room/{room}/gif  multipart/form-data, one file in the field gif"
        ),
        format!("< {}  {}", stored.status, stored.text()),
        "# every tab in the room".to_owned(),
        format!("< {event}"),
        "# the file itself".to_owned(),
        format!("> GET /gif/{name}"),
        format!("< {}", served.status),
    ];
    for header in [
        "content-type",
        "content-length",
        "content-security-policy",
        "cache-control",
        "x-content-type-options",
    ] {
        record.push(format!("< {header}: {}", served.header(header)));
    }
    record.push("# a file that says it is a GIF, and is not".to_owned());
    record.push(format!("> POST /room/{room}/gif"));
    record.push(format!("< {}  {}", html.status, html.text()));
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let record = [
        (text(&joined["you"]["id"]), "<member>"),
        (text(&message["user"]), "<colour>"),
        (text(&message["id"]), "<id>"),
        (text(&message["createdAt"]), "<time>"),
        (room.clone(), "<room>"),
        (name, "<name>.gif"),
    ]
    .iter()
    .fold(record.join("\n"), |record, (what, name)| record.replace(what, name));
    transcript("chapter-6-6", "gif", &record);
}
