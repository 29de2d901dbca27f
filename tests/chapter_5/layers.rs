//! The promises of step 5.3: one cookie for pages and sockets, and layers around the engine.

use hyper::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use support::{
    Server,
    effort::left_out,
    http,
    official::{self, Official},
    polling::Polling,
    socket_io::SocketIo,
    ws::WebSocket,
};

use crate::{CHAPTER, connect, guest, settle};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// A guest in `/`, with a cookie header or without one.
async fn connect_with(server: &Server, cookie: Option<&str>) -> SocketIo {
    let headers: Vec<_> = cookie.map(|cookie| ("cookie", cookie)).into_iter().collect();
    let mut client = SocketIo::open_with(server, "", &headers).await;
    client.join("/", guest()).await.expect("a guest is let in");
    client
}

/// Who the server says a request with this cookie comes from.
async fn whoami(server: &Server, cookie: &str) -> Value {
    let answer = http::send(server, "GET", "/whoami", &[("cookie", cookie)], "").await;
    assert_eq!(answer.status, 200);
    answer.json()["visitor"].take()
}

/// The cookie that `GET /` sets, as a browser sends it back.
async fn cookie(server: &Server) -> String {
    let page = http::get(server, "/").await;
    let set = page.header("set-cookie");
    assert!(set.starts_with("visitor="), "the page sets no cookie: {set:?}");
    set.split(';').next().expect("BUG: split is never empty").to_owned()
}

// --- The cookie ---

#[tokio::test]
async fn the_page_sets_one_cookie_out_of_reach_for_scripts_and_other_sites() {
    let server = Server::start(CHAPTER).await;
    let page = http::get(&server, "/").await;
    let all: Vec<_> = page.headers.get_all("set-cookie").iter().collect();
    assert_eq!(all.len(), 1);
    let set = page.header("set-cookie");
    let mut attributes: Vec<_> = set.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax"]);
}

#[tokio::test]
async fn only_the_page_sets_it() {
    let server = Server::start(CHAPTER).await;
    cookie(&server).await;
    for path in ["/whoami", "/connection-errors", "/workbook/page.css", POLLING] {
        assert_eq!(http::get(&server, path).await.header("set-cookie"), "", "{path}");
    }
}

#[tokio::test]
async fn pages_and_sockets_give_the_same_visitor() {
    let server = Server::start(CHAPTER).await;
    let cookie = cookie(&server).await;
    let by_http = whoami(&server, &cookie).await;
    assert!(by_http.as_str().is_some_and(|visitor| visitor.len() == 36), "{by_http}");
    let mut client = connect_with(&server, Some(&cookie)).await;
    let answer = client.ask("whoami", json!([])).await;
    assert_eq!(answer, json!({ "ok": true, "visitor": by_http }));
}

#[tokio::test]
async fn the_page_keeps_a_visitor_it_knows() {
    let server = Server::start(CHAPTER).await;
    let cookie = cookie(&server).await;
    let again = http::send(&server, "GET", "/", &[("cookie", &cookie)], "").await;
    assert_eq!(again.header("set-cookie"), "");
    assert_eq!(whoami(&server, &cookie).await, whoami(&server, &cookie).await);
}

#[tokio::test]
async fn two_browsers_are_two_visitors_and_two_tabs_are_one() {
    let server = Server::start(CHAPTER).await;
    let (one, other) = (cookie(&server).await, cookie(&server).await);
    let mut answers = Vec::new();
    for cookie in [&one, &one, &other] {
        let mut tab = connect_with(&server, Some(cookie)).await;
        answers.push(tab.ask("whoami", json!([])).await["visitor"].take());
    }
    assert_eq!(answers[0], answers[1]);
    assert_ne!(answers[0], answers[2]);
}

#[tokio::test]
async fn without_a_cookie_both_say_null() {
    let server = Server::start(CHAPTER).await;
    assert_eq!(http::get(&server, "/whoami").await.text(), r#"{"visitor":null}"#);
    let mut client = connect(&server).await;
    let answer = client.ask("whoami", json!([])).await;
    assert_eq!(answer, json!({ "ok": true, "visitor": null }));
}

#[tokio::test]
async fn a_forged_or_foreign_cookie_is_none() {
    let server = Server::start(CHAPTER).await;
    let good = cookie(&server).await;
    let id = whoami(&server, &good).await;
    let id = id.as_str().unwrap();
    let mut changed = good.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == '0' { '1' } else { '0' });
    let forged = [
        format!("visitor={id}"),
        format!("visitor={}{id}", "A".repeat(44)),
        "visitor=".to_owned(),
        "visitor=\"\"".to_owned(),
        "visitor".to_owned(),
        "=".to_owned(),
        changed,
        good.replace("visitor=", "Visitor="),
        good[..good.len() - 1].to_owned(),
        format!("visitor={}", "x".repeat(4000)),
        "visitor=%ff%fe".to_owned(),
    ];
    for cookie in &forged {
        assert_eq!(whoami(&server, cookie).await, Value::Null, "{cookie}");
        let mut client = connect_with(&server, Some(cookie)).await;
        let answer = client.ask("whoami", json!([])).await;
        assert_eq!(answer, json!({ "ok": true, "visitor": null }), "{cookie}");
        let page = http::send(&server, "GET", "/", &[("cookie", cookie)], "").await;
        assert!(page.header("set-cookie").starts_with("visitor="), "{cookie}");
    }
    let among_others = format!("a=b; {good}; theme=dark");
    assert_eq!(whoami(&server, &among_others).await, id);
}

#[tokio::test]
async fn a_socket_keeps_the_visitor_of_its_handshake() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::open(&server).await;
    client.post(&server, r#"40{"token":"guest-token"}"#).await;
    let cookie = cookie(&server).await;
    // Every later request of this session brings the cookie; the handshake did not.
    let path = format!("{POLLING}&sid={}", client.sid);
    let headers = [("cookie", cookie.as_str())];
    let ask = http::send(&server, "POST", &path, &headers, r#"420["whoami"]"#).await;
    assert_eq!(ask.status, 200);
    let answer = client.packet(&server, "430").await;
    assert_eq!(answer, r#"430[{"ok":true,"visitor":null}]"#);
}

#[tokio::test]
async fn every_official_client_is_its_visitor_on_every_transport() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let cookie = cookie(&server).await;
    let visitor = whoami(&server, &cookie).await;
    for &(version, transports) in official::ways() {
        let options = json!({
            "transports": transports,
            "extraHeaders": { "cookie": cookie },
            "transportOptions": {
                "polling": { "extraHeaders": { "cookie": cookie } },
                "websocket": { "extraHeaders": { "cookie": cookie } },
            },
            "auth": { "token": "guest-token" },
        });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        let answer = client.ask("whoami", json!([])).await;
        assert_eq!(
            answer,
            json!([{ "ok": true, "visitor": visitor }]),
            "{version} {transports:?}"
        );
    }
}

#[tokio::test]
async fn with_the_same_key_a_visitor_survives_a_restart_and_without_one_it_does_not() {
    let key = "a key for a test, which is of course known to everybody who reads";
    for (environment, survives) in [(&[("COOKIE_KEY", key)][..], true), (&[], false)] {
        let Some(before) = Server::own_with(CHAPTER, environment).await else { return };
        let cookie = cookie(&before).await;
        let visitor = whoami(&before, &cookie).await;
        drop(before);
        let Some(after) = Server::own_with(CHAPTER, environment).await else { return };
        assert_eq!(whoami(&after, &cookie).await == visitor, survives);
    }
}

#[tokio::test]
async fn a_key_that_is_too_short_is_one_clear_sentence_without_the_key() {
    for key in ["", "short-and-secret"] {
        let environment = [("COOKIE_KEY", key)];
        let Some((code, output, errors)) = Server::refused(CHAPTER, &environment).await
        else {
            return;
        };
        assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
        assert!(errors.contains("COOKIE_KEY must be at least 64 bytes long"), "{errors}");
        assert!(!errors.contains("secret"), "{errors}");
    }
}

// --- The gate ---

#[tokio::test]
async fn a_handshake_with_refuse_1_is_forbidden_on_both_transports() {
    let server = Server::start(CHAPTER).await;
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (path, headers) in [(POLLING, &[][..]), (WEBSOCKET, &headers[..])] {
        for query in ["&refuse=1", "&refuse=1&t=abc", "&a=b&refuse=1"] {
            let path = format!("{path}{query}");
            let answer = http::send(&server, "GET", &path, headers, "").await;
            assert_eq!(answer.status, 403, "{path}");
            assert_eq!(answer.text(), r#"{"code":4,"message":"Forbidden"}"#);
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("x-workbook"), "1");
            assert_eq!(answer.header("x-workbook-session"), "");
        }
    }
}

/// The gate is there.
async fn refused(server: &Server) {
    let answer = http::get(server, &format!("{POLLING}&refuse=1")).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
}

#[tokio::test]
async fn only_refuse_1_is_refused() {
    let server = Server::start(CHAPTER).await;
    refused(&server).await;
    for query in ["&refuse=0", "&refuse=10", "&refuse", "&norefuse=1", "&x=refuse=1"] {
        let answer = http::get(&server, &format!("{POLLING}{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
    }
}

#[tokio::test]
async fn the_gate_is_before_the_engine_and_nowhere_else() {
    let server = Server::start(CHAPTER).await;
    refused(&server).await;
    for (path, status) in
        [("/", 200), ("/socket.io/socket.io.js", 200), ("/nowhere", 404)]
    {
        let answer = http::get(&server, &format!("{path}?refuse=1")).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(marks(&answer.headers), ("", ""), "{path}");
    }
}

#[tokio::test]
async fn a_session_that_was_let_in_is_not_asked_again() {
    let server = Server::start(CHAPTER).await;
    refused(&server).await;
    let client = Polling::open(&server).await;
    let path = format!("{POLLING}&refuse=1&sid={}", client.sid);
    let posted =
        http::send(&server, "POST", &path, &[], r#"40{"token":"guest-token"}"#).await;
    assert_eq!((posted.status, posted.text().as_str()), (StatusCode::OK, "ok"));
    assert_eq!(http::get(&server, &path).await.status, 200);
    let upgrade = format!("{WEBSOCKET}&refuse=1&sid={}", client.sid);
    let (mut ws, response) = WebSocket::open_with(&server, &upgrade, &[]).await;
    assert_eq!(response.status(), 101);
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
}

#[tokio::test]
async fn the_official_client_sees_a_refused_handshake_as_a_failed_connection() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let options =
        json!({ "query": { "refuse": "1" }, "auth": { "token": "guest-token" } });
    let mut client = Official::start(&server, 4, "/", options).await;
    assert_eq!(client.on("connect_error").await["message"], "xhr poll error");
    let options = json!({ "query": { "refuse": "1" }, "transports": ["websocket"] });
    let mut client = Official::start(&server, 4, "/", options).await;
    assert_eq!(client.on("connect_error").await["message"], "websocket error");
}

// --- Headers ---

fn marks(headers: &HeaderMap) -> (&str, &str) {
    let header =
        |name| headers.get(name).map_or("", |value| value.to_str().expect("ASCII"));
    (header("x-workbook"), header("x-workbook-session"))
}

#[tokio::test]
async fn the_first_response_of_a_session_is_marked_as_such_and_every_one_as_the_engines()
{
    let server = Server::start(CHAPTER).await;
    let first = http::get(&server, POLLING).await;
    assert_eq!(marks(&first.headers), ("1", "new"));
    let open: Value = serde_json::from_str(&first.text()[1..]).unwrap();
    let sid = open["sid"].as_str().unwrap();
    let path = format!("{POLLING}&sid={sid}");
    let post = http::send(&server, "POST", &path, &[], "40").await;
    assert_eq!((post.status, marks(&post.headers)), (StatusCode::OK, ("1", "")));
    let poll = http::get(&server, &path).await;
    assert_eq!((poll.status, marks(&poll.headers)), (StatusCode::OK, ("1", "")));
    let upgrade = format!("{WEBSOCKET}&sid={sid}");
    let (_ws, response) = WebSocket::open_with(&server, &upgrade, &[]).await;
    assert_eq!(
        (response.status(), marks(response.headers())),
        (StatusCode::SWITCHING_PROTOCOLS, ("1", ""))
    );
}

#[tokio::test]
async fn a_101_that_opens_a_session_bears_both_headers() {
    let server = Server::start(CHAPTER).await;
    let (_ws, response) = WebSocket::open_with(&server, WEBSOCKET, &[]).await;
    assert_eq!(marks(response.headers()), ("1", "new"));
}

#[tokio::test]
async fn responses_that_are_not_the_engines_bear_neither() {
    let server = Server::start(CHAPTER).await;
    assert_eq!(marks(&http::get(&server, POLLING).await.headers), ("1", "new"));
    for path in
        ["/", "/whoami", "/connection-errors", "/socket.io/socket.io.js", "/nowhere"]
    {
        assert_eq!(marks(&http::get(&server, path).await.headers), ("", ""), "{path}");
    }
}

// --- Connection errors ---

/// A request for each of Node's numbers.
const REFUSED: [(&str, &str, u16, &str); 6] = [
    ("GET", "EIO=4&transport=pigeon", 400, r#"{"code":0,"message":"Transport unknown"}"#),
    (
        "GET",
        "EIO=4&transport=polling&sid=nobody",
        400,
        r#"{"code":1,"message":"Session ID unknown"}"#,
    ),
    (
        "POST",
        "EIO=4&transport=polling",
        400,
        r#"{"code":2,"message":"Bad handshake method"}"#,
    ),
    ("GET", "EIO=4&transport=websocket", 400, r#"{"code":3,"message":"Bad request"}"#),
    (
        "GET",
        "EIO=4&transport=polling&refuse=1",
        403,
        r#"{"code":4,"message":"Forbidden"}"#,
    ),
    (
        "GET",
        "EIO=2&transport=polling",
        400,
        r#"{"code":5,"message":"Unsupported protocol version"}"#,
    ),
];

#[tokio::test]
async fn the_six_refusals_have_nodes_numbers_in_their_answers_and_in_the_list() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    assert_eq!(http::get(&server, "/connection-errors").await.text(), "[]");
    for (method, query, status, body) in REFUSED {
        let path = format!("/socket.io/?{query}");
        let answer = http::send(&server, method, &path, &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, body));
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(marks(&answer.headers), ("1", ""), "{query}");
    }
    let list = http::get(&server, "/connection-errors").await;
    let all: Vec<_> = REFUSED.iter().map(|(.., body)| *body).collect();
    assert_eq!(list.text(), format!("[{}]", all.join(",")));
}

#[tokio::test]
async fn the_last_hundred_refusals_are_listed_oldest_first() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let refuse = async |(method, query, ..): (&str, &str, u16, &str), count: usize| {
        for _ in 0..count {
            http::send(&server, method, &format!("/socket.io/?{query}"), &[], "").await;
        }
    };
    refuse(REFUSED[5], 1).await;
    refuse(REFUSED[0], 99).await;
    let list = http::get(&server, "/connection-errors").await.json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["code"]), (100, &json!(5)));
    refuse(REFUSED[4], 1).await;
    let list = http::get(&server, "/connection-errors").await.json();
    let list = list.as_array().unwrap();
    assert_eq!(
        (list.len(), &list[0]["code"], &list[99]["code"]),
        (100, &json!(0), &json!(4))
    );
}

#[tokio::test]
async fn answers_that_are_no_refusals_are_not_listed() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    http::get(&server, "/nowhere").await;
    let client = Polling::open(&server).await;
    client.post(&server, "40").await;
    client.packet(&server, "44").await;
    let too_large = "x".repeat(1_000_001);
    assert_eq!(client.post(&server, &too_large).await.status, 413);
    assert_eq!(http::get(&server, "/connection-errors").await.text(), "[]");
}

#[tokio::test]
async fn a_long_poll_is_passed_on_while_it_waits_and_a_large_file_whole() {
    let server = Server::start(CHAPTER).await;
    assert_eq!(marks(&http::get(&server, POLLING).await.headers), ("1", "new"));
    let map = http::get(&server, "/socket.io/socket.io.js.map").await;
    assert_eq!(map.status, 200, "{}", map.text());
    assert!(map.body.len() > 300_000, "{}", map.body.len());
    let client = Polling::open(&server).await;
    client.post(&server, r#"40{"token":"guest-token"}"#).await;
    client.packet(&server, "42").await;
    // Too long for any limit on bodies but the engine's own.
    let event = "y".repeat(400_000);
    client.post(&server, &format!(r#"42["{event}"]"#)).await;
    let rejected = client.packet(&server, r#"42["rejected""#).await;
    assert!(rejected.contains(&event) && rejected.len() > 400_000, "{}", rejected.len());
}

// --- What is kept: the checks, the clients, the limits ---

#[tokio::test]
async fn a_cookie_is_no_token_and_a_token_is_no_cookie() {
    let server = Server::start(CHAPTER).await;
    let cookie = cookie(&server).await;
    let mut client = SocketIo::open_with(&server, "", &[("cookie", &cookie)]).await;
    let refused = client.join("/", None).await;
    assert_eq!(refused, Err(json!({ "message": "invalid" })));
    let refused = client.join("/admin", guest()).await;
    assert_eq!(refused, Err(json!({ "message": "forbidden" })));
    let refused = client.join("/busy", guest()).await.unwrap_err();
    assert!(refused["message"].as_str().unwrap().contains("Please retry later"));
    settle(&mut client).await;
    client.join("/", guest()).await.expect("a guest");
    assert_eq!(client.event("welcome").await, json!([{ "role": "guest" }]));
    client.join("/slow", None).await.expect("let in after a second");
    let answer = client.ask_in("/slow", "whoami", json!([])).await;
    assert_eq!(answer["visitor"], whoami(&server, &cookie).await);
}

/// Opens 200 connections with `padding` more bytes in their handshakes, and returns how much
/// memory that took the server, in KiB for each.
#[cfg(target_os = "linux")]
async fn open_many(server: &Server, padding: usize, open: &mut Vec<SocketIo>) -> u64 {
    const MANY: u64 = 200;
    let padding = "x".repeat(padding);
    let (_, before) = server.held();
    for _ in 0..MANY {
        let mut client =
            SocketIo::open_with(server, "", &[("x-padding", &padding)]).await;
        client.join("/", guest()).await.expect("a guest is let in");
        open.push(client);
    }
    server.held().1.saturating_sub(before) / MANY
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_open_connection_does_not_hold_the_request_that_opened_it() {
    if !support::is_ours("it is about a layer of this program") {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut open = Vec::new();
    let short = open_many(&server, 0, &mut open).await;
    // 60 kB: if it were kept, there would be no doubt about it.
    let long = open_many(&server, 60_000, &mut open).await;
    assert!(long < short + 20, "{short} KiB each, but {long} KiB after a long request");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn thousands_of_connections_and_refusals_leave_nothing_behind() {
    if left_out("thousands of connections") {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let cookie = cookie(&server).await;
    let cycle = async |_| {
        let mut client = connect_with(&server, Some(&cookie)).await;
        client.ask("whoami", json!([])).await;
        client.vanish();
        http::get(&server, &format!("{POLLING}&refuse=1")).await;
    };
    server.keeps_nothing_of(" disconnected ", 1024, cycle).await;
}
