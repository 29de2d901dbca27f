//! One feed, four ways to hear it: polling, long polling, server-sent events and WebSocket.
//!
//! Run:  cargo run -p chapter-0
//! Try:  open http://127.0.0.1:8005 and take the network away for five seconds.

use std::{collections::VecDeque, convert::Infallible, env, io, time::Duration};

use axum::{
    Json, Router,
    extract::{
        Query, Request, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, StatusCode},
    response::{
        Html, IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{sleep, timeout},
};

const PAGE: &str = include_str!("../static/index.html");

/// How many items the server keeps for clients that were away.
const KEPT: usize = 100;
/// How long a long poll waits. Proxies often give up after 30 or 60 seconds.
const LONG_POLL: Duration = Duration::from_secs(25);
/// How often a silent event stream says that it is alive.
const COMMENT: Duration = Duration::from_secs(15);
/// Tells a client on a stream that it was away for too long. The other two get a header.
const MISSED: &str = r#"{"missed": true}"#;

#[derive(Clone, Serialize)]
struct Item {
    n: u64,
    at: String,
}

/// A cell with the last items. Its receivers can wait until the value changes.
type Feed = watch::Receiver<VecDeque<Item>>;

/// Which items a client has seen: all up to this number.
#[derive(Deserialize)]
struct Seen {
    after: Option<u64>,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let host = env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = env::var("PORT").unwrap_or("8005".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let (sender, feed) = watch::channel(VecDeque::new());
    tokio::spawn(give_birth(sender));
    axum::serve(listener, app(feed)).await
}

fn app(feed: Feed) -> Router {
    Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/items", get(items))
        .route("/next", get(next))
        .route("/events", get(events))
        .route("/ws", get(websocket))
        .route("/request-size", get(request_size))
        .with_state(feed)
}

/// Adds an item every second on average.
async fn give_birth(sender: watch::Sender<VecDeque<Item>>) {
    for n in 1.. {
        sleep(Duration::from_millis(fastrand::u64(..2000))).await;
        let at =
            OffsetDateTime::now_utc().format(&Rfc3339).expect("BUG: a year of 4 digits");
        sender.send_modify(|items| {
            items.push_back(Item { n, at });
            if items.len() > KEPT {
                items.pop_front();
            }
        });
    }
}

/// The items that a client has not seen, and whether some of them are no longer there.
fn unseen(items: &VecDeque<Item>, after: Option<u64>) -> (Vec<Item>, bool) {
    let new = |item: &&Item| after.is_none_or(|after| item.n > after);
    let new: Vec<_> = items.iter().filter(new).cloned().collect();
    let missed = match (after, new.first()) {
        (Some(after), Some(first)) => first.n - 1 > after,
        _ => false,
    };
    (new, missed)
}

/// The same, as soon as there is something.
async fn next_unseen(feed: &mut Feed, after: Option<u64>) -> (Vec<Item>, bool) {
    let has_new = |items: &VecDeque<Item>| !unseen(items, after).0.is_empty();
    let items = feed.wait_for(has_new).await.expect("BUG: births have ended");
    unseen(&items, after)
}

/// Polling: answers at once with what there is, which is often nothing.
async fn items(State(feed): State<Feed>, Query(seen): Query<Seen>) -> Response {
    array(unseen(&feed.borrow(), seen.after))
}

/// Long polling: answers when there is something.
async fn next(State(mut feed): State<Feed>, Query(seen): Query<Seen>) -> Response {
    match timeout(LONG_POLL, next_unseen(&mut feed, seen.after)).await {
        Ok(new) => array(new),
        Err(_) => StatusCode::NO_CONTENT.into_response(),
    }
}

fn array((new, missed): (Vec<Item>, bool)) -> Response {
    let mut response = Json(new).into_response();
    if missed {
        response.headers_mut().insert("x-missed", "true".parse().expect("BUG: ASCII"));
    }
    response
}

/// Server-sent events: one answer that never ends. A browser that loses it asks again by
/// itself, with the id of the last event in a header.
async fn events(
    State(feed): State<Feed>,
    Query(seen): Query<Seen>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, StatusCode> {
    let after = match headers.get("last-event-id") {
        Some(id) => Some(number(id.as_bytes()).ok_or(StatusCode::BAD_REQUEST)?),
        None => seen.after,
    };
    let batches = stream::unfold((feed, after), async |(mut feed, after)| {
        let (new, missed) = next_unseen(&mut feed, after).await;
        let after = new.last().map(|item| item.n);
        let told = missed.then(|| Event::default().data(MISSED));
        let told = told.into_iter().chain(new.into_iter().map(event));
        Some((stream::iter(told.map(Ok)), (feed, after)))
    });
    let alive = KeepAlive::new().interval(COMMENT);
    Ok(Sse::new(batches.flatten()).keep_alive(alive))
}

fn number(text: &[u8]) -> Option<u64> {
    str::from_utf8(text).ok()?.parse().ok()
}

fn event(item: Item) -> Event {
    Event::default().id(item.n.to_string()).data(json(&item))
}

fn json(item: &Item) -> String {
    serde_json::to_string(item).expect("BUG: an item is JSON")
}

/// WebSocket: after one request, a connection on which both sides may send at any time.
async fn websocket(
    State(feed): State<Feed>,
    Query(seen): Query<Seen>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| tell(socket, feed, seen.after))
}

async fn tell(mut socket: WebSocket, mut feed: Feed, mut after: Option<u64>) {
    loop {
        let (new, missed) = tokio::select! {
            new = next_unseen(&mut feed, after) => new,
            // Reading answers pings and close frames. It also finds the end of the connection.
            message = socket.recv() => match message {
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
        };
        after = new.last().map(|item| item.n);
        let items = new.iter().map(json);
        for text in missed.then(|| MISSED.to_owned()).into_iter().chain(items) {
            if socket.send(Message::text(text)).await.is_err() {
                return;
            }
        }
    }
}

/// How many bytes the head of this request has: a script cannot see what its browser adds.
async fn request_size(request: Request) -> String {
    let line = format!("{} {} HTTP/1.1\r\n\r\n", request.method(), request.uri()).len();
    let headers = request.headers().iter();
    let headers: usize =
        headers.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    (line + headers).to_string()
}
