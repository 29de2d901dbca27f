//! Who may come in. These promises hold from chapter 6-4 to the end of chapter 6.
//!
//! Two read all files in the data folder: what they hold of a password no client can see.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::json;
use support::{
    Server,
    chat::{CHAT, Chat, LOBBY, Visitor, form, heard, join, two},
    effort,
    http::{self, Response},
    say, test_name, within,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet, time::sleep};

use crate::CHAPTER;

const SECRET: &str = "open sesame & <b>";
const UNKNOWN: &str = "/room/00000000-0000-4000-8000-000000000000";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const MAX_FORM: usize = 16 * 1024;

/// Makes a room with a password.
async fn secret(chat: &Server, owner: &Visitor, password: &str) -> String {
    let fields = [("title", "Cats"), ("max", "2"), ("password", password)];
    owner.create_with(chat, &fields).await
}

async fn enter(chat: &Server, who: &Visitor, room: &str, password: &str) -> Response {
    let path = format!("/room/{room}/enter");
    who.post_form(chat, &path, &[("password", password)]).await
}

/// The page that asks for the password.
fn asks(answer: &Response, room: &str) {
    let page = answer.text();
    assert_eq!(answer.status, 403, "{page}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(page.contains(&format!("method=\"post\" action=\"/room/{room}/enter\"")));
    assert!(page.contains("name=\"password\" type=\"password\""), "{page}");
    assert!(!page.contains("data-room="), "nothing of the room itself: {page}");
}

/// A page for a person, with a reason to wait.
fn waits(answer: &Response, status: u16) {
    let page = answer.text();
    assert_eq!(answer.status, status, "{page}");
    assert!(page.contains("<a class=\"button\" href=\"/\">"), "{page}");
    let seconds: u64 = answer.header("retry-after").parse().expect("whole seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
}

/// Everything that the program keeps. No client can see it, and a password must not be in it.
fn kept(chat: &Chat) -> String {
    let mut kept = vec![];
    for file in fs::read_dir(chat.data()).expect("the data") {
        let path = file.expect("a file").path();
        // Later steps have a folder of GIFs, too.
        if path.is_file() {
            kept.extend(fs::read(path).expect("readable"));
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

// --- The door ---

#[tokio::test]
async fn a_secret_room_asks_for_its_password_and_lets_in_who_knows_it() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let path = format!("/room/{room}");
    asks(&bob.get(&chat, &path).await, &room);
    assert!(!bob.get(&chat, &path).await.text().contains("class=\"fault\""));
    let wrong = enter(&chat, &bob, &room, "open barley").await;
    asks(&wrong, &room);
    assert!(wrong.text().contains("That is not the password."), "{}", wrong.text());
    asks(&bob.get(&chat, &path).await, &room);
    let right = enter(&chat, &bob, &room, SECRET).await;
    assert_eq!((right.status.as_u16(), right.header("location")), (303, &*path));
    assert_eq!(right.text(), "");
    assert_eq!(bob.get(&chat, &path).await.status, 200);
    // Of nobody else, and for no other room.
    asks(&Visitor::new(&chat).await.get(&chat, &path).await, &room);
    let other = secret(&chat, &ada, SECRET).await;
    asks(&bob.get(&chat, &format!("/room/{other}")).await, &other);
}

#[tokio::test]
async fn whoever_made_a_secret_room_is_let_in_without_the_password() {
    let chat = Chat::start(CHAPTER).await;
    let ada = Visitor::new(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    assert_eq!(ada.get(&chat, &format!("/room/{room}")).await.status, 200);
    let (_tab, answer) = ada.join(&chat, &room).await;
    assert_eq!(
        (&answer["room"]["secret"], &answer["you"]["owner"]),
        (&json!(true), &json!(true))
    );
    // Somebody who has no cookie yet gets one, and may guess.
    let answer = enter(&chat, &Visitor::nobody(), &room, SECRET).await;
    assert_eq!(answer.status, 303);
    let cookie = answer.header("set-cookie").split(';').next().expect("a cookie");
    let bob = Visitor { cookie: cookie.to_owned() };
    bob.join(&chat, &room).await;
}

#[tokio::test]
async fn the_lobby_says_which_rooms_are_secret_and_nothing_else() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    let (mut lobby, _) = bob.watch(&chat).await;
    for (password, is_secret) in [(SECRET, true), ("", false)] {
        let room = secret(&chat, &ada, password).await;
        let told = lobby.event_in(LOBBY, "newRoom").await;
        assert_eq!(
            (&told[0]["id"], &told[0]["secret"]),
            (&json!(room), &json!(is_secret))
        );
        let keys = told[0].as_object().expect("a room").len();
        assert_eq!(keys, 7, "{told}");
        let page = bob.get(&chat, "/").await.text();
        let card = page.split(&format!("data-id=\"{room}\"")).nth(1).expect("a card");
        let tag = card.split("room-secret\"").nth(1).expect("a tag");
        assert_eq!(tag.starts_with(" hidden>"), !is_secret, "{tag}");
    }
}

#[tokio::test]
async fn a_join_without_the_password_is_forbidden_and_takes_no_seat() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let (mut tab, answer) = bob.try_join(&chat, &room).await;
    let forbidden = json!({ "ok": false, "error": "forbidden" });
    assert_eq!(answer, forbidden);
    // The password is no part of a join.
    let args = json!([{ "room": room, "password": SECRET }]);
    assert_eq!(tab.ask_in(CHAT, "join", args).await, forbidden);
    assert_eq!(heard(&mut witness).await, Vec::<String>::new());
    assert_eq!(enter(&chat, &bob, &room, SECRET).await.status, 303);
    // The same tab may ask again.
    assert_eq!(join(&mut tab, &room).await["room"]["members"], 2);
}

#[tokio::test]
async fn a_full_room_is_409_for_whoever_may_come_in_and_is_not_in() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let (late, stranger) = two(&chat).await;
    for password in ["", SECRET] {
        let room = secret(&chat, &ada, password).await;
        let path = format!("/room/{room}");
        for visitor in [&bob, &late] {
            assert_eq!(enter(&chat, visitor, &room, password).await.status, 303);
        }
        let tabs = (bob.join(&chat, &room).await, ada.join(&chat, &room).await);
        let full = late.get(&chat, &path).await;
        assert_eq!(full.status, 409);
        assert!(full.text().contains("This room is full."), "{}", full.text());
        assert!(full.text().contains("<a class=\"button\" href=\"/\">"));
        let (_, answer) = late.try_join(&chat, &room).await;
        assert_eq!(answer, json!({ "ok": false, "error": "full" }));
        // Members see it, and whoever does not know the password is told nothing.
        assert_eq!(bob.get(&chat, &path).await.status, 200);
        if password == SECRET {
            asks(&stranger.get(&chat, &path).await, &room);
            let (_, answer) = stranger.try_join(&chat, &room).await;
            assert_eq!(answer["error"], "forbidden");
        }
        drop(tabs);
    }
}

#[tokio::test]
async fn who_knew_the_password_once_is_let_in_after_kill_9() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    let stranger = Visitor::new(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    assert_eq!(enter(&chat, &bob, &room, SECRET).await.status, 303);
    let chat = chat.restart_elsewhere("KILL").await;
    let path = format!("/room/{room}");
    for visitor in [&ada, &bob] {
        assert_eq!(visitor.get(&chat, &path).await.status, 200);
        visitor.join(&chat, &room).await;
    }
    asks(&stranger.get(&chat, &path).await, &room);
    let (_, rooms) = stranger.watch(&chat).await;
    assert_eq!(rooms[0]["secret"], true);
    // And the password is still the same.
    assert_eq!(enter(&chat, &stranger, &room, "wrong").await.status, 403);
    assert_eq!(enter(&chat, &stranger, &room, SECRET).await.status, 303);
}

#[tokio::test]
async fn a_grant_goes_with_its_room() {
    let times = [("LEAVE_GRACE_MS", "0"), ("EMPTY_ROOM_MS", "0")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let (ada, bob) = two(&chat).await;
    let (mut lobby, _) = ada.watch(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    assert_eq!(enter(&chat, &bob, &room, SECRET).await.status, 303);
    drop(bob.join(&chat, &room).await);
    lobby.packet("42/room,[\"removeRoom\"").await;
    assert_eq!(enter(&chat, &bob, &room, SECRET).await.status, 404);
    assert_eq!(bob.try_join(&chat, &room).await.1["error"], "unknown");
    let chat = chat.restart_elsewhere("TERM").await;
    assert_eq!(bob.get(&chat, &format!("/room/{room}")).await.status, 404);
}

// --- Passwords ---

#[tokio::test]
async fn a_password_has_1_to_128_characters_whatever_their_bytes() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    for character in ["x", "é", "😀"] {
        let (longest, longer) = (character.repeat(128), character.repeat(129));
        let room = secret(&chat, &ada, &longest).await;
        assert_eq!(enter(&chat, &bob, &room, &longest).await.status, 303);
        let fields = [("title", "Cats"), ("max", "2"), ("password", longer.as_str())];
        let refused = ada.post_form(&chat, "/room", &fields).await;
        assert_eq!(refused.status, 422);
        let page = refused.text();
        assert!(page.contains("class=\"fault\" id=\"password-fault\">"), "{page}");
        assert!(page.contains("at most 128 characters"), "{page}");
        assert!(page.contains("value=\"Cats\"") && !page.contains(&longer), "{page}");
    }
    let room = secret(&chat, &ada, "x").await;
    asks(&enter(&chat, &bob, &room, &"x".repeat(129)).await, &room);
    assert_eq!(enter(&chat, &bob, &room, "x").await.status, 303);
}

#[tokio::test]
async fn a_password_is_taken_as_it_was_typed() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    for password in
        [" ", "  padded ", "\t", "\u{3000}", "a\r\nb", "\0", "%41+", "Ж'\";--"]
    {
        let room = secret(&chat, &ada, password).await;
        let bob = Visitor::new(&chat).await;
        for other in [password.trim(), &format!("{password} "), &password.to_uppercase()]
        {
            if other != password {
                asks(&enter(&chat, &bob, &room, other).await, &room);
            }
        }
        let entered = enter(&chat, &bob, &room, password).await;
        assert_eq!(entered.status, 303, "{password:?}");
    }
}

#[tokio::test]
async fn an_empty_password_is_none_and_the_room_is_for_everybody() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let public = secret(&chat, &ada, "").await;
    assert_eq!(bob.get(&chat, &format!("/room/{public}")).await.status, 200);
    assert_eq!(bob.join(&chat, &public).await.1["room"]["secret"], false);
    // Into a room without one, any leads. Into one with a password, none does not.
    assert_eq!(enter(&chat, &bob, &public, "anything").await.status, 303);
    let room = secret(&chat, &ada, SECRET).await;
    let path = format!("/room/{room}/enter");
    asks(&enter(&chat, &bob, &room, "").await, &room);
    asks(&bob.post_form(&chat, &path, &[]).await, &room);
    let json = json!({ "password": SECRET });
    assert_eq!(bob.post_json(&chat, &path, json).await.status, 403);
}

#[tokio::test]
async fn a_password_is_kept_as_argon2id_and_appears_nowhere_else() {
    let environment = [("RUST_LOG", "debug")];
    let Some(chat) = Chat::own_with(CHAPTER, &environment).await else { return };
    let (ada, bob) = two(&chat).await;
    let (mut lobby, _) = bob.watch(&chat).await;
    let (password, guess) = ("correct-horse-battery", "wrong-horse-battery");
    let room = secret(&chat, &ada, password).await;
    let mut seen = vec![];
    for typed in [guess, password] {
        let answer = enter(&chat, &bob, &room, typed).await;
        seen.push(format!("{:?} {}", answer.headers, answer.text()));
    }
    let fields = [("title", ""), ("max", "2"), ("password", password)];
    seen.push(ada.post_form(&chat, "/room", &fields).await.text());
    for path in ["/", "/room", &format!("/room/{room}")] {
        let answer = bob.get(&chat, path).await;
        seen.push(format!("{:?} {}", answer.headers, answer.text()));
    }
    let (_tab, answer) = bob.join(&chat, &room).await;
    seen.push(answer.to_string());
    seen.extend(lobby.before("42/room,[\"updateRoom\"").await);
    seen.push(chat.log());
    for text in &seen {
        for secret in [password, guess, "$argon2"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    let kept = kept(&chat);
    assert!(kept.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "a PHC string");
    assert!(!kept.contains(password) && !kept.contains(guess));
}

#[tokio::test]
async fn two_rooms_with_one_password_have_two_hashes() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    for _ in 0..2 {
        secret(&chat, &ada, SECRET).await;
    }
    let kept = kept(&chat);
    let mut hashes: Vec<_> = kept.match_indices("$argon2id$").collect();
    hashes.iter_mut().for_each(|(at, hash)| *hash = &kept[*at..*at + 97]);
    hashes.sort_unstable_by_key(|(_, hash)| *hash);
    hashes.dedup_by_key(|(_, hash)| *hash);
    assert_eq!(hashes.len(), 2, "{hashes:?}");
}

// --- The order of checks ---

#[tokio::test]
async fn the_checks_of_the_door_come_in_one_order() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let path = format!("/room/{room}/enter");
    let foreign = [FORM, ("sec-fetch-site", "cross-site")];
    let body = form(&[("password", SECRET)]);
    for path in [&path, UNKNOWN] {
        let answer = bob.send(&chat, "POST", path, &foreign, body.clone()).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("Another site"), "{}", answer.text());
    }
    asks(&bob.get(&chat, &format!("/room/{room}")).await, &room);
    for unknown in [UNKNOWN, "/room/x", &format!("/room/{}", room.to_uppercase())] {
        let answer =
            bob.post_form(&chat, &format!("{unknown}/enter"), &[("password", "x")]).await;
        assert_eq!(answer.status, 404, "{unknown}");
    }
    let long = format!("{body}&more={}", "x".repeat(MAX_FORM));
    let answer = bob.send(&chat, "POST", &path, &[FORM], long.clone()).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    for method in ["GET", "PUT", "DELETE"] {
        let answer = bob.send(&chat, method, &path, &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    }
    // What was too long was no guess: five are left. Then nothing is looked at.
    let start = Instant::now();
    for _ in 0..5 {
        asks(&enter(&chat, &bob, &room, "wrong").await, &room);
    }
    too_many(&bob.send(&chat, "POST", &path, &[FORM], long).await, start);
    let unknown = format!("{UNKNOWN}/enter");
    assert_eq!(bob.post_form(&chat, &unknown, &[]).await.status, 404);
}

#[tokio::test]
async fn bodies_that_are_no_form_are_wrong_passwords() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let path = format!("/room/{room}/enter");
    let bytes: Vec<u8> = (0..=255).collect();
    for (kind, body) in [
        (FORM.1, b"password=a&password=b".to_vec()),
        (FORM.1, b"%%%".to_vec()),
        (FORM.1, bytes.clone()),
        ("text/plain", format!("password={SECRET}").into_bytes()),
        ("multipart/form-data; boundary=x", bytes),
    ] {
        let bob = Visitor::new(&chat).await;
        let answer =
            bob.send(&chat, "POST", &path, &[("content-type", kind)], body).await;
        assert_eq!(answer.status, 403, "{kind}: {}", answer.text());
    }
}

// --- Guessing ---

// Whoever guesses does so on a server of their own: one address has thirty guesses a minute.
// A machine that takes a minute for those guesses has shown nothing by them.

const MINUTE: Duration = Duration::from_secs(60);

/// Refused, as long as the guesses since `start` are less than a minute old.
fn too_many(answer: &Response, start: Instant) {
    if start.elapsed() < MINUTE {
        waits(answer, 429);
    } else {
        say(&format!("not checked: {} (the machine is too slow)", test_name()));
    }
}

#[tokio::test]
async fn the_sixth_guess_in_a_minute_is_429_even_if_it_is_right() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let other = secret(&chat, &ada, SECRET).await;
    let start = Instant::now();
    for guess in ["1", "2", "3", "4", "5"] {
        asks(&enter(&chat, &bob, &room, guess).await, &room);
    }
    too_many(&enter(&chat, &bob, &room, SECRET).await, start);
    // In another room too: it is the visitor who guesses.
    too_many(&enter(&chat, &bob, &other, SECRET).await, start);
    asks(&bob.get(&chat, &format!("/room/{room}")).await, &room);
    // Somebody else may.
    let carol = Visitor::new(&chat).await;
    assert_eq!(enter(&chat, &carol, &room, SECRET).await.status, 303);
}

#[tokio::test]
async fn right_passwords_are_not_counted() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let start = Instant::now();
    for _ in 0..4 {
        asks(&enter(&chat, &bob, &room, "wrong").await, &room);
    }
    for _ in 0..10 {
        assert_eq!(enter(&chat, &bob, &room, SECRET).await.status, 303);
    }
    // One was left, and still is.
    asks(&enter(&chat, &bob, &room, "wrong").await, &room);
    too_many(&enter(&chat, &bob, &room, "wrong").await, start);
}

#[tokio::test]
async fn thirty_guesses_of_many_visitors_are_all_that_one_address_has() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let start = Instant::now();
    for guess in 0..30 {
        // No cookie: a new visitor each time.
        let answer = enter(&chat, &Visitor::nobody(), &room, &guess.to_string()).await;
        asks(&answer, &room);
    }
    too_many(&enter(&chat, &Visitor::nobody(), &room, SECRET).await, start);
    // Whoever is in stays in.
    assert_eq!(ada.get(&chat, &format!("/room/{room}")).await.status, 200);
    ada.join(&chat, &room).await;
}

/// Guesses from a task of its own, until there is a place in the queue.
async fn guess(address: String, who: Visitor, room: String, password: String) -> u16 {
    let server = Server::at(&address);
    loop {
        let status = enter(&server, &who, &room, &password).await.status.as_u16();
        if status != 503 {
            return status;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// All answers to these guesses at once: how many were computed and were wrong, and how many
/// were too many.
async fn guess_at_once(
    chat: &Server,
    room: &str,
    visitors: Vec<Visitor>,
) -> (usize, usize) {
    let mut guesses = JoinSet::new();
    for (number, who) in visitors.into_iter().enumerate() {
        let (address, room) = (chat.address().to_owned(), room.to_owned());
        guesses.spawn(guess(address, who, room, number.to_string()));
    }
    let answers = within("all answers", guesses.join_all()).await;
    let count = |wanted| answers.iter().filter(|&&status| status == wanted).count();
    (count(403), count(429))
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_once_get_no_further_than_one_after_another() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let bob = Visitor::new(&chat).await;
    let mut crowd = vec![];
    for _ in 0..60 {
        crowd.push(Visitor::new(&chat).await);
    }
    let start = Instant::now();
    let one = guess_at_once(&chat, &room, vec![bob; 40]).await;
    // By many visitors of one address: 25 more.
    let many = guess_at_once(&chat, &room, crowd).await;
    if start.elapsed() < MINUTE {
        assert_eq!((one, many), ((5, 35), (25, 35)));
    } else {
        say(&format!("not checked: {} (the machine is too slow)", test_name()));
    }
}

// --- Others ---

#[tokio::test(flavor = "multi_thread")]
async fn too_many_at_the_door_are_asked_to_come_back_and_nobody_else_waits() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let public = secret(&chat, &ada, "").await;
    let (mut tab, _) = bob.join(&chat, &public).await;
    let mut visitors = vec![];
    for _ in 0..40 {
        visitors.push(Visitor::new(&chat).await);
    }
    let mut entering = JoinSet::new();
    let (mut entered, mut busy, mut meanwhile) = (0, 0, 0);
    // While passwords are computed, everything else goes on. Once is enough, unless all were
    // so slow that nobody had to wait.
    loop {
        if entering.is_empty() {
            if entered >= 10 && busy > 0 && meanwhile > 0 {
                break;
            }
            for visitor in visitors.clone() {
                let (address, room) = (chat.address().to_owned(), room.clone());
                entering.spawn(async move {
                    let server = Server::at(&address);
                    enter(&server, &visitor, &room, SECRET).await
                });
            }
        }
        assert_eq!(bob.get(&chat, &format!("/room/{public}")).await.status, 200);
        assert_eq!(join(&mut tab, &public).await["ok"], true);
        meanwhile += usize::from(entering.len() > 1);
        while let Some(answer) = entering.try_join_next() {
            let answer = answer.expect("no task panics");
            match answer.status.as_u16() {
                303 => entered += 1,
                503 => {
                    waits(&answer, 503);
                    busy += 1;
                }
                _ => panic!("{} {}", answer.status, answer.text()),
            }
        }
    }
    // And afterwards there is room again.
    let late = Visitor::new(&chat).await;
    assert_eq!(enter(&chat, &late, &room, SECRET).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_while_the_password_is_computed_leaves_the_queue_as_it_was() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = secret(&chat, &ada, SECRET).await;
    let body = form(&[("password", SECRET)]);
    for _ in 0..40 {
        let mut tcp = TcpStream::connect(chat.address()).await.expect("it listens");
        let head = format!(
            "POST /room/{room}/enter HTTP/1.1\r\nhost: {}\r\n{}: {}\r\n\
             content-length: {}\r\n\r\n{body}",
            chat.address(),
            FORM.0,
            FORM.1,
            body.len()
        );
        tcp.write_all(head.as_bytes()).await.expect("it reads");
    }
    let bob = Visitor::new(&chat).await;
    let status = guess(chat.address().to_owned(), bob, room, SECRET.to_owned()).await;
    assert_eq!(status, 303);
    assert!(!chat.log().contains("panicked"), "{}", chat.log());
}

#[tokio::test]
async fn a_right_password_that_meets_the_owners_delete_is_let_in_or_404() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    for round in 0..effort::times(100) {
        let room = secret(&chat, &ada, SECRET).await;
        let path = format!("/room/{room}");
        let (entered, deleted) =
            tokio::join!(enter(&chat, &bob, &room, SECRET), ada.delete(&chat, &path));
        assert_eq!(deleted.status, 204, "round {round}");
        assert!([303, 404].contains(&entered.status.as_u16()), "{}", entered.status);
        assert_eq!(bob.get(&chat, &path).await.status, 404, "round {round}");
    }
}

#[tokio::test]
async fn the_form_that_asks_for_a_password_is_a_page_like_any_other() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let fields = [("title", "<i>\"Cats\""), ("max", "2"), ("password", SECRET)];
    let room = ada.create_with(&chat, &fields).await;
    let lobby = http::get(&chat, "/").await;
    let page = bob.get(&chat, &format!("/room/{room}")).await;
    for name in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
        assert!(!page.header(name).is_empty());
        assert_eq!(page.header(name), lobby.header(name));
    }
    assert!(!page.text().contains("<i>"), "{}", page.text());
    // Whoever asks for JSON gets an error in JSON.
    let path = format!("/room/{room}");
    let wants = [("accept", "application/json")];
    for answer in [
        bob.send(&chat, "GET", &path, &wants, "").await,
        bob.post_json(&chat, &format!("{path}/enter"), json!({})).await,
    ] {
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json(), json!({ "error": "This room has a password." }));
    }
    // A password in an address is none.
    let typed = form(&[("password", SECRET)]);
    asks(&bob.get(&chat, &format!("{path}?{typed}")).await, &room);
}
