//! The promises of chapter 3, over the wire.

use serde_json::{Value, json};
use support::{
    Server,
    effort::{left_out, some_of, times},
    http,
    official::{self, Official},
    own_digits, own_name,
    polling::Polling,
    proxy::Proxy,
    record::transcript,
    socket_io::SocketIo,
    within,
};

// What other programs promise too.
#[path = "promises/connections.rs"]
mod connections;
#[path = "promises/crooked.rs"]
mod crooked;
#[path = "promises/page.rs"]
mod page;
#[path = "promises/random.rs"]
mod random;

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-3");

/// The namespaces, with the event that greets in each.
const NAMESPACES: [(&str, &str, &str); 5] = [
    ("/", "hi", "everyone"),
    ("/room", "newRoom", "a room"),
    ("/chat", "join", "joined"),
    ("/system", "message", "Notice !"),
    ("/dynamic-7", "hi", "/dynamic-7"),
];

// What the shared promises have to know.
const AUTH: &str = "";
const UNKNOWN: [&str; 5] =
    ["/nowhere", "/room", "/chat", "/dynamic-7", "/socket.io/nothing.js"];

async fn connect(server: &Server) -> SocketIo {
    SocketIo::connect(server).await
}

fn question() -> (&'static str, Value) {
    ("whereAmI", json!([]))
}

/// A dynamic namespace that no other test enters.
fn own_dynamic() -> String {
    format!("/dynamic-{}", own_digits())
}

/// The packet that brings an event with one text to a client.
fn packet(namespace: &str, event: &str, text: &str) -> String {
    let namespace =
        if namespace == "/" { String::new() } else { format!("{namespace},") };
    format!("42{namespace}{}", json!([event, text]))
}

/// Without the notices of other tests, which may share the server with this one.
fn without_notices(mut packets: Vec<String>) -> Vec<String> {
    packets.retain(|packet| !packet.contains(r#"["message","notice-"#));
    packets
}

/// Waits until there is no such namespace.
async fn gone(server: &Server, namespace: &str) {
    within("the end of the namespace", async {
        while notice(server, namespace, &own_name("notice")).await != 404 {}
    })
    .await;
}

/// Enters a hundred dynamic namespaces that begin with `start`, as soon as there is room.
async fn take_all(server: &Server, start: &str) -> SocketIo {
    let mut client = SocketIo::connect(server).await;
    for id in 0..100 {
        enter_when_free(&mut client, &format!("{start}{id:02}")).await;
    }
    client
}

/// Leaves them, and waits until they are free.
async fn free_all(server: &Server, start: &str, client: SocketIo) {
    client.hang_up().await;
    all_gone(server, start).await;
}

async fn all_gone(server: &Server, start: &str) {
    for id in 0..100 {
        gone(server, &format!("{start}{id:02}")).await;
    }
}

async fn enter_when_free(client: &mut SocketIo, namespace: &str) {
    within("room for a namespace", async {
        while client.join(namespace, None).await.is_err() {}
    })
    .await;
}

/// A server with no dynamic namespace and no other client.
async fn alone() -> Server {
    let server = Server::alone(CHAPTER).await;
    let client = take_all(&server, "/dynamic-9000000").await;
    free_all(&server, "/dynamic-9000000", client).await;
    server
}

/// Sends a notice and returns the status.
async fn notice(server: &Server, namespace: &str, message: &str) -> u16 {
    let body = json!({ "namespace": namespace, "message": message }).to_string();
    post_notice(server, &body).await
}

async fn post_notice(server: &Server, body: &str) -> u16 {
    let headers = [("content-type", "application/json")];
    http::send(server, "POST", "/notice", &headers, body.to_owned()).await.status.as_u16()
}

// --- Namespaces ---

#[tokio::test]
async fn every_namespace_greets_with_its_own_event_and_nothing_else() {
    let server = Server::start(CHAPTER).await;
    for (namespace, event, text) in NAMESPACES {
        let mut client = SocketIo::open(&server, "").await;
        client.join(namespace, None).await.unwrap();
        client.packet(&packet(namespace, event, text)).await;
        let place = client.ask_in(namespace, "whereAmI", json!([])).await;
        assert_eq!(place, json!({ "ok": true, "namespace": namespace }));
        let rest = client.so_far_in(namespace, "whereAmI").await;
        assert_eq!(without_notices(rest), [""; 0], "{namespace}");
    }
}

#[tokio::test]
async fn one_connection_carries_all_namespaces_and_each_event_stays_in_its_own() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::open(&server, "").await;
    for (namespace, ..) in NAMESPACES {
        client.join(namespace, None).await.unwrap();
    }
    for (namespace, event, text) in NAMESPACES {
        client.packet(&packet(namespace, event, text)).await;
        let place = client.ask_in(namespace, "whereAmI", json!([])).await;
        assert_eq!(place["namespace"], namespace);
    }
    let rest = client.so_far_in("/", "whereAmI").await;
    assert_eq!(without_notices(rest), [""; 0]);
}

#[tokio::test]
async fn the_namespace_stands_in_every_packet_but_those_of_the_first() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::open(&server, "").await;
    let mut record = Vec::new();
    for (what, packet, answers) in [
        ("the namespace / has no name on the wire", "40", &["40{", "42["][..]),
        ("a second one, over the same connection", "40/chat,", &["40/chat,", "42/chat,"]),
        ("a question in it", r#"42/chat,7["whereAmI"]"#, &["43/chat,7"]),
        ("one that does not exist", "40/nowhere,", &["44/nowhere,"]),
        ("a dynamic one", "40/dynamic-7,", &["40/dynamic-7,", "42/dynamic-7,"]),
        ("leaving one: no answer, and the others stay", "41/chat,", &[]),
        ("still there", r#"428["whereAmI"]"#, &["438"]),
    ] {
        record.extend([format!("# {what}"), format!("> {packet}")]);
        client.send(packet).await;
        for answer in answers {
            let answer = client.packet(answer).await;
            let sid = client.open["sid"].as_str().unwrap();
            record.push(format!("< {}", answer.replace(sid, "<sid>")));
        }
    }
    transcript("chapter-3", "namespaces", &record.join("\n"));
}

#[tokio::test]
async fn a_client_in_one_namespace_hears_nothing_of_the_others() {
    let server = Server::start(CHAPTER).await;
    let mut only_chat = SocketIo::open(&server, "").await;
    only_chat.join("/chat", None).await.unwrap();
    only_chat.event_in("/chat", "join").await;
    // Somebody has to be there: a dynamic namespace does not exist without.
    let mut other = SocketIo::open(&server, "").await;
    other.join("/dynamic-7", None).await.unwrap();
    for (namespace, ..) in NAMESPACES {
        if namespace != "/chat" {
            let text = own_name("notice-elsewhere");
            assert_eq!(notice(&server, namespace, &text).await, 204);
        }
    }
    let text = own_name("notice");
    assert_eq!(notice(&server, "/chat", &text).await, 204);
    let heard = only_chat.before(&packet("/chat", "message", &text)).await;
    assert!(heard.iter().all(|packet| packet.starts_with("42/chat,")), "{heard:?}");
    assert!(!heard.iter().any(|packet| packet.contains("elsewhere")), "{heard:?}");
    assert_eq!(without_notices(heard), [""; 0]);
}

#[tokio::test]
async fn the_official_client_uses_one_connection_for_all_namespaces() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &version in some_of(&[4, 3], 1) {
        let proxy = Proxy::start(&server).await;
        let options = json!({ "transports": ["websocket"] });
        let mut client =
            Official::connect_with(&proxy.server(), version, "/", options).await;
        for (namespace, event, text) in NAMESPACES {
            if namespace != "/" {
                assert_eq!(client.join(namespace).await["on"], "connect", "{namespace}");
            }
            assert_eq!(client.event_in(namespace, event).await, json!([text]));
            let answer = client.ask_in(namespace, "whereAmI", json!([])).await;
            assert_eq!(answer[0]["namespace"], namespace, "{version}");
        }
        assert_eq!(proxy.connections(), 1, "version {version}");
    }
}

#[tokio::test]
async fn every_official_client_enters_a_namespace_on_every_transport() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &(version, transports) in official::ways() {
        let way = format!("version {version} by {}", transports.join(" then "));
        let options = json!({ "transports": transports });
        let mut client = Official::connect_with(&server, version, "/room", options).await;
        assert_eq!(client.event("newRoom").await, json!(["a room"]), "{way}");
        let answer = client.ask("whereAmI", json!([])).await;
        assert_eq!(answer, json!([{ "ok": true, "namespace": "/room" }]), "{way}");
    }
}

#[tokio::test]
async fn leaving_one_namespace_keeps_the_others_and_the_connection() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut client = Official::connect(&server, 4).await;
    client.join("/chat").await;
    let dynamic = own_dynamic();
    client.join(&dynamic).await;
    client.leave("/chat").await;
    assert_eq!(client.on("disconnect").await["nsp"], "/chat");
    for namespace in ["/", &dynamic] {
        let answer = client.ask_in(namespace, "whereAmI", json!([])).await;
        assert_eq!(answer[0]["namespace"], namespace);
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_namespace_and_comes_back_at_once_is_let_in() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut client = Official::connect(&server, 4).await;
    client.join("/chat").await;
    let dynamic = own_dynamic();
    client.join(&dynamic).await;
    for _ in 0..times(500) {
        for namespace in ["/chat", &dynamic] {
            client.leave(namespace).await;
            assert_eq!(client.join(namespace).await["on"], "connect", "{namespace}");
            let answer = client.ask_in(namespace, "whereAmI", json!([])).await;
            assert_eq!(answer[0]["namespace"], namespace);
        }
    }
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_others_are_unharmed() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    client.join("/room", None).await.unwrap();
    for unknown in ["/nowhere", "/Room", "/rooms", "/room/1", "/chat/", "/ room"] {
        let error = client.join(unknown, None).await.unwrap_err();
        assert_eq!(error, json!({ "message": "Invalid namespace" }), "{unknown}");
    }
    for namespace in ["/", "/room"] {
        let place = client.ask_in(namespace, "whereAmI", json!([])).await;
        assert_eq!(place["namespace"], namespace);
    }
}

#[tokio::test]
async fn the_official_client_learns_of_an_unknown_namespace_by_connect_error() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &version in some_of(&[4, 3], 1) {
        let mut client = Official::connect(&server, version).await;
        for namespace in ["/nowhere", "/dynamic-x"] {
            let refused = client.join(namespace).await;
            assert_eq!(refused["on"], "connect_error", "{version}");
            assert_eq!(refused["message"], "Invalid namespace", "{version}");
        }
        assert_eq!(client.ask("whereAmI", json!([])).await[0]["namespace"], "/");
    }
}

// --- Notices ---

#[tokio::test]
async fn a_notice_reaches_everybody_in_its_namespace() {
    let server = Server::start(CHAPTER).await;
    for (namespace, greeting, _) in NAMESPACES {
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = SocketIo::open(&server, "").await;
            client.join(namespace, None).await.unwrap();
            client.event_in(namespace, greeting).await;
            clients.push(client);
        }
        let text = format!("{} <b>lunch</b> 🍜", own_name("notice"));
        assert_eq!(notice(&server, namespace, &text).await, 204);
        for client in &mut clients {
            client.packet(&packet(namespace, "message", &text)).await;
        }
    }
}

#[tokio::test]
async fn a_notice_to_all_dynamic_namespaces_reaches_them_and_no_other() {
    let server = Server::start(CHAPTER).await;
    let (to_nobody, to_you) = (own_name("notice"), own_name("notice"));
    assert_eq!(notice(&server, "/dynamic-*", &to_nobody).await, 204);
    let mut client = SocketIo::open(&server, "").await;
    let dynamic = ["/dynamic-1", "/dynamic-22", &own_dynamic()];
    for namespace in ["/", "/room", "/chat", "/system"].into_iter().chain(dynamic) {
        client.join(namespace, None).await.unwrap();
        client.ask_in(namespace, "whereAmI", json!([])).await;
    }
    assert_eq!(notice(&server, "/dynamic-*", &to_you).await, 204);
    for namespace in dynamic {
        client.packet(&packet(namespace, "message", &to_you)).await;
    }
    let after = own_name("notice");
    assert_eq!(notice(&server, "/", &after).await, 204);
    client.packet(&packet("/", "message", &after)).await;
    let rest = client.so_far_in("/", "whereAmI").await;
    let missed = [&to_you, &to_nobody];
    let wrong = |packet: &String| missed.iter().any(|text| packet.contains(*text));
    assert!(!rest.iter().any(wrong), "{rest:?}");
}

#[tokio::test]
async fn a_notice_to_a_namespace_that_does_not_exist_is_404() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    client.join("/dynamic-x", None).await.unwrap_err();
    let nobody = own_dynamic();
    for unknown in ["/nowhere", "room", "", &nobody, "/dynamic-x", "/dynamic-{id}"] {
        assert_eq!(notice(&server, unknown, "hello?").await, 404, "{unknown}");
    }
}

#[tokio::test]
async fn a_notice_that_is_not_as_it_should_be_is_400_and_nobody_hears_it() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    client.event("hi").await;
    let bad = [
        "",
        "notice",
        "{",
        "[]",
        "7",
        "{}",
        r#"["/","hello"]"#,
        r#"{"namespace":"/"}"#,
        r#"{"message":"hello"}"#,
        r#"{"namespace":7,"message":"hello"}"#,
        r#"{"namespace":"/","message":7}"#,
        r#"{"namespace":"/","message":null}"#,
        r#"{"namespace":["/"],"message":"hello"}"#,
        r#"{"namespace":"/","message":"hello"} and more"#,
    ];
    for body in bad {
        assert_eq!(post_notice(&server, body).await, 400, "{body}");
    }
    // What a form of another site could send.
    let body = json!({ "namespace": "/", "message": "hello" }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let headers = [("content-type", kind)];
        let answer = http::send(&server, "POST", "/notice", &headers, body.clone()).await;
        assert_eq!(answer.status, 400, "{kind}");
    }
    let huge = json!({ "namespace": "/", "message": "x".repeat(3_000_000) }).to_string();
    assert_eq!(post_notice(&server, &huge).await, 413);
    assert_eq!(http::get(&server, "/notice").await.status, 405);
    let good = own_name("notice");
    assert_eq!(notice(&server, "/", &good).await, 204);
    let heard = client.before(&packet("/", "message", &good)).await;
    assert_eq!(without_notices(heard), [""; 0]);
}

// --- Dynamic namespaces ---

#[tokio::test]
async fn a_dynamic_namespace_takes_ids_of_1_to_9_digits_and_no_other() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    for id in ["0", "7", "007", "123456789", "000000000"] {
        let namespace = format!("/dynamic-{id}");
        client.join(&namespace, None).await.unwrap();
        assert_eq!(client.event_in(&namespace, "hi").await, json!([namespace]));
    }
    for id in
        ["", "1234567890", "a", "7a", "-7", "+7", "7.0", " 7", "٧", "{id}", "*", "7/8"]
    {
        let namespace = format!("/dynamic-{id}");
        let error = client.join(&namespace, None).await.unwrap_err();
        assert_eq!(error, json!({ "message": "Invalid namespace" }), "{namespace}");
    }
    let place = client.ask_in("/dynamic-007", "whereAmI", json!([])).await;
    assert_eq!(place["namespace"], "/dynamic-007");
}

#[tokio::test]
async fn the_101st_dynamic_namespace_is_refused_until_another_is_empty() {
    let server = alone().await;
    let mut client = take_all(&server, "/dynamic-").await;
    let mut other = SocketIo::connect(&server).await;
    for id in 100..110 {
        let error = other.join(&format!("/dynamic-{id}"), None).await.unwrap_err();
        assert_eq!(error, json!({ "message": "too many namespaces" }));
    }
    // One that exists has room for everybody.
    other.join("/dynamic-99", None).await.unwrap();
    assert_eq!(notice(&server, "/dynamic-100", "nobody may be here").await, 404);
    client.send("41/dynamic-00,").await;
    enter_when_free(&mut other, "/dynamic-100").await;
    assert_eq!(other.event_in("/dynamic-100", "hi").await, json!(["/dynamic-100"]));
    let error = other.join("/dynamic-101", None).await.unwrap_err();
    assert_eq!(error, json!({ "message": "too many namespaces" }));
    other.hang_up().await;
    gone(&server, "/dynamic-100").await;
    free_all(&server, "/dynamic-", client).await;
}

#[tokio::test]
async fn a_client_may_enter_a_hundred_namespaces_in_one_breath() {
    let server = alone().await;
    for _ in 0..times(50) {
        let mut client = SocketIo::connect(&server).await;
        for id in 0..100 {
            client.send(&format!("40/dynamic-{id:02},")).await;
        }
        for id in 0..100 {
            let name = format!("/dynamic-{id:02}");
            assert_eq!(client.event_in(&name, "hi").await, json!([name]));
        }
    }
    all_gone(&server, "/dynamic-").await;
}

#[tokio::test]
async fn of_many_who_want_the_last_places_at_once_exactly_100_get_one() {
    for round in 0..times(50) {
        let server = alone().await;
        let mut clients = Vec::new();
        for _ in 0..15 {
            clients.push(SocketIo::connect(&server).await);
        }
        let joins = clients.iter_mut().enumerate().map(async |(n, client)| {
            let mut accepted = 0;
            for id in 0..10 {
                let name = format!("/dynamic-{round}{n:02}{id}");
                match client.join(&name, None).await {
                    Ok(_) => accepted += 1,
                    Err(error) => assert_eq!(error["message"], "too many namespaces"),
                }
            }
            accepted
        });
        let accepted: i32 = futures_util::future::join_all(joins).await.into_iter().sum();
        assert_eq!(accepted, 100, "of 150");
        for client in clients {
            client.vanish();
        }
        // Their places are free when they are gone.
        let next = take_all(&server, &format!("/dynamic-9{round}")).await;
        next.vanish();
        let mut last = SocketIo::connect(&server).await;
        enter_when_free(&mut last, "/dynamic-0").await;
        free_all(&server, &format!("/dynamic-9{round}"), last).await;
        gone(&server, "/dynamic-0").await;
    }
}

/// Enters a namespace as a client does that may be told to come again.
async fn enter(client: &mut SocketIo, name: &str) {
    let (greeting, farewell) = (format!("42{name},[\"hi\""), format!("41{name},"));
    within("the greeting of a namespace", async {
        loop {
            client.join(name, None).await.expect("an open namespace");
            let first = client.either(&[&greeting, &farewell]).await;
            if first.starts_with(&greeting) {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn many_who_come_and_go_at_once_all_get_in_and_hear_notices() {
    let server = Server::start(CHAPTER).await;
    for _ in 0..times(200) {
        let name = own_dynamic();
        let guests = (0..20).map(async |_| {
            let mut client = SocketIo::connect(&server).await;
            for _ in 0..10 {
                enter(&mut client, &name).await;
                let place = client.ask_in(&name, "whereAmI", json!([])).await;
                assert_eq!(place["namespace"], name);
                client.send(&format!("41{name},")).await;
            }
            enter(&mut client, &name).await;
            client
        });
        let mut clients = futures_util::future::join_all(guests).await;
        let text = own_name("notice");
        assert_eq!(notice(&server, &name, &text).await, 204);
        for client in &mut clients {
            client.packet(&packet(&name, "message", &text)).await;
        }
    }
}

#[tokio::test]
async fn a_namespace_with_nobody_in_it_is_dropped() {
    let server = Server::start(CHAPTER).await;
    let name = own_dynamic();
    let mut client = SocketIo::connect(&server).await;
    client.join(&name, None).await.unwrap();
    assert_eq!(notice(&server, &name, "hello").await, 204);
    client.send(&format!("41{name},")).await;
    gone(&server, &name).await;
    client.join(&name, None).await.unwrap();
    // Leaves the default namespace only: the others stay.
    client.send("41").await;
    client.ask_in(&name, "whereAmI", json!([])).await;
    assert_eq!(notice(&server, &name, "hello").await, 204);
    client.hang_up().await;
    gone(&server, &name).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_flood_of_dynamic_names_leaves_memory_where_it_was() {
    if left_out("fifteen thousand namespaces") {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    // Refused for their form, refused for their number, and let in for a moment: each name
    // only once.
    let flood = async |round: usize| {
        let mut full = take_all(&server, &format!("/dynamic-9{round}0")).await;
        let mut client = SocketIo::connect(&server).await;
        for n in 0..1000 {
            let long = "y".repeat(100);
            client.join(&format!("/dynamic-{round}x{n}{long}"), None).await.unwrap_err();
            client.join(&format!("/dynamic-5{round}{n:03}"), None).await.unwrap_err();
        }
        full.send(&format!("41/dynamic-9{round}000,")).await;
        for n in 0..1000 {
            let name = format!("/dynamic-8{round}{n:03}");
            enter_when_free(&mut client, &name).await;
            client.send(&format!("41{name},")).await;
        }
    };
    flood(0).await;
    let (_, memory) = server.held();
    for round in 1..5 {
        flood(round).await;
    }
    let (_, after) = server.held();
    // A kilobyte for each of these twelve thousand names would show.
    assert!(after < memory + 4096, "{memory} KiB before, {after} KiB after");
}

// --- Bad events ---

#[tokio::test]
async fn an_unknown_event_is_refused_in_the_namespace_it_was_sent_to() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    for (namespace, greeting, _) in NAMESPACES {
        if namespace != "/" {
            client.join(namespace, None).await.unwrap();
        }
        client.event_in(namespace, greeting).await;
        for event in ["noSuchEvent", "whereami", "", "__proto__", "message", greeting] {
            let args = json!([{ "any": ["thing"] }, 7]);
            let answer = client.ask_in(namespace, event, args.clone()).await;
            assert_eq!(answer["ok"], false, "{namespace} {event}");
            assert!(answer["error"].as_str().is_some_and(|error| error.contains(' ')));
            client.emit_in(namespace, event, args).await;
            let rejected = client.event_in(namespace, "rejected").await;
            assert_eq!(rejected[0]["event"], event, "{rejected}");
        }
        let place = client.ask_in(namespace, "whereAmI", json!([])).await;
        assert_eq!(place["namespace"], namespace);
    }
}

#[tokio::test]
async fn binary_in_an_unknown_event_is_refused_too() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    client.join("/chat", None).await.unwrap();
    client.send(r#"451-/chat,["picture",{"_placeholder":true,"num":0}]"#).await;
    client.send_binary(&[1, 2, 3]).await;
    assert_eq!(client.event_in("/chat", "rejected").await[0]["event"], "picture");
    let place = client.ask_in("/chat", "whereAmI", json!(["an argument too many"])).await;
    assert_eq!(place["namespace"], "/chat");
}

#[tokio::test]
async fn an_event_for_a_namespace_that_the_client_has_left_costs_it_the_connection() {
    let server = Server::start(CHAPTER).await;
    let mut good = SocketIo::connect(&server).await;
    for late in [r#"42/chat,["whereAmI"]"#, r#"42/chat,7["whereAmI"]"#] {
        let mut bad = SocketIo::connect(&server).await;
        bad.join("/chat", None).await.unwrap();
        bad.send("41/chat,").await;
        // The socket is gone when the server has done with it, not when it is told.
        within("the end of the connection", async {
            while bad.try_send(late).await
                && bad.try_ask("whereAmI", json!([])).await.is_some()
            {}
        })
        .await;
        assert_eq!(good.ask("whereAmI", json!([])).await["namespace"], "/");
    }
}

#[tokio::test]
async fn an_event_sent_in_the_very_moment_of_entering_a_namespace_is_not_lost() {
    let server = Server::start(CHAPTER).await;
    let names = [own_dynamic(), own_dynamic(), own_dynamic()];
    for n in 0..times(2000) {
        let name = &names[n % 3];
        let mut client = SocketIo::open(&server, "").await;
        client.join(name, None).await.unwrap();
        let place = client.ask_in(name, "whereAmI", json!([])).await;
        assert_eq!(place["namespace"], *name);
    }
}

// --- What earlier chapters promised ---

#[tokio::test]
async fn a_polling_client_enters_several_namespaces() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::open(&server).await;
    client.post(&server, "40\u{1e}40/room,\u{1e}40/dynamic-5,").await;
    client.packet(&server, "40/room,").await;
    client.post(&server, r#"42/room,0["whereAmI"]"#).await;
    let answer = client.packet(&server, "43/room,0").await;
    assert_eq!(answer, r#"43/room,0[{"ok":true,"namespace":"/room"}]"#);
}

#[cfg(unix)]
#[tokio::test]
async fn after_a_restart_the_official_client_comes_back_to_all_its_namespaces() {
    if official::skip() {
        return;
    }
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let mut client = Official::connect(&server, 4).await;
    for (namespace, greeting, _) in NAMESPACES {
        if namespace != "/" {
            client.join(namespace).await;
        }
        client.event_in(namespace, greeting).await;
    }
    server.signal("TERM").await;
    assert_eq!(server.exit().await.code(), Some(0));
    for _ in NAMESPACES {
        assert_eq!(client.on("disconnect").await["reason"], "transport close");
    }
    let _again = Server::own_with(CHAPTER, &[("PORT", &port)]).await;
    for (namespace, greeting, text) in NAMESPACES {
        assert_eq!(client.event_in(namespace, greeting).await, json!([text]));
    }
}

#[tokio::test]
async fn the_log_tells_which_namespace_was_entered_and_left() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = SocketIo::connect(&server).await;
    client.join("/room", None).await.unwrap();
    client.event_in("/room", "newRoom").await;
    client.send("41/room,").await;
    server.logged(r#" connected namespace="/room""#, 1).await;
    server.logged(r#"disconnected namespace="/room""#, 1).await;
    client.vanish();
    server.logged(r#"disconnected namespace="/""#, 1).await;
    assert!(server.log().contains("transport=Websocket"), "{}", server.log());
}
