//! The promises of chapter 6-4, over the wire.

use support::{
    chat::{CHAT, Chat, Visitor, form},
    record::transcript,
};

#[path = "chapter_6_4/admission.rs"]
mod admission;
// What earlier chapters promised, and what every later step promises too.
#[path = "chapter_6_3/life.rs"]
mod life;
#[path = "chapter_6_1/lobby.rs"]
mod lobby;
#[path = "chapter_6_3/presence.rs"]
mod presence;
#[path = "chapter_6_2/visitors.rs"]
mod visitors;

#[path = "promises/crooked.rs"]
mod crooked;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-6-4");

#[tokio::test]
async fn a_stranger_is_asked_for_the_password_and_gets_in() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = (Visitor::new(&chat).await, Visitor::new(&chat).await);
    let fields = [("title", "Cats"), ("max", "10"), ("password", "open sesame")];
    let room = ada.create_with(&chat, &fields).await;
    let path = format!("/room/{room}");
    let join = format!("42/chat,0[\"join\",{{\"room\":\"{room}\"}}]");
    let mut record = vec![];
    let page = bob.get(&chat, &path).await;
    record.push("# a stranger".to_owned());
    record.push(format!("> GET {path}\n< {}", page.status));
    let mut tab = bob.connect(&chat, CHAT).await;
    tab.send(&join).await;
    record.push(format!("> {join}\n< {}", tab.packet("43/chat,0").await));
    record.push("# six guesses, the last of them right".to_owned());
    for guess in ["1234", "cats", "password", "sesame", "open", "open sesame"] {
        let typed = [("password", guess)];
        let answer = bob.post_form(&chat, &format!("{path}/enter"), &typed).await;
        let wait = answer.header("retry-after");
        let wait = if wait.is_empty() { "" } else { "  retry-after: <seconds>" };
        record.push(format!("> POST {path}/enter  {}", form(&typed)));
        record.push(format!("< {}{wait}", answer.status));
    }
    let carol = Visitor::new(&chat).await;
    let typed = [("password", "open sesame")];
    let answer = carol.post_form(&chat, &format!("{path}/enter"), &typed).await;
    record.push("# somebody who knows it".to_owned());
    record.push(format!("> POST {path}/enter  {}", form(&typed)));
    record.push(format!("< {}  location: {}", answer.status, answer.header("location")));
    carol.join(&chat, &room).await;
    let record = record.join("\n").replace(&room, "<room>");
    transcript("chapter-6-4", "entrance", &record);
}
