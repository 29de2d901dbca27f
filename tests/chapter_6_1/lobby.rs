//! The lobby's promises. They hold from chapter 6-1 to the end of chapter 6.

use std::{
    collections::HashSet,
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{
    Server,
    chat::{Chat, Connection, LOBBY, TempDir, Visitor, folder, form, told},
    crooked::Rng,
    effort,
    http::{self, Response},
    official::{self, Official},
    polling::Polling,
    say,
    socket_io::SocketIo,
    test_name, within,
    ws::WebSocket,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::CHAPTER;

/// How long a server that stops waits for its connections.
const FAREWELL: Duration = Duration::from_secs(4);
/// The longest form.
const MAX_FORM: usize = 16 * 1024;
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Titles that would do something if anybody took them for more than text.
const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></head><body>",
    "{{ room.id }} {% raw %}",
    "&lt;b&gt; &amp; &quot;",
    "javascript:alert(1)//",
    "\u{202e}txt.exe ' OR 1=1; DROP TABLE room",
];

/// Ids that name no room, as they stand in a path.
fn no_rooms() -> Vec<String> {
    let mut ids = vec![UNKNOWN.to_owned()];
    ids.extend(
        ["x", "0", "-1", "null", "%00", "%ff", "..%2f..%2fetc%2fpasswd", "%F0%9F%98%80"]
            .map(str::to_owned),
    );
    ids.push("a".repeat(4000));
    ids.push(format!("{UNKNOWN}'%20OR%20'1'='1"));
    ids
}

/// The other spellings of an id.
fn respelt(id: &str) -> [String; 5] {
    [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        format!("%20{id}"),
    ]
}

/// As it stands in HTML. There is more than one way to write a character.
fn unescape(html: &str) -> String {
    html.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&#x2F;", "/")
        .replace("&amp;", "&")
}

/// The text between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let after = text.split_once(start).map(|(_, after)| after);
    let inner = after.and_then(|after| after.split_once(end)).map(|(inner, _)| inner);
    inner.unwrap_or_else(|| panic!("no {start} … {end} in:\n{text}"))
}

/// A page for a person: a sentence, and a way back.
fn is_an_error_page(answer: &Response, status: u16) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{text}");
    assert!(text.contains("<a class=\"button\" href=\"/\">"), "{text}");
    for inside in ["panicked", "SELECT", "rusqlite", ".rs", "chapters/", "/tmp"] {
        assert!(!text.contains(inside), "{inside}: {text}");
    }
}

async fn somebody(chat: &Server) -> Visitor {
    Visitor::new(chat).await
}

/// How many rooms a visitor sees who opens the lobby now.
async fn rooms(chat: &Server) -> Vec<Value> {
    Visitor::nobody().watch(chat).await.1
}

fn ids(rooms: &[Value]) -> Vec<String> {
    let id = |room: &Value| room["id"].as_str().expect("an id").to_owned();
    rooms.iter().map(id).collect()
}

// --- Pages ---

#[tokio::test]
async fn the_lobby_comes_with_the_official_client_and_the_wire_panel() {
    let chat = Chat::start(CHAPTER).await;
    let page = http::get(&chat, "/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for script in ["/socket.io/socket.io.js", "/workbook/wire-panel.js"] {
        assert!(page.text().contains(&format!("src=\"{script}\"")), "{script}");
    }
    let text = page.text();
    let files = text.split(['"']).filter(|part| {
        part.starts_with('/')
            && [".js", ".css", ".svg"].iter().any(|it| part.ends_with(it))
    });
    for file in files {
        let answer = http::get(&chat, file).await;
        assert_eq!(answer.status, 200, "{file}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_lobby_shows_every_room_with_its_title_and_its_limit() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    for (title, max) in [("Cats", "2"), ("Dogs & more", "100")] {
        let id = visitor.create_with(&chat, &[("title", title), ("max", max)]).await;
        let page = visitor.get(&chat, "/").await.text();
        let card = between(&page, &format!("data-id=\"{id}\""), "</li>");
        let text = unescape(card);
        assert!(text.contains(&format!("href=\"/room/{id}\">{title}</a>")), "{text}");
        assert!(text.contains(&format!("class=\"room-max\">{max}<")), "{text}");
        assert!(text.contains("class=\"room-members\">0<"), "{text}");
    }
}

#[tokio::test]
async fn the_form_asks_for_a_title_and_a_limit_of_ten() {
    let chat = Chat::start(CHAPTER).await;
    let form = http::get(&chat, "/room").await;
    assert_eq!(form.status, 200);
    let form = form.text();
    assert!(form.contains("method=\"post\" action=\"/room\""), "{form}");
    let title = between(&form, "name=\"title\"", ">");
    assert!(title.contains("value=\"\""), "{title}");
    let max = between(&form, "name=\"max\"", ">");
    assert!(max.contains("type=\"number\"") && max.contains("value=\"10\""), "{max}");
    assert!(!form.contains("class=\"fault\""), "{form}");
}

#[tokio::test]
async fn a_good_form_leads_to_the_page_of_a_new_room() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let fields = [("title", "  Cats & dogs  "), ("max", " 7 ")];
    let made = visitor.post_form(&chat, "/room", &fields).await;
    assert_eq!(made.status, 303);
    let page = visitor.get(&chat, made.header("location")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(unescape(between(&page.text(), "<h1>", "</h1>")), "Cats & dogs");
    let id = made.header("location").strip_prefix("/room/").expect("a room's page");
    let rooms = rooms(&chat).await;
    let room = rooms.iter().find(|room| room["id"] == id).expect("the new room");
    assert_eq!((&room["title"], &room["max"]), (&json!("Cats & dogs"), &json!(7)));
}

#[tokio::test]
async fn a_title_has_1_to_50_characters_whatever_their_bytes() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    for character in ["x", "é", "방", "😀"] {
        let (longest, longer) = (character.repeat(50), character.repeat(51));
        let fields = [("title", longest.as_str()), ("max", "10")];
        let id = visitor.create_with(&chat, &fields).await;
        let page = visitor.get(&chat, &format!("/room/{id}")).await.text();
        assert_eq!(between(&page, "<h1>", "</h1>"), longest);
        let fields = [("title", longer.as_str()), ("max", "10")];
        let refused = visitor.post_form(&chat, "/room", &fields).await;
        assert_eq!(refused.status, 422, "{longer}");
        assert!(refused.text().contains("at most 50 characters"), "{}", refused.text());
    }
    // What is trimmed does not count.
    let padded = format!("\t {} \u{3000}\r\n", "x".repeat(50));
    visitor.create(&chat, &padded).await;
    visitor.create(&chat, "x").await;
    for nothing in ["", "   ", "\t\r\n", "\u{3000}"] {
        let fields = [("title", nothing), ("max", "10")];
        let refused = visitor.post_form(&chat, "/room", &fields).await;
        assert_eq!(refused.status, 422, "{nothing:?}");
        assert!(refused.text().contains("A room needs a title."), "{}", refused.text());
    }
}

#[tokio::test]
async fn a_limit_is_a_whole_number_from_2_to_100() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    for max in ["2", "100"] {
        visitor.create_with(&chat, &[("title", "Cats"), ("max", max)]).await;
    }
    let bad = [
        "1",
        "101",
        "0",
        "-2",
        "256",
        "258",
        "4294967298",
        "99999999999999999999",
        "ten",
        "2.5",
        "1e1",
        "0x10",
        "",
        " ",
        "5 5",
        "５",
        "NaN",
    ];
    for max in bad {
        let fields = [("title", "Cats"), ("max", max)];
        let refused = visitor.post_form(&chat, "/room", &fields).await;
        assert_eq!(refused.status, 422, "{max}");
        assert!(refused.text().contains("a number from 2 to 100"), "{}", refused.text());
    }
}

#[tokio::test]
async fn a_form_with_faults_comes_back_as_typed_with_a_reason_beside_each_field() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let typed = format!("<i>\"{}", "x".repeat(60));
    let fields = [("title", typed.as_str()), ("max", "lots & lots")];
    let answer = visitor.post_form(&chat, "/room", &fields).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let page = answer.text();
    for (name, value) in fields {
        let input = between(&page, &format!("name=\"{name}\""), ">\n");
        assert_eq!(unescape(between(input, "value=\"", "\"")), value);
        assert!(input.contains("aria-invalid=\"true\""), "{input}");
        let described = format!("aria-describedby=\"{name}-fault\"");
        assert!(input.contains(&described), "{input}");
        assert!(page.contains(&format!("class=\"fault\" id=\"{name}-fault\">")));
    }
    assert!(!page.contains("<i>"), "{page}");
    // What is right is not blamed.
    let fields = [("title", "Cats"), ("max", "1")];
    let page = visitor.post_form(&chat, "/room", &fields).await.text();
    assert!(page.contains("id=\"max-fault\"") && !page.contains("id=\"title-fault\""));
}

#[tokio::test]
async fn nothing_is_stored_and_nobody_is_told_of_a_form_with_faults() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let visitor = somebody(&chat).await;
    let (mut socket, _) = visitor.watch(&chat).await;
    for fields in [[("title", ""), ("max", "10")], [("title", "Cats"), ("max", "1")]] {
        assert_eq!(visitor.post_form(&chat, "/room", &fields).await.status, 422);
    }
    let id = visitor.create(&chat, "Good").await;
    assert_eq!(socket.event_in(LOBBY, "newRoom").await[0]["id"], id.as_str());
    assert_eq!(ids(&rooms(&chat).await), [id.as_str()]);
    let chat = chat.restart_elsewhere("KILL").await;
    assert_eq!(ids(&rooms(&chat).await), [id]);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_one_with_nothing_in_it() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    for (kind, body) in [
        (FORM.1, ""),
        (FORM.1, "title=Cats&title=Dogs&max=10"),
        (FORM.1, "%%%&&&==="),
        (FORM.1, "nothing=known"),
        ("text/plain", "title=Cats&max=10"),
        ("application/json", r#"{"title":"Cats","max":10}"#),
    ] {
        let headers = [("content-type", kind)];
        let answer = visitor.send(&chat, "POST", "/room", &headers, body).await;
        assert_eq!(answer.status, 422, "{kind} {body}");
    }
    let answer = visitor.send(&chat, "POST", "/room", &[], "title=Cats&max=10").await;
    assert_eq!(answer.status, 422);
    let bytes: Vec<u8> = (0..=255).collect();
    let answer = visitor.send(&chat, "POST", "/room", &[FORM], bytes).await;
    assert_eq!(answer.status, 422);
}

#[tokio::test]
async fn a_form_of_16_kib_is_read_and_a_longer_one_is_413() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let filled = |length: usize| {
        let start = form(&[("title", "Cats"), ("max", "10"), ("more", "")]);
        format!("{start}{}", "x".repeat(length - start.len()))
    };
    let fits = visitor.send(&chat, "POST", "/room", &[FORM], filled(MAX_FORM)).await;
    assert_eq!(fits.status, 303, "{}", fits.text());
    for length in [MAX_FORM + 1, 2 * MAX_FORM] {
        let more = visitor.send(&chat, "POST", "/room", &[FORM], filled(length)).await;
        is_an_error_page(&more, 413);
    }
}

#[tokio::test]
async fn an_unknown_or_malformed_id_is_a_404_page() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let id = visitor.create(&chat, "Cats").await;
    for id in no_rooms().iter().chain(&respelt(&id)) {
        is_an_error_page(&visitor.get(&chat, &format!("/room/{id}")).await, 404);
        let head = visitor.send(&chat, "HEAD", &format!("/room/{id}"), &[], "").await;
        assert_eq!(head.status, 404, "{id}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_404_page() {
    let chat = Chat::start(CHAPTER).await;
    let id = somebody(&chat).await.create(&chat, "Cats").await;
    let room = format!("/room/{id}/");
    for path in ["/nowhere", "/room/", "/socket.io", "/assets/", "//", "/Room", &room] {
        is_an_error_page(&http::get(&chat, path).await, 404);
        let post = http::send(&chat, "POST", path, &[FORM], "title=Cats&max=10").await;
        is_an_error_page(&post, 404);
    }
}

#[tokio::test]
async fn another_method_is_a_405_page_that_names_those_that_are_allowed() {
    let chat = Chat::start(CHAPTER).await;
    let id = somebody(&chat).await.create(&chat, "Cats").await;
    let room = format!("/room/{id}");
    for (path, allowed) in [
        ("/", &["GET", "HEAD"][..]),
        ("/room", &["GET", "HEAD", "POST"]),
        (&room, &["GET", "HEAD"]),
        ("/assets/lobby.js", &["GET", "HEAD"]),
    ] {
        for method in ["PUT", "PATCH", "OPTIONS", "BREW"] {
            let answer = http::send(&chat, method, path, &[], "").await;
            is_an_error_page(&answer, 405);
            let allow: HashSet<_> =
                answer.header("allow").split(',').map(str::trim).collect();
            for method in allowed {
                assert!(allow.contains(method), "{path}: {allow:?}");
            }
            assert!(!allow.contains("PUT"), "{path}: {allow:?}");
        }
    }
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let id = visitor.create(&chat, "Cats").await;
    for path in ["/", "/room", &format!("/room/{id}"), "/assets/lobby.js"] {
        let get = visitor.get(&chat, path).await;
        let head = visitor.send(&chat, "HEAD", path, &[], "").await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

// --- What a page may do ---

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let id = visitor.create(&chat, "Cats").await;
    let good = form(&[("title", "Cats"), ("max", "10")]);
    let long = "x".repeat(MAX_FORM + 1);
    let room = format!("/room/{id}");
    for (method, path, body, status) in [
        ("GET", "/", "", 200),
        ("GET", "/room", "", 200),
        ("GET", &room, "", 200),
        ("POST", "/room", good.as_str(), 303),
        ("POST", "/room", "", 422),
        ("POST", "/room", &long, 413),
        ("GET", "/room/x", "", 404),
        ("GET", "/nowhere", "", 404),
        ("PUT", "/", "", 405),
        ("GET", "/assets/lobby.js", "", 200),
        ("GET", "/workbook/chat.css", "", 200),
        ("PUT", "/workbook/chat.css", "", 405),
        ("GET", "/socket.io/?EIO=4&transport=polling", "", 200),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=nobody", "", 400),
    ] {
        let answer = visitor.send(&chat, method, path, &[FORM], body.to_owned()).await;
        assert_eq!(answer.status, status, "{method} {path}");
        has_the_headers(&format!("{method} {path}"), |name| answer.header(name));
    }
    let path = "/socket.io/?EIO=4&transport=websocket";
    let (_socket, opened) = WebSocket::open_with(&chat, path, &[]).await;
    assert_eq!(opened.status().as_u16(), 101);
    has_the_headers(path, |name| {
        opened.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    });
}

fn has_the_headers<'a>(what: &str, header: impl Fn(&str) -> &'a str) {
    assert_eq!(header("content-security-policy"), POLICY, "{what}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("referrer-policy"), "same-origin", "{what}");
}

#[tokio::test]
async fn no_page_holds_a_script_or_a_style() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let id = visitor.create(&chat, HOSTILE[0]).await;
    for path in ["/", "/room", &format!("/room/{id}"), "/nowhere"] {
        let page = visitor.get(&chat, path).await.text();
        for tag in page.split('<').skip(1).filter_map(|tag| tag.split('>').next()) {
            let name = tag.split_whitespace().next().unwrap_or_default();
            assert_ne!(name, "style", "{path}: <{tag}>");
            assert!(name != "script" || tag.contains(" src=\"/"), "{path}: <{tag}>");
            for scheme in ["=\"javascript:", "=\"data:"] {
                assert!(!tag.contains(scheme), "{path}: <{tag}>");
            }
            for word in tag.split_whitespace().skip(1) {
                let event = word.starts_with("on") && word.contains('=');
                assert!(!event && !word.starts_with("style="), "{path}: <{tag}>");
            }
        }
    }
}

#[tokio::test]
async fn a_hostile_title_is_text_on_every_page_and_in_every_event() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let (mut socket, _) = visitor.watch(&chat).await;
    for title in HOSTILE {
        let id = visitor.create(&chat, title).await;
        assert_eq!(told(&mut socket, &id).await["title"], title);
        let page = visitor.get(&chat, &format!("/room/{id}")).await.text();
        let heading = between(&page, "<h1>", "</h1>");
        assert_eq!(unescape(heading), title);
        assert!(!heading.contains(['<', '>', '"']), "{heading}");
        let lobby = visitor.get(&chat, "/").await.text();
        let card = between(&lobby, &format!("data-id=\"{id}\""), "</li>");
        let link = between(card, "class=\"room-title\" href=\"", "</a>");
        assert_eq!(unescape(link), format!("/room/{id}\">{title}"));
        assert!(between(&page, "<title>", "</title>").contains(heading));
    }
    // The table is still there.
    let titles: Vec<Value> =
        rooms(&chat).await.iter().map(|room| room["title"].clone()).collect();
    assert!(HOSTILE.iter().all(|title| titles.contains(&json!(title))), "{titles:?}");
}

// --- Events ---

#[tokio::test]
async fn the_list_of_rooms_is_a_sockets_first_event() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let visitor = somebody(&chat).await;
    let mut socket = SocketIo::open(&chat, "").await;
    socket.join(LOBBY, None).await.expect("everybody may watch");
    assert_eq!(socket.packet("42").await, r#"42/room,["rooms",[]]"#);
    let id = visitor.create_with(&chat, &[("title", "Cats"), ("max", "7")]).await;
    let mut late = SocketIo::open(&chat, "").await;
    late.join(LOBBY, None).await.expect("everybody may watch");
    let first = late.packet("42").await;
    let list = first.strip_prefix(r#"42/room,["rooms","#).expect("the list");
    let list: Value = serde_json::from_str(&list[..list.len() - 1]).expect("JSON");
    let [room] = list.as_array().expect("a list").as_slice() else { panic!("{list}") };
    let mut keys: Vec<_> = room.as_object().expect("a room").keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["createdAt", "id", "max", "members", "owner", "secret", "title"]);
    assert_eq!(room["id"], id.as_str());
    assert_eq!((&room["title"], &room["max"]), (&json!("Cats"), &json!(7)));
    assert_eq!((&room["secret"], &room["members"]), (&json!(false), &json!(0)));
    // RFC 3339, in UTC: 2026-01-31T23:59:59.999Z
    let created = room["createdAt"].as_str().expect("a time");
    let shape: String =
        created.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    // Whoever heard of it got the same.
    assert_eq!(socket.event_in(LOBBY, "newRoom").await[0], *room);
}

#[tokio::test]
async fn the_list_comes_again_after_a_reconnect() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let (mut socket, _) = visitor.watch(&chat).await;
    socket.send("41/room,").await;
    let missed = visitor.create(&chat, "Missed").await;
    socket.join(LOBBY, None).await.expect("everybody may watch");
    let again = socket.event_in(LOBBY, "rooms").await;
    assert!(ids(again[0].as_array().expect("a list")).contains(&missed), "{again}");
    // And what follows is told to it once more, and once only.
    let next = visitor.create(&chat, "Next").await;
    let last = visitor.create(&chat, "Last").await;
    let packets = socket.before(&format!("42/room,[\"newRoom\",{{\"id\":\"{last}")).await;
    assert_eq!(packets.iter().filter(|packet| packet.contains(&next)).count(), 1);
}

#[tokio::test]
async fn a_new_room_is_told_once_to_everybody_who_watches() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let mut watchers = vec![];
    for _ in 0..3 {
        watchers.push(visitor.watch(&chat).await.0);
    }
    let (one, mark) =
        (visitor.create(&chat, "One").await, visitor.create(&chat, "Mark").await);
    for watcher in &mut watchers {
        let packets =
            watcher.before(&format!("42/room,[\"newRoom\",{{\"id\":\"{mark}")).await;
        assert_eq!(packets.iter().filter(|packet| packet.contains(&one)).count(), 1);
    }
}

#[tokio::test]
async fn a_client_that_polls_gets_the_same() {
    let chat = Chat::start(CHAPTER).await;
    let client = Polling::open(&chat).await;
    client.post(&chat, "40/room,").await;
    client.packet(&chat, "42/room,[\"rooms\",").await;
    let id = somebody(&chat).await.create(&chat, "Cats").await;
    client.packet_with(&chat, "42/room,[\"newRoom\",", &id).await;
}

#[tokio::test]
async fn the_official_client_gets_the_list_and_what_follows_on_every_transport() {
    if official::skip() {
        return;
    }
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    for transports in [&["polling", "websocket"][..], &["polling"], &["websocket"]] {
        let options = json!({ "transports": transports });
        let mut client = Official::connect_with(&chat, 4, LOBBY, options).await;
        client.event("rooms").await;
        let id = visitor.create(&chat, "Cats").await;
        while client.event("newRoom").await[0]["id"] != id.as_str() {}
    }
}

/// Creates rooms, one after another, and returns their ids.
async fn create_many(address: String, count: usize) -> Vec<String> {
    let server = Server::at(&address);
    let visitor = Visitor::new(&server).await;
    let mut ids = vec![];
    for number in 0..count {
        ids.push(visitor.create(&server, &format!("Room {number}")).await);
    }
    ids
}

/// Opens the lobby, and notes the rooms in the order in which they became known, up to the
/// room called `Mark`.
async fn note_all(address: String) -> Vec<String> {
    let server = Server::at(&address);
    let (mut socket, rooms) = Visitor::nobody().watch(&server).await;
    let mut marked = rooms.iter().any(|room| room["title"] == "Mark");
    let mut known = ids(&rooms);
    while !marked {
        let event = socket.event_in(LOBBY, "newRoom").await;
        known.push(event[0]["id"].as_str().expect("an id").to_owned());
        marked = event[0]["title"] == "Mark";
    }
    known
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_while_rooms_are_made_misses_none_and_hears_of_none_twice() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let address = || chat.address().to_owned();
    let mut creators = JoinSet::new();
    for _ in 0..4 {
        creators.spawn(create_many(address(), 25));
    }
    let mut watchers = JoinSet::new();
    let mut made = vec![];
    // A watcher comes whenever a creator has made some progress.
    for _ in 0..20 {
        watchers.spawn(note_all(address()));
        made.extend(create_many(address(), 1).await);
    }
    made.extend(creators.join_all().await.into_iter().flatten());
    made.push(Visitor::nobody().create(&chat, "Mark").await);
    made.sort_unstable();
    let order = ids(&rooms(&chat).await);
    for mut known in watchers.join_all().await {
        assert_eq!(known, order, "one order for everybody");
        known.sort_unstable();
        assert_eq!(known, made, "all of them, each once");
    }
}

#[tokio::test]
async fn nonsense_on_one_socket_is_not_noticed_on_another() {
    let chat = Chat::start(CHAPTER).await;
    let visitor = somebody(&chat).await;
    let (mut watcher, _) = visitor.watch(&chat).await;
    let long = format!("42/room,[\"rooms\",\"{}\"]", "x".repeat(900_000));
    for packet in [
        "42/room,[\"rooms\",[]]",
        "42/room,[\"newRoom\",{\"id\":7}]",
        "42/room,[]",
        "42/room,{}",
        "42/nowhere,[\"rooms\"]",
        "40/nowhere,",
        "451-/room,[\"rooms\",{\"_placeholder\":true,\"num\":0}]",
        "4",
        "9",
        "",
        "42/room,[\"rooms\"",
        &long,
    ] {
        let (mut client, _) = visitor.watch(&chat).await;
        client.try_send(packet).await;
    }
    let id = visitor.create(&chat, "Cats").await;
    told(&mut watcher, &id).await;
}

// --- What stays ---

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_every_room_that_was_answered_is_there() {
    let Some(mut chat) = Chat::own(CHAPTER).await else { return };
    let mut answered = HashSet::new();
    let mut random = Rng::with_seed(1);
    for _ in 0..effort::times(300) {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..4 {
            let tell = tell.clone();
            let mut server = Connection::open(&chat, &Visitor::nobody()).await;
            tokio::spawn(async move {
                let body = form(&[("title", "Cats"), ("max", "10")]);
                // Until the server is gone, in the middle of whatever it is doing.
                while let Ok(made) = server.post("/room", FORM.1, body.clone()).await {
                    let id = made.header("location").strip_prefix("/room/");
                    tell.send(id.expect("a room").to_owned()).ok();
                }
            });
        }
        drop(tell);
        for _ in 0..1 + random.usize(..30) {
            answered.extend(within("a room", told.recv()).await);
        }
        let stopped = chat.stop("KILL").await;
        while let Some(id) = within("the creators to give up", told.recv()).await {
            answered.insert(id);
        }
        chat = stopped.start().await;
        let there: HashSet<_> = ids(&rooms(&chat).await).into_iter().collect();
        assert!(answered.is_subset(&there), "{:?}", answered.difference(&there));
    }
}

#[tokio::test]
async fn a_restart_keeps_rooms_their_order_and_their_addresses() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let visitor = somebody(&chat).await;
    for title in HOSTILE {
        visitor.create(&chat, title).await;
    }
    let before = rooms(&chat).await;
    let chat = chat.restart_elsewhere("TERM").await;
    assert_eq!(rooms(&chat).await, before);
    for (id, title) in ids(&before).iter().zip(HOSTILE) {
        let page = visitor.get(&chat, &format!("/room/{id}")).await.text();
        assert_eq!(unescape(between(&page, "<h1>", "</h1>")), title);
    }
}

#[tokio::test]
async fn a_room_that_is_made_while_the_server_stops_is_made() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (mut watcher, _) = Visitor::nobody().watch(&chat).await;
    let mut tcp = TcpStream::connect(chat.address()).await.expect("it listens");
    let body = form(&[("title", "Late"), ("max", "10")]);
    let (name, kind) = FORM;
    let head = format!(
        "POST /room HTTP/1.1\r\nhost: {}\r\n{name}: {kind}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        chat.address(),
        body.len()
    );
    tcp.write_all(head.as_bytes()).await.expect("it reads");
    // The server asks for the body: it has taken up the request.
    let mut asked = [0; 25];
    within("the server's question", tcp.read_exact(&mut asked)).await.expect("bytes");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let signalled = Instant::now();
    chat.signal("TERM").await;
    watcher.closed().await;
    tcp.write_all(body.as_bytes()).await.expect("it still reads");
    let mut answer = String::new();
    within("the answer", tcp.read_to_string(&mut answer)).await.expect("text");
    if signalled.elapsed() > FAREWELL && answer.is_empty() {
        say(&format!("not checked: {} (the machine is too slow)", test_name()));
        return;
    }
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    let id = between(&answer, "location: /room/", "\r\n").to_owned();
    assert!(!chat.log().contains("panicked"), "{}", chat.log());
    let chat = chat.restart_elsewhere("TERM").await;
    assert_eq!(ids(&rooms(&chat).await), [id]);
}

#[tokio::test]
async fn a_stopping_server_does_not_wait_for_those_who_watch() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (mut watcher, _) = Visitor::nobody().watch(&chat).await;
    let polling = Polling::open(&chat).await;
    polling.post(&chat, "40/room,").await;
    polling.packet(&chat, "42/room,").await;
    chat.signal("TERM").await;
    watcher.closed().await;
    // The program ends with code 0 and starts again on the same data.
    chat.restart_elsewhere("TERM").await;
}

// --- How it starts ---

/// Starts the program where it must refuse: one sentence, code 1, no trace of the inside.
async fn refuses(folder: &TempDir, environment: &[(&str, &str)]) -> Option<String> {
    let data = folder.path().join("data");
    let mut all = vec![
        ("RUST_BACKTRACE", "1"),
        ("PORT", "0"),
        ("DATA_DIR", data.to_str().expect("BUG: we named it")),
    ];
    all.extend(environment);
    let (code, output, errors) = Server::refused_in(CHAPTER, folder.path(), &all).await?;
    assert_eq!((code, output.as_str()), (Some(1), ""), "{environment:?}: {errors}");
    assert_eq!(errors.lines().count(), 1, "{environment:?}: {errors}");
    for inside in ["backtrace", "panicked", ".rs", "Error {", "Os {"] {
        assert!(!errors.contains(inside), "{environment:?}: {errors}");
    }
    Some(errors)
}

#[tokio::test]
async fn a_bad_setting_is_one_clear_sentence_and_code_1() {
    let folder = folder();
    fs::write(folder.path().join("file"), "not a folder").expect("a file");
    let below_a_file = folder.path().join("file/data");
    let below_a_file = below_a_file.to_str().expect("BUG: we named it");
    for (name, value, sentence) in [
        ("PORT", "65536", "PORT must be a number from 0 to 65535"),
        ("PORT", "-1", "PORT must be a number from 0 to 65535"),
        ("PORT", "http", "PORT must be a number from 0 to 65535"),
        ("PORT", "", "PORT must be a number from 0 to 65535"),
        ("HOST", "not a host", "cannot listen on HOST"),
        ("HOST", "", "cannot listen on HOST"),
        ("RUST_LOG", "=loud=", "RUST_LOG is not a log filter"),
        ("DATA_DIR", below_a_file, "cannot be used"),
    ] {
        let Some(errors) = refuses(&folder, &[(name, value)]).await else { return };
        assert!(errors.contains(sentence), "{name}={value}: {errors}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_one_clear_sentence_and_code_1() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let port = chat.address().rsplit(':').next().expect("host:port");
    let folder = folder();
    let errors = refuses(&folder, &[("PORT", port)]).await.expect("our own");
    assert!(errors.contains(&format!("port {port} on 127.0.0.1 is taken")), "{errors}");
}

#[tokio::test]
async fn a_data_folder_belongs_to_one_process() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let id = Visitor::nobody().create(&chat, "Cats").await;
    let data = chat.data();
    let data = data.to_str().expect("BUG: we named it");
    let folder = folder();
    let errors = refuses(&folder, &[("DATA_DIR", data)]).await.expect("our own");
    assert!(errors.contains("is in use by another process"), "{errors}");
    // The first one notices nothing, and the lock goes with it.
    assert_eq!(ids(&rooms(&chat).await), [id.as_str()]);
    let chat = chat.restart_elsewhere("KILL").await;
    assert_eq!(ids(&rooms(&chat).await), [id]);
}

#[tokio::test]
async fn a_database_that_is_none_is_one_clear_sentence_and_stays_as_it_is() {
    let folder = folder();
    let database = folder.path().join("data/gif-chat.db");
    fs::create_dir_all(&database).expect("a folder in its place");
    let Some(errors) = refuses(&folder, &[]).await else { return };
    assert!(errors.contains("cannot open the database"), "{errors}");
    fs::remove_dir(&database).expect("still empty");
    let letter = "Dear diary, ".repeat(100);
    fs::write(&database, &letter).expect("a file in its place");
    let errors = refuses(&folder, &[]).await.expect("our own");
    assert!(errors.contains("cannot open the database"), "{errors}");
    assert_eq!(fs::read_to_string(&database).expect("untouched"), letter);
}

#[tokio::test]
async fn settings_are_read_from_dotenv_and_the_environment_wins() {
    let folder = folder();
    let data = folder.path().join("elsewhere");
    let dotenv =
        format!("# Settings\nHOST=\"from dotenv\"\nDATA_DIR={}\n", data.display());
    fs::write(folder.path().join(".env"), dotenv).expect("a file");
    let environment = [("PORT", "0")];
    let Some((code, _, errors)) =
        Server::refused_in(CHAPTER, folder.path(), &environment).await
    else {
        return;
    };
    assert_eq!(code, Some(1));
    assert!(errors.contains("from dotenv"), "{errors}");
    assert!(data.is_dir(), "the data folder that .env names");
    let chat = Chat::own_in(CHAPTER, folder, &[("HOST", "127.0.0.1")]).await;
    let chat = chat.expect("our own");
    assert!(chat.address().starts_with("127.0.0.1:"), "{}", chat.address());
}

#[tokio::test]
async fn a_dotenv_that_cannot_be_read_is_one_sentence_that_quotes_nothing() {
    let folder = folder();
    for content in ["COOKIE_SECRET swordfish", "A='swordfish", "swordfish"] {
        fs::write(folder.path().join(".env"), content).expect("a file");
        let Some(errors) = refuses(&folder, &[]).await else { return };
        assert!(errors.contains(".env cannot be read"), "{errors}");
        assert!(!errors.contains("swordfish"), "{errors}");
    }
    fs::remove_file(folder.path().join(".env")).expect("it was there");
    fs::create_dir(folder.path().join(".env")).expect("a folder in its place");
    let errors = refuses(&folder, &[]).await.expect("our own");
    assert!(errors.contains(".env cannot be read"), "{errors}");
}

#[tokio::test]
async fn a_watcher_that_does_not_read_holds_nobody_up() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let visitor = somebody(&chat).await;
    let (idle, _) = visitor.watch(&chat).await;
    let (mut watcher, _) = visitor.watch(&chat).await;
    let title = "😀".repeat(50);
    for _ in 0..50 {
        visitor.create(&chat, &title).await;
    }
    // The one who reads hears of all rooms.
    for _ in 0..50 {
        watcher.event_in(LOBBY, "newRoom").await;
    }
    drop(idle);
}
