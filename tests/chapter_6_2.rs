//! The promises of chapter 6-2, over the wire.

use std::fs;

use support::{
    chat::{Chat, LOBBY, Visitor},
    record::transcript,
};

// What chapter 6-1 promised, and what every later step promises too.
#[path = "chapter_6_1/lobby.rs"]
mod lobby;
#[path = "chapter_6_2/visitors.rs"]
mod visitors;

#[path = "promises/crooked.rs"]
mod crooked;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-6-2");

#[tokio::test]
async fn a_visitor_makes_a_room_and_deletes_it() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let page = support::http::get(&chat, "/").await;
    let cookie = page.header("set-cookie").to_owned();
    let ada = Visitor { cookie: cookie.split(';').next().expect("a cookie").to_owned() };
    let colour = ada.colour(&chat).await;
    let (mut socket, _) = ada.watch(&chat).await;
    let id = ada.create(&chat, "Cats").await;
    let told = socket.packet("42/room,").await;
    let (_, rooms) = ada.watch(&chat).await;
    let created = rooms[0]["createdAt"].as_str().expect("a time");
    let room = format!("/room/{id}");
    let stranger = Visitor::new(&chat).await.delete(&chat, &room).await;
    let owner = ada.delete(&chat, &room).await;
    let gone = socket.packet("42/room,").await;
    let record = [
        "# the first page".to_owned(),
        "> GET /".to_owned(),
        format!("< {}  set-cookie: {cookie}", page.status),
        "# its owner's colour is all that others see".to_owned(),
        format!("< {told}"),
        "# somebody else".to_owned(),
        format!("> DELETE {room}"),
        format!("< {}  {}", stranger.status, stranger.text()),
        "# the owner".to_owned(),
        format!("> DELETE {room}"),
        format!("< {}", owner.status),
        "# and everybody in the lobby".to_owned(),
        format!("< {gone}"),
    ];
    let value = ada.cookie.strip_prefix("visitor=").expect("its name");
    let record = record.join("\n").replace(value, "<signature><visitor>");
    let record = record.replace(&id, "<id>").replace(created, "<time>");
    transcript("chapter-6-2", "owner", &record.replace(&colour, "<colour>"));
}

#[cfg(unix)]
#[tokio::test]
async fn the_kept_secret_is_for_the_owners_eyes_and_is_made_once() {
    use std::os::unix::fs::PermissionsExt;
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let file = chat.data().join("cookie-secret");
    let mode = fs::metadata(&file).expect("it is kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let secret = fs::read(&file).expect("it is kept");
    assert!(secret.len() >= 32, "{}", secret.len());
    let chat = chat.restart_elsewhere("KILL").await;
    assert_eq!(fs::read(&file).expect("it is kept"), secret);
    // Another server has another one.
    let other = Chat::own(CHAPTER).await.expect("our own");
    assert_ne!(fs::read(other.data().join("cookie-secret")).expect("kept"), secret);
    let mut left: Vec<_> = fs::read_dir(chat.data()).expect("the data").collect();
    left.retain(|file| {
        file.as_ref().is_ok_and(|file| file.file_name() == "cookie-secret.new")
    });
    assert!(left.is_empty());
}

#[tokio::test]
async fn with_a_secret_from_outside_none_is_kept() {
    let secret = "0123456789abcdef0123456789abcdef";
    let Some(chat) = Chat::own_with(CHAPTER, &[("COOKIE_SECRET", secret)]).await else {
        return;
    };
    assert!(!chat.data().join("cookie-secret").exists());
    let ada = Visitor::new(&chat).await;
    let (mut socket, _) = ada.watch(&chat).await;
    ada.create(&chat, "Cats").await;
    socket.event_in(LOBBY, "newRoom").await;
    assert!(!chat.log().contains(secret));
}
