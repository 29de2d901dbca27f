//! The promises about visitors. They hold from chapter 6-2 to the end of chapter 6.

use std::fs;

use axum::response::IntoResponse;
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, Key},
};
use serde_json::{Value, json};
use support::{
    Server,
    chat::{Chat, LOBBY, Visitor, folder, form, told, two},
    http::{self, Response},
    polling::Polling,
    socket_io::SocketIo,
};
use tokio::task::JoinSet;

use crate::CHAPTER;

const SECRET: &str = "a secret for a test, known to everybody who reads it";
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const UNKNOWN: &str = "/room/00000000-0000-4000-8000-000000000000";
const UPGRADE: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Ids, and their colours as the npm package `color-hash` 2 finds them.
const COLOURS: [(&str, &str); 12] = [
    ("0e4541fa-fa4b-413c-8c20-fd47ca0c8c77", "#7f2dd2"),
    ("2e0328bf-cf43-428f-8494-15a3d70af5a5", "#931f40"),
    ("c82d8818-15b1-483d-be19-119921e01b5b", "#bf4090"),
    ("00000000-0000-4000-8000-000000000000", "#d279a3"),
    ("f4b8e96c-efcc-4673-be89-b1d584e6a1e4", "#785d3a"),
    ("0851e95b-c7e4-4679-9e28-c8e499ac7e74", "#e0af6c"),
    ("127bbc1b-a975-44f3-be16-e099acc272e3", "#783d3a"),
    ("1122d161-348a-4927-8ffb-917aac9fbf48", "#bf4062"),
    ("ed216ded-30ac-4387-8757-4ae39449821f", "#4c2d86"),
    ("214d20be-82cc-483d-918b-a8a83e178b23", "#bf4048"),
    ("52bb1a2a-1f0f-46bc-b93a-cdd38b745034", "#862d3d"),
    ("a8b994da-2a59-46ad-8b21-675dc299267f", "#2d865f"),
];

/// A good cookie of a visitor with this id, from a server with this secret.
fn signed(secret: &str, id: &str) -> String {
    let jar = SignedCookieJar::new(Key::derive_from(secret.as_bytes()));
    let answer = jar.add(Cookie::new("visitor", id.to_owned())).into_response();
    let set = answer.headers()["set-cookie"].to_str().expect("a cookie is text");
    set.split(';').next().expect("BUG: split is never empty").to_owned()
}

/// The id of a visitor: the end of the cookie, after the signature.
fn id_of(visitor: &Visitor) -> &str {
    &visitor.cookie[visitor.cookie.len() - 36..]
}

fn is_json_error(answer: &Response, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    let body = answer.json();
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    body["error"].as_str().expect("a sentence").to_owned()
}

async fn rooms(chat: &Server) -> Vec<Value> {
    Visitor::nobody().watch(chat).await.1
}

// --- The cookie ---

#[tokio::test]
async fn a_page_makes_a_visitor_out_of_reach_for_scripts_and_other_sites() {
    let chat = Chat::start(CHAPTER).await;
    let page = http::get(&chat, "/").await;
    assert_eq!(page.headers.get_all("set-cookie").iter().count(), 1);
    let set = page.header("set-cookie");
    assert!(set.starts_with("visitor="), "{set}");
    let mut attributes: Vec<_> = set.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Lax"]);
}

#[tokio::test]
async fn pages_and_the_form_make_a_visitor_once() {
    let chat = Chat::start(CHAPTER).await;
    let ada = Visitor::new(&chat).await;
    let room = format!("/room/{}", ada.create(&chat, "Cats").await);
    let good = form(&[("title", "Cats"), ("max", "10")]);
    for (method, path, body, status) in [
        ("GET", "/", "", 200),
        ("GET", "/room", "", 200),
        ("GET", &room, "", 200),
        ("POST", "/room", &good, 303),
        ("POST", "/room", "", 422),
    ] {
        let first =
            Visitor::nobody().send(&chat, method, path, &[FORM], body.to_owned()).await;
        assert_eq!(first.status, status, "{method} {path}");
        let set = first.headers.get_all("set-cookie").iter().count();
        assert_eq!(set, 1, "{method} {path}");
        let again = ada.send(&chat, method, path, &[FORM], body.to_owned()).await;
        assert_eq!(again.header("set-cookie"), "", "{method} {path}");
    }
}

#[tokio::test]
async fn nothing_else_sets_a_cookie() {
    let chat = Chat::start(CHAPTER).await;
    let id = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let room = format!("/room/{id}");
    for (method, path) in [
        ("GET", POLLING),
        ("GET", "/socket.io/socket.io.js"),
        ("GET", "/workbook/chat.css"),
        ("GET", "/assets/lobby.js"),
        ("GET", "/gif/nothing.gif"),
        ("GET", "/nowhere"),
        ("DELETE", &room),
        ("DELETE", UNKNOWN),
        ("PUT", "/workbook/chat.css"),
    ] {
        let answer = http::send(&chat, method, path, &[], "").await;
        assert_eq!(answer.header("set-cookie"), "", "{method} {path}");
    }
    let upgrade = http::send(&chat, "GET", WEBSOCKET, &UPGRADE, "").await;
    assert_eq!((upgrade.status.as_u16(), upgrade.header("set-cookie")), (101, ""));
    let elsewhere = [FORM, ("sec-fetch-site", "cross-site")];
    let refused = http::send(&chat, "POST", "/room", &elsewhere, "").await;
    assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (403, ""));
}

#[tokio::test]
async fn who_made_a_room_by_the_very_first_request_owns_it() {
    let chat = Chat::start(CHAPTER).await;
    let fields = [("title", "Cats"), ("max", "10")];
    let made = Visitor::nobody().post_form(&chat, "/room", &fields).await;
    let cookie = made.header("set-cookie").split(';').next().expect("a cookie");
    let maker = Visitor { cookie: cookie.to_owned() };
    assert_eq!(maker.delete(&chat, made.header("location")).await.status, 204);
}

#[tokio::test]
async fn two_browsers_are_two_visitors_and_two_tabs_are_one() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let (one, other) = (id_of(&ada), id_of(&bob));
    assert_ne!(one, other);
    for id in [one, other] {
        assert_eq!(id.chars().filter(char::is_ascii_hexdigit).count(), 32, "128 bits");
    }
    assert_eq!(ada.colour(&chat).await, ada.colour(&chat).await);
    let id = ada.create(&chat, "Cats").await;
    let tab = ada.clone();
    assert_eq!(tab.delete(&chat, &format!("/room/{id}")).await.status, 204);
}

#[tokio::test]
async fn a_missing_forged_or_foreign_cookie_is_none() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let other = Chat::own(CHAPTER).await.expect("our own");
    let (ada, bob) = two(&chat).await;
    let room = format!("/room/{}", ada.create(&chat, "Cats").await);
    let good = ada.cookie.as_str();
    let id = id_of(&ada);
    let (signature, _) = bob.cookie.split_at(bob.cookie.len() - 36);
    let mut changed = good.to_owned();
    let last = changed.pop().expect("not empty");
    changed.push(if last == '0' { '1' } else { '0' });
    let forged = [
        String::new(),
        "visitor=".to_owned(),
        "visitor".to_owned(),
        "=".to_owned(),
        format!("visitor={id}"),
        format!("visitor={}{id}", "A".repeat(44)),
        format!("{signature}{id}"),
        signed(SECRET, id),
        Visitor::new(&other).await.cookie,
        changed,
        good[..good.len() - 1].to_owned(),
        good.replace("visitor=", "Visitor="),
        format!("visitor={}", "x".repeat(4000)),
        "visitor=%ff%fe".to_owned(),
    ];
    for cookie in forged {
        let nobody = Visitor { cookie };
        let page = nobody.get(&chat, "/").await;
        assert!(page.header("set-cookie").starts_with("visitor="), "{nobody:?}");
        let refused = nobody.delete(&chat, &room).await;
        assert_eq!(is_json_error(&refused, 403), "no visitor", "{nobody:?}");
    }
    let among_others = Visitor { cookie: format!("a=b; {good}; theme=dark") };
    assert_eq!(among_others.delete(&chat, &room).await.status, 204);
}

#[tokio::test]
async fn a_signed_cookie_that_holds_no_id_is_none() {
    let Some(chat) = Chat::own_with(CHAPTER, &[("COOKIE_SECRET", SECRET)]).await else {
        return;
    };
    for value in ["", "x", "0e4541fa-fa4b-413c-8c20"] {
        let nobody = Visitor { cookie: signed(SECRET, value) };
        let page = nobody.get(&chat, "/").await;
        assert!(page.header("set-cookie").starts_with("visitor="), "{value}");
    }
}

#[tokio::test]
async fn a_visitor_survives_a_restart_and_not_another_secret() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    let colour = ada.colour(&chat).await;
    let (kept, lost) = (ada.create(&chat, "Kept").await, ada.create(&chat, "Lost").await);
    let chat = chat.restart_elsewhere("KILL").await;
    assert_eq!(ada.get(&chat, "/").await.header("set-cookie"), "");
    assert_eq!(ada.colour(&chat).await, colour);
    assert_eq!(ada.delete(&chat, &format!("/room/{kept}")).await.status, 204);
    let chat = chat.stop("TERM").await;
    let chat = chat.start_with(&[("COOKIE_SECRET", SECRET)]).await;
    assert!(ada.get(&chat, "/").await.header("set-cookie").starts_with("visitor="));
    let refused = ada.delete(&chat, &format!("/room/{lost}")).await;
    assert_eq!(is_json_error(&refused, 403), "no visitor");
}

#[tokio::test]
async fn a_secret_has_at_least_32_bytes_and_is_never_repeated() {
    let folder = folder();
    let data = folder.path().join("data");
    let data = data.to_str().expect("BUG: we named it");
    for secret in ["swordfish", "swordfish-swordfish-swordfish-!"] {
        assert!(secret.len() < 32);
        let environment = [
            ("COOKIE_SECRET", secret),
            ("DATA_DIR", data),
            ("PORT", "0"),
            ("RUST_BACKTRACE", "1"),
        ];
        let Some((code, output, errors)) = Server::refused(CHAPTER, &environment).await
        else {
            return;
        };
        assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
        assert_eq!(errors, "COOKIE_SECRET must be at least 32 bytes long\n");
    }
    // Two bytes each: it is bytes that count.
    let environment = [("COOKIE_SECRET", "ßßßßßßßßßßßßßßßß")];
    assert!(Chat::own_with(CHAPTER, &environment).await.is_some());
}

// --- The colour ---

#[tokio::test]
async fn a_visitors_colour_is_the_one_that_color_hash_finds() {
    let Some(chat) = Chat::own_with(CHAPTER, &[("COOKIE_SECRET", SECRET)]).await else {
        return;
    };
    for (id, colour) in COLOURS {
        let visitor = Visitor { cookie: signed(SECRET, id) };
        assert_eq!(visitor.colour(&chat).await, colour, "{id}");
        let room = visitor.create(&chat, "Cats").await;
        let owner = rooms(&chat).await.into_iter().find(|it| it["id"] == room.as_str());
        assert_eq!(owner.expect("the room")["owner"], colour, "{id}");
    }
}

#[tokio::test]
async fn a_room_bears_its_owners_colour_on_the_page_and_in_events() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let colour = ada.colour(&chat).await;
    let shape = colour.strip_prefix('#').expect("#rrggbb");
    assert!(shape.len() == 6 && shape.chars().all(|c| "0123456789abcdef".contains(c)));
    let (mut socket, _) = bob.watch(&chat).await;
    let id = ada.create(&chat, "Cats").await;
    assert_eq!(told(&mut socket, &id).await["owner"], colour.as_str());
    let room = rooms(&chat).await.into_iter().find(|room| room["id"] == id.as_str());
    assert_eq!(room.expect("the room")["owner"], colour.as_str());
    let page = bob.get(&chat, "/").await.text();
    let card = page.split(&format!("data-id=\"{id}\"")).nth(1).expect("its card");
    let card = card.split("</li>").next().expect("BUG: split is never empty");
    assert!(card.contains(&format!("data-user=\"{colour}\"")), "{card}");
}

#[tokio::test]
async fn a_visitors_id_is_in_no_page_no_event_and_no_line_of_the_log() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    let (mut socket, _) = bob.watch(&chat).await;
    let id = ada.create(&chat, "Cats").await;
    let room = format!("/room/{id}");
    let mut seen = vec![];
    for path in ["/", "/room", &room, "/nowhere", "/assets/lobby.js", POLLING] {
        for who in [&ada, &bob] {
            let answer = who.get(&chat, path).await;
            seen.push(format!("{:?} {}", answer.headers, answer.text()));
        }
    }
    for who in [&bob, &ada, &ada] {
        let answer = who.delete(&chat, &room).await;
        seen.push(format!("{:?} {}", answer.headers, answer.text()));
    }
    seen.push(socket.packet("42/room,[\"newRoom\"").await);
    seen.push(socket.packet("42/room,[\"removeRoom\"").await);
    seen.push(chat.log());
    for visitor in [&ada, &bob] {
        let id = id_of(visitor);
        for text in &seen {
            assert!(!text.contains(id) && !text.contains(&id.replace('-', "")), "{text}");
        }
    }
}

// --- The owner ---

#[tokio::test]
async fn the_owner_deletes_a_room_and_the_lobby_is_told_once() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    let (mut socket, _) = bob.watch(&chat).await;
    let (id, stays) = (ada.create(&chat, "Cats").await, bob.create(&chat, "Dogs").await);
    let room = format!("/room/{id}");
    let deleted = ada.delete(&chat, &room).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    let mark = ada.create(&chat, "Mark").await;
    socket.packet(&format!("42/room,[\"newRoom\",{{\"id\":\"{id}")).await;
    socket.packet(&format!("42/room,[\"newRoom\",{{\"id\":\"{stays}")).await;
    let before = socket.before(&format!("42/room,[\"newRoom\",{{\"id\":\"{mark}")).await;
    assert_eq!(before, [format!("42/room,[\"removeRoom\",\"{id}\"]")]);
    assert_eq!(ada.get(&chat, &room).await.status, 404);
    is_json_error(&ada.delete(&chat, &room).await, 404);
    let known: Vec<_> = rooms(&chat).await.iter().map(|it| it["id"].clone()).collect();
    assert_eq!(known, [stays.as_str(), &mark]);
    let chat = chat.restart_elsewhere("KILL").await;
    assert_eq!(ada.get(&chat, &room).await.status, 404, "also after a crash");
}

#[tokio::test]
async fn a_stranger_cannot_delete_a_room_and_nobody_without_a_cookie_can() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let id = ada.create(&chat, "Cats").await;
    let room = format!("/room/{id}");
    let (mut socket, _) = bob.watch(&chat).await;
    let refused = bob.delete(&chat, &room).await;
    assert_eq!(is_json_error(&refused, 403), "Only who made a room can delete it.");
    let refused = Visitor::nobody().delete(&chat, &room).await;
    assert_eq!(is_json_error(&refused, 403), "no visitor");
    // It is there, and nobody was told anything.
    assert_eq!(ada.get(&chat, &room).await.status, 200);
    let mark = ada.create(&chat, "Mark").await;
    let before = socket.before(&format!("42/room,[\"newRoom\",{{\"id\":\"{mark}")).await;
    assert!(before.iter().all(|packet| !packet.contains(&id)), "{before:?}");
}

#[tokio::test]
async fn only_the_owners_page_has_the_button() {
    let chat = Chat::start(CHAPTER).await;
    let (ada, bob) = two(&chat).await;
    let room = format!("/room/{}", ada.create(&chat, "Cats").await);
    assert!(ada.get(&chat, &room).await.text().contains("id=\"delete\""));
    assert!(!bob.get(&chat, &room).await.text().contains("id=\"delete\""));
}

#[tokio::test]
async fn of_many_who_delete_a_room_at_once_one_does() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let ada = Visitor::new(&chat).await;
    let (mut socket, _) = ada.watch(&chat).await;
    for _ in 0..10 {
        let id = ada.create(&chat, "Cats").await;
        let mut deletions = JoinSet::new();
        for _ in 0..8 {
            let (ada, address, id) = (ada.clone(), chat.address().to_owned(), id.clone());
            deletions.spawn(async move {
                let server = Server::at(&address);
                ada.delete(&server, &format!("/room/{id}")).await.status.as_u16()
            });
        }
        let mut answers = deletions.join_all().await;
        answers.sort_unstable();
        assert_eq!(answers, [204, 404, 404, 404, 404, 404, 404, 404]);
        socket.packet(&format!("42/room,[\"removeRoom\",\"{id}\"]")).await;
    }
    let mark = ada.create(&chat, "Mark").await;
    let before = socket.before(&format!("42/room,[\"newRoom\",{{\"id\":\"{mark}")).await;
    let again = before.iter().filter(|packet| packet.contains("removeRoom"));
    assert_eq!(again.count(), 0, "each was told once");
}

#[tokio::test]
async fn what_is_unknown_or_malformed_is_404_before_anybody_asks_who_you_are() {
    let chat = Chat::start(CHAPTER).await;
    let ada = Visitor::new(&chat).await;
    let id = ada.create(&chat, "Cats").await;
    let long = "a".repeat(4000);
    for id in
        ["x", "%00", "%ff", "..%2f", &id.to_uppercase(), &id.replace('-', ""), &long]
    {
        for who in [&ada, &Visitor::nobody()] {
            is_json_error(&who.delete(&chat, &format!("/room/{id}")).await, 404);
        }
    }
    for who in [&ada, &Visitor::nobody()] {
        is_json_error(&who.delete(&chat, UNKNOWN).await, 404);
        is_json_error(&who.delete(&chat, "/nowhere").await, 404);
        is_json_error(&who.delete(&chat, "/room").await, 405);
    }
    let room = format!("/room/{id}");
    let answer = ada.send(&chat, "PATCH", &room, &[], "").await;
    assert_eq!(answer.status, 405);
    let mut allow: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
    allow.sort_unstable();
    assert_eq!(allow, ["DELETE", "GET", "HEAD"]);
}

#[tokio::test]
async fn a_room_from_before_there_were_visitors_belongs_to_nobody() {
    let folder = folder();
    let id = "11111111-1111-4111-8111-111111111111";
    fs::create_dir(folder.path().join("data")).expect("a folder");
    let database = rusqlite::Connection::open(folder.path().join("data/gif-chat.db"));
    let database = database.expect("a database");
    let tables = include_str!("../../chapters/6.1-lobby/migrations/1-rooms.sql");
    database.execute_batch(tables).expect("its tables");
    let insert = "INSERT INTO room VALUES (?1, 'Old', 10, '2026-01-31T20:15:00.000Z')";
    database.execute(insert, [id]).expect("a room");
    database.pragma_update(None, "user_version", 1).expect("its version");
    drop(database);
    let Some(chat) = Chat::own_in(CHAPTER, folder, &[]).await else { return };
    let known = rooms(&chat).await;
    assert_eq!((&known[0]["title"], &known[0]["owner"]), (&json!("Old"), &Value::Null));
    let ada = Visitor::new(&chat).await;
    assert_eq!(ada.get(&chat, &format!("/room/{id}")).await.status, 200);
    is_json_error(&ada.delete(&chat, &format!("/room/{id}")).await, 403);
}

// --- Other sites ---

/// What a browser, or another program, says about where a request comes from, and whether it
/// is served.
fn origins(address: &str) -> Vec<(Vec<(&'static str, String)>, bool)> {
    let site = |value: &str| ("sec-fetch-site", value.to_owned());
    let origin = |value: &str| ("origin", value.to_owned());
    let own = format!("http://{address}");
    vec![
        (vec![], true),
        (vec![site("same-origin")], true),
        (vec![site("none")], true),
        (vec![site("cross-site")], false),
        (vec![site("same-site")], false),
        (vec![site("nonsense")], false),
        (vec![site("")], false),
        (vec![origin(&own)], true),
        (vec![origin(&own.to_uppercase().replace("HTTP", "http"))], true),
        (vec![origin("http://evil.example")], false),
        (vec![origin("null")], false),
        (vec![origin("")], false),
        (vec![origin("http://127.0.0.1:1")], false),
        (vec![origin(&format!("{own}.evil.example"))], false),
        (vec![origin(&format!("http://evil.example#{address}"))], false),
        (vec![origin(&format!("http://{address}@evil.example"))], false),
        (vec![origin(&format!("ftp://{address}"))], false),
        // The browser's word about the site counts for more.
        (vec![site("cross-site"), origin(&own)], false),
        (vec![site("same-origin"), origin("http://evil.example")], true),
    ]
}

/// The origins, as headers beside others.
async fn ask_from_everywhere(
    chat: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    served: u16,
) {
    for (origin, own) in origins(chat.address()) {
        let mut all = headers.to_vec();
        all.extend(origin.iter().map(|(name, value)| (*name, value.as_str())));
        let answer = http::send(chat, method, path, &all, "").await;
        let expected = if own { served } else { 403 };
        assert_eq!(answer.status, expected, "{method} {path} {origin:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn another_sites_form_and_script_are_refused() {
    let chat = Chat::start(CHAPTER).await;
    let (mut socket, _) = Visitor::nobody().watch(&chat).await;
    ask_from_everywhere(&chat, "POST", "/room", &[FORM], 422).await;
    // Refused before anything else is looked at.
    ask_from_everywhere(&chat, "POST", "/nowhere", &[], 404).await;
    ask_from_everywhere(&chat, "PUT", "/", &[], 405).await;
    ask_from_everywhere(&chat, "DELETE", UNKNOWN, &[], 404).await;
    let ada = Visitor::new(&chat).await;
    let room = format!("/room/{}", ada.create(&chat, "Cats").await);
    let elsewhere = [("sec-fetch-site", "cross-site")];
    let refused = ada.send(&chat, "DELETE", &room, &elsewhere, "").await;
    is_json_error(&refused, 403);
    let fields = form(&[("title", "Evil"), ("max", "10")]);
    let elsewhere = [FORM, ("origin", "http://evil.example")];
    let refused = ada.send(&chat, "POST", "/room", &elsewhere, fields).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("content-type"), "text/html; charset=utf-8");
    let mark = ada.create(&chat, "Mark").await;
    let before = socket.before(&format!("42/room,[\"newRoom\",{{\"id\":\"{mark}")).await;
    assert!(before.iter().all(|packet| !packet.contains("Evil")), "{before:?}");
}

#[tokio::test]
async fn another_sites_sockets_are_refused_on_both_transports() {
    let chat = Chat::start(CHAPTER).await;
    ask_from_everywhere(&chat, "GET", POLLING, &[], 200).await;
    ask_from_everywhere(&chat, "GET", WEBSOCKET, &UPGRADE, 101).await;
    let session = Polling::open(&chat).await;
    let path = format!("{POLLING}&sid={}", session.sid);
    let elsewhere = [("origin", "http://evil.example")];
    let refused = http::send(&chat, "POST", &path, &elsewhere, "40/room,").await;
    assert_eq!(refused.status, 403);
    // The session goes on, for its own page.
    session.post(&chat, "40/room,").await;
    session.packet(&chat, "42/room,").await;
}

#[tokio::test]
async fn another_site_may_link_to_a_page() {
    let chat = Chat::start(CHAPTER).await;
    let room = format!("/room/{}", Visitor::new(&chat).await.create(&chat, "Cats").await);
    let elsewhere = [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")];
    for path in ["/", "/room", &room, "/assets/lobby.js"] {
        let answer = http::send(&chat, "GET", path, &elsewhere, "").await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

// --- Errors ---

#[tokio::test]
async fn a_script_that_asks_for_json_gets_its_error_as_json_and_a_browser_a_page() {
    let chat = Chat::start(CHAPTER).await;
    for headers in [
        [("accept", "application/json")],
        [("accept", "text/plain, Application/JSON;q=0.5")],
        [("content-type", "application/json")],
        [("content-type", "multipart/form-data; boundary=x")],
    ] {
        let answer = http::send(&chat, "POST", "/nowhere", &headers, "").await;
        assert_eq!(is_json_error(&answer, 404), "There is nothing at this address.");
        let answer = http::send(&chat, "PUT", "/", &headers, "").await;
        is_json_error(&answer, 405);
        assert!(answer.header("allow").contains("GET"));
    }
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for headers in [&[("accept", browser)][..], &[("accept", "*/*")], &[FORM], &[]] {
        let answer = http::send(&chat, "POST", "/nowhere", headers, "").await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(answer.text().contains("<a class=\"button\" href=\"/\">"));
    }
}

// --- What an open connection holds ---

/// Opens 200 connections with `padding` more bytes in their handshakes, and returns how much
/// memory that took the server, in KiB for each.
#[cfg(target_os = "linux")]
async fn open_many(server: &Server, padding: usize, open: &mut Vec<SocketIo>) -> u64 {
    const MANY: u64 = 200;
    let padding = "x".repeat(padding);
    let (_, before) = server.held();
    for _ in 0..MANY {
        let headers = [("x-padding", padding.as_str())];
        let mut client = SocketIo::open_with(server, "", &headers).await;
        client.join(LOBBY, None).await.expect("everybody may watch");
        open.push(client);
    }
    server.held().1.saturating_sub(before) / MANY
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_open_connection_does_not_hold_the_request_that_opened_it() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let mut open = vec![];
    let short = open_many(&chat, 0, &mut open).await;
    // 60 kB: if it were kept, there would be no doubt about it.
    let long = open_many(&chat, 60_000, &mut open).await;
    assert!(long < short + 20, "{short} KiB each, but {long} KiB after a long request");
}
