//! The promises of chapter 0: four ways to hear one feed.

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    Server,
    effort::{left_out, takes_too_long},
    http, within, within_after,
    ws::WebSocket,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
};

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-0");
/// A long poll ends after this time, with or without news.
const LONG_POLL: Duration = Duration::from_secs(25);
/// A silent event stream says so often that it is alive.
const COMMENT: Duration = Duration::from_secs(15);
/// No item for a long time has such a number.
const FAR: u64 = 999_999_999;

// --- One feed ---

#[tokio::test]
async fn items_are_numbered_without_gaps_and_say_when_they_were_born() {
    let server = Server::start(CHAPTER).await;
    let first = long_poll(&server, 0).await[0].clone();
    let start = number(&first);
    for n in start + 1..start + 3 {
        let item = long_poll(&server, n - 1).await[0].clone();
        assert_eq!(number(&item), n);
        let at = item["at"].as_str().expect("a text");
        // RFC 3339: 2026-01-31T23:59:59.123Z, with any number of digits after the dot.
        let (date, time) = at.split_once('T').expect("a date and a time");
        assert_eq!(date.split('-').map(str::len).collect::<Vec<_>>(), [4, 2, 2], "{at}");
        assert!(time.ends_with('Z') && time.split(':').count() == 3, "{at}");
    }
}

#[tokio::test]
async fn all_four_ways_tell_the_same_items() {
    let server = Server::start(CHAPTER).await;
    let mut socket = WebSocket::open(&server, "/ws?after=0").await;
    let mut events = Events::open(&server, "/events?after=0", &[]).await;
    for n in 1.. {
        let Some(by_socket) = item(&socket.text().await) else { continue };
        let mut by_event = events.item().await;
        if by_event.get("missed").is_some() {
            by_event = events.item().await;
        }
        assert_eq!(by_socket, by_event);
        let after = number(&by_socket) - 1;
        assert_eq!(by_socket, long_poll(&server, after).await[0]);
        assert_eq!(by_socket, poll(&server, after).await[0]);
        if n == 3 {
            return;
        }
    }
}

// --- Polling ---

#[tokio::test]
async fn polling_answers_at_once_even_if_there_is_nothing() {
    let server = Server::start(CHAPTER).await;
    assert_eq!(poll(&server, FAR).await, Vec::<Value>::new());
    let last = number(&long_poll(&server, 0).await[0]);
    let items = poll(&server, last - 1).await;
    assert_eq!(number(&items[0]), last);
}

// --- Long polling ---

#[tokio::test]
async fn long_polling_answers_as_soon_as_there_is_an_item() {
    let server = Server::start(CHAPTER).await;
    let last = number(long_poll(&server, 0).await.last().unwrap());
    let next = long_poll(&server, last).await;
    assert_eq!(number(&next[0]), last + 1);
}

#[tokio::test]
async fn long_polling_gives_up_with_204_after_25_seconds() {
    let server = Server::start(CHAPTER).await;
    assert!(!long_poll(&server, 0).await.is_empty());
    if takes_too_long(LONG_POLL) {
        return;
    }
    let asked = std::time::Instant::now();
    let path = format!("/next?after={FAR}");
    let answer = http::try_send(&server, "GET", &path, &[], "".into());
    let answer = within_after(LONG_POLL, "an answer", answer).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
    assert!(asked.elapsed() >= LONG_POLL, "{:?}", asked.elapsed());
}

// --- Server-sent events ---

#[tokio::test]
async fn an_event_stream_goes_on_where_the_last_event_id_says() {
    let server = Server::start(CHAPTER).await;
    let mut events = Events::open(&server, "/events", &[]).await;
    assert_eq!(events.head["content-type"], "text/event-stream");
    let first = events.item().await;
    let last = number(&first).to_string();
    assert_eq!(events.id, last, "the id of an event is the number of its item");
    drop(events);
    let headers = [("last-event-id", last.as_str())];
    // The header is newer than the address, which a browser repeats when it comes back.
    let mut events = Events::open(&server, "/events?after=999999999", &headers).await;
    assert_eq!(number(&events.item().await), number(&first) + 1);
}

#[tokio::test]
async fn a_silent_event_stream_sends_a_comment_every_15_seconds() {
    let server = Server::start(CHAPTER).await;
    let far = FAR.to_string();
    let mut events = Events::open(&server, "/events", &[("last-event-id", &far)]).await;
    if takes_too_long(COMMENT) {
        return;
    }
    let line = within_after(COMMENT, "a comment", events.line()).await;
    assert!(line.starts_with(':'), "{line}");
}

// --- WebSocket ---

#[tokio::test]
async fn a_websocket_brings_one_text_for_each_item() {
    let server = Server::start(CHAPTER).await;
    let mut socket = WebSocket::open(&server, "/ws").await;
    let first = number(&item(&socket.text().await).expect("an item"));
    for n in first + 1..first + 3 {
        assert_eq!(number(&item(&socket.text().await).expect("an item")), n);
    }
    // A client that was away says where it was.
    let mut again = WebSocket::open(&server, &format!("/ws?after={first}")).await;
    assert_eq!(number(&item(&again.text().await).expect("an item")), first + 1);
}

// --- All of them ---

#[tokio::test]
async fn a_bad_number_is_a_bad_request_on_every_way() {
    let server = Server::start(CHAPTER).await;
    let upgrade = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for path in ["/items", "/next", "/events", "/ws"] {
        for bad in ["-1", "one", "", "1.5", "99999999999999999999"] {
            let headers: &[_] = if path == "/ws" { &upgrade } else { &[] };
            let path = format!("{path}?after={bad}");
            let answer = http::send(&server, "GET", &path, headers, "").await;
            assert_eq!(answer.status, 400, "{path}");
        }
    }
    let headers = [("last-event-id", "one")];
    assert_eq!(http::send(&server, "GET", "/events", &headers, "").await.status, 400);
}

#[tokio::test]
async fn a_client_that_was_away_for_too_long_is_told_and_gets_what_is_left() {
    let server = Server::start(CHAPTER).await;
    let away = number(&long_poll(&server, 0).await[0]);
    if left_out("it waits for 101 items, one a second") {
        return;
    }
    // The one after `away` goes when the server has 100 newer ones.
    let gone = away + 101;
    while poll(&server, gone).await.is_empty() {
        let last = poll(&server, 0).await.last().map_or(0, number);
        long_poll(&server, last).await;
    }
    for path in ["/items", "/next"] {
        let answer = http::get(&server, &format!("{path}?after={away}")).await;
        assert_eq!(answer.header("x-missed"), "true", "{path}");
        let items = answer.json().as_array().expect("an array").clone();
        assert_eq!(items.len(), 100, "{path}");
        let oldest = number(&items[0]);
        let nothing_missed = http::get(&server, &format!("{path}?after={oldest}")).await;
        assert_eq!(nothing_missed.header("x-missed"), "", "{path}");
    }
    let mut socket = WebSocket::open(&server, &format!("/ws?after={away}")).await;
    let headers = [("last-event-id", &*away.to_string())];
    let mut events = Events::open(&server, "/events", &headers).await;
    let missed: Value = serde_json::from_str(&socket.text().await).expect("JSON");
    assert_eq!(missed, json!({ "missed": true }));
    assert_eq!(events.item().await, missed);
    assert!(number(&item(&socket.text().await).expect("an item")) > away + 1);
    assert!(number(&events.item().await) > away + 1);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_leaves_leaves_nothing_behind() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    // The first request opens what the program keeps open.
    long_poll(&server, 0).await;
    let (before, _) = server.held();
    for _ in 0..10 {
        drop(WebSocket::open(&server, "/ws").await.vanish());
        drop(Events::open(&server, "/events", &[]).await);
        let mut half_way = TcpStream::connect(server.address()).await.unwrap();
        let request = format!("GET /next?after={FAR} HTTP/1.1\r\nhost: x\r\n\r\n");
        half_way.write_all(request.as_bytes()).await.unwrap();
    }
    within("the end of 30 connections", async {
        let mut last = poll(&server, 0).await.last().map_or(0, number);
        // Asked again with each item: a connection ends when the server notices.
        while server.held().0 > before + 2 {
            last = long_poll(&server, last).await.last().map_or(last, number);
        }
    })
    .await;
}

#[tokio::test]
async fn the_page_and_its_four_ways_share_one_port_and_nothing_else_is_there() {
    let server = Server::start(CHAPTER).await;
    let page = http::get(&server, "/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(
        http::get(&server, "/items").await.header("content-type"),
        "application/json"
    );
    assert_eq!(http::get(&server, "/nowhere").await.status, 404);
    assert_eq!(http::send(&server, "POST", "/items", &[], "x").await.status, 405);
}

// --- Clients ---

async fn array(server: &Server, path: &str) -> Vec<Value> {
    let answer = http::get(server, path).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.json().as_array().expect("an array").clone()
}

async fn poll(server: &Server, after: u64) -> Vec<Value> {
    array(server, &format!("/items?after={after}")).await
}

async fn long_poll(server: &Server, after: u64) -> Vec<Value> {
    array(server, &format!("/next?after={after}")).await
}

/// What a WebSocket's text says: an item, or that some were missed.
fn item(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).expect("JSON");
    value.get("missed").is_none().then_some(value)
}

fn number(item: &Value) -> u64 {
    item["n"].as_u64().unwrap_or_else(|| panic!("no number in {item}"))
}

/// A client of server-sent events.
struct Events {
    head: std::collections::BTreeMap<String, String>,
    lines: Lines<BufReader<TcpStream>>,
    /// The id of the last event.
    id: String,
}

impl Events {
    async fn open(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut tcp = TcpStream::connect(server.address()).await.expect("it listens");
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        tcp.write_all(format!("{request}\r\n").as_bytes()).await.expect("still open");
        let lines = BufReader::new(tcp).lines();
        let mut events = Self { head: Default::default(), lines, id: String::new() };
        let status = within("the answer", events.lines.next_line()).await.expect("text");
        assert_eq!(status.as_deref(), Some("HTTP/1.1 200 OK"), "{path}");
        while let Some((name, value)) = within("a header", events.lines.next_line())
            .await
            .expect("text")
            .unwrap_or_default()
            .split_once(": ")
        {
            events.head.insert(name.to_owned(), value.to_owned());
        }
        events
    }

    /// The next line with something in it. The lengths of chunks stand between them.
    async fn line(&mut self) -> String {
        loop {
            let line =
                self.lines.next_line().await.expect("text").expect("the stream goes on");
            if line.contains(':') {
                return line;
            }
        }
    }

    /// The data of the next event.
    async fn item(&mut self) -> Value {
        within("an event", async {
            loop {
                let line = self.line().await;
                if let Some(id) = line.strip_prefix("id: ") {
                    self.id = id.to_owned();
                } else if let Some(data) = line.strip_prefix("data: ") {
                    return serde_json::from_str(data).expect("JSON");
                }
            }
        })
        .await
    }
}
