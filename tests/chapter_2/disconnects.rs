//! Step 2.4: why a client left, who it is, and how the server stops.

use std::time::{Duration, SystemTime};

use serde_json::json;
use support::{
    Server,
    effort::{deadline, left_out, takes_too_long, times},
    official::{self, Official},
    polling::Polling,
    socket_io::SocketIo,
    within,
    ws::{self, RawWebSocket},
};
use tokio::io::AsyncWriteExt;

use crate::CHAPTER;

// --- Why a client left ---

/// Connects, and returns what the log and the departures call this client.
async fn join(server: &Server) -> (SocketIo, String) {
    let mut client = SocketIo::open(server, "").await;
    let answer = client.join("/", None).await.expect("everybody is let in");
    (client, name(&answer))
}

fn name(answer: &serde_json::Value) -> String {
    answer["sid"].as_str().expect("a string")[..6].to_owned()
}

/// Why the client `id` left, as another client learns it.
async fn reason(server: &Server, id: &str) -> String {
    let mut watcher = SocketIo::connect(server).await;
    within("the departure", async {
        loop {
            let answer = watcher.ask("departures", json!([])).await;
            let Some(all) = answer["departures"].as_array() else {
                panic!("no departures: {answer}");
            };
            if let Some(departure) = all.iter().find(|departure| departure["id"] == id) {
                return departure["reason"].as_str().expect("a string").to_owned();
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_client_that_leaves_the_namespace_has_its_reason() {
    let server = Server::start(CHAPTER).await;
    let (mut client, id) = join(&server).await;
    client.send("41").await;
    assert_eq!(reason(&server, &id).await, "client namespace disconnect");
}

#[tokio::test]
async fn a_client_that_the_server_disconnects_is_told_and_has_its_reason() {
    let server = Server::start(CHAPTER).await;
    let (mut client, id) = join(&server).await;
    client.send(r#"425["goodbye"]"#).await;
    assert_eq!(client.packet("435").await, r#"435[{"ok":true}]"#);
    assert_eq!(client.packet("41").await, "41");
    assert_eq!(reason(&server, &id).await, "server namespace disconnect");
}

#[tokio::test]
async fn a_connection_that_is_closed_has_its_reason() {
    let server = Server::start(CHAPTER).await;
    let (client, id) = join(&server).await;
    client.hang_up().await;
    assert_eq!(reason(&server, &id).await, "transport close");
}

#[tokio::test]
async fn a_connection_that_breaks_has_its_reason() {
    let server = Server::start(CHAPTER).await;
    let (client, id) = join(&server).await;
    client.vanish();
    assert_eq!(reason(&server, &id).await, "transport error");
}

#[tokio::test]
async fn a_packet_that_makes_no_sense_is_a_reason() {
    let server = Server::start(CHAPTER).await;
    let (mut client, id) = join(&server).await;
    client.send("42[").await;
    client.closed().await;
    assert_eq!(reason(&server, &id).await, "parse error");
}

#[tokio::test]
async fn two_polls_at_once_are_a_reason() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::open(&server).await;
    client.post(&server, "40").await;
    let answer = client.packet(&server, "40").await;
    let id = name(&serde_json::from_str(&answer[2..]).expect("JSON"));
    // One that is answered before the other comes does not count.
    within("two polls that meet", async {
        loop {
            let (one, two) =
                tokio::join!(client.try_get(&server), client.try_get(&server));
            if ![one, two].into_iter().all(|poll| poll.is_ok_and(|it| it.status == 200)) {
                break;
            }
        }
    })
    .await;
    assert_eq!(reason(&server, &id).await, "two polls at once");
}

#[tokio::test]
async fn a_client_that_never_answers_a_ping_is_dropped_and_has_its_reason() {
    let time_out = Duration::from_secs(20);
    if takes_too_long(time_out) {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let client = Polling::open(&server).await;
    client.post(&server, "40").await;
    // The first ping leaves with the handshake, and 20 seconds are left for the pong.
    server.logged_within(time_out + deadline(), "ping timeout", 1).await;
    assert_eq!(client.post(&server, "3").await.status, 400, "the session is gone");
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_is_the_reason_of_everybody_who_is_still_there() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let (mut one, first) = join(&server).await;
    let (mut two, second) = join(&server).await;
    server.signal("TERM").await;
    one.closed().await;
    two.closed().await;
    assert_eq!(server.exit().await.code(), Some(0));
    server.logged("server shutting down", 2).await;
    let log = server.log();
    for id in [first, second] {
        let gone = |line: &&str| line.contains("disconnected") && line.contains(&id);
        assert_eq!(log.lines().filter(gone).count(), 1, "{log}");
    }
}

#[tokio::test]
async fn the_official_client_is_told_who_ended_the_connection() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut client = Official::connect(&server, 4).await;
    client.event("hello").await;
    client.ask("goodbye", json!([])).await;
    assert_eq!(client.on("disconnect").await["reason"], "io server disconnect");
    client.reconnect().await;
    client.event("hello").await;
    client.disconnect().await;
    assert_eq!(client.on("disconnect").await["reason"], "io client disconnect");
}

#[tokio::test]
async fn a_client_that_leaves_and_comes_back_at_once_is_answered() {
    let server = Server::start(CHAPTER).await;
    for _ in 0..times(4000) {
        let mut client = SocketIo::connect(&server).await;
        // The library ignores a second `40` while it is still busy with the first one. When
        // the connect handler has spoken, it is not.
        client.event("hello").await;
        client.send("41").await;
        client.join("/", None).await.expect("let in again");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn thousands_of_connections_leave_tasks_memory_and_descriptors_where_they_were() {
    if left_out("thousands of connections") {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    // A task that did not end holds ten kilobytes.
    let cycle = async |n: usize| {
        let mut client = SocketIo::connect(&server).await;
        match n % 3 {
            0 => client.send("41").await,
            1 => client.send("1").await,
            _ => {}
        }
        client.vanish();
    };
    server.keeps_nothing_of(" disconnected ", 1024, cycle).await;
}

// --- The handshake ---

#[tokio::test]
async fn a_client_reads_back_what_its_first_request_said() {
    let server = Server::start(CHAPTER).await;
    let now = || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.expect("after 1970").as_millis()
    };
    let before = now();
    let headers = [("user-agent", "a test"), ("cookie", "visitor=secret")];
    let mut client = SocketIo::open_with(&server, "&name=Ada%20L", &headers).await;
    client.join("/", None).await.expect("everybody is let in");
    let answer = client.ask("handshake", json!([])).await;
    let handshake = &answer["handshake"];
    assert_eq!(handshake["query"]["name"], "Ada L", "{answer}");
    assert_eq!(handshake["query"]["transport"], "websocket");
    assert_eq!(handshake["headers"]["user-agent"], "a test");
    assert!(handshake["address"].as_str().is_some_and(|it| it.starts_with("127.0.0.1:")));
    let issued = handshake["issued"].as_u64().map(u128::from);
    assert!(issued.is_some_and(|it| (before..=now()).contains(&it)), "{answer}");
    assert!(!answer.to_string().contains("secret"), "a cookie is no script's business");
}

#[tokio::test]
async fn the_handshake_remembers_polling_after_the_upgrade() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut client = Official::connect(&server, 4).await;
    client.on("upgrade").await;
    let answer = client.ask("handshake", json!([])).await;
    assert_eq!(answer[0]["handshake"]["query"]["transport"], "polling");
}

// --- Stopping and starting ---

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_is_a_transport_close_and_clients_come_back_by_themselves() {
    if official::skip() {
        return;
    }
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let mut clients = Vec::new();
    for &(version, transports) in official::ways() {
        let options = json!({ "transports": transports });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        client.event("hello").await;
        // Who is in the middle of it when the server stops may call it an error.
        if transports == ["polling", "websocket"] {
            client.on("upgrade").await;
        }
        clients.push((client, version, transports));
    }
    server.signal("TERM").await;
    assert_eq!(server.exit().await.code(), Some(0));
    for (client, version, transports) in &mut clients {
        let reason = client.on("disconnect").await;
        assert_eq!(reason["reason"], "transport close", "{version} {transports:?}");
    }
    let _again = Server::own_with(CHAPTER, &[("PORT", &port)]).await;
    for (client, ..) in &mut clients {
        client.event("hello").await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_does_not_wait_for_a_client_that_no_longer_reads() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let mut stuck =
        RawWebSocket::open(&server, "/socket.io/?EIO=4&transport=websocket").await;
    stuck.write_frame(0x81, b"40").await;
    within("the connection to /", async {
        while !stuck.frame().await.unwrap().payload.starts_with(b"42") {}
    })
    .await;
    let question = format!(r#"420["{}"]"#, "x".repeat(1000));
    let question = ws::frame(0x81, true, question.as_bytes()).repeat(100);
    // Every one is rejected, and nobody reads the rejections: thirty megabytes of them, more
    // than the connection itself can hold, and in a longer run a hundred.
    for _ in 0..times(10_000).max(300) {
        within("room to write", stuck.tcp.write_all(&question)).await.unwrap();
    }
    server.signal("TERM").await;
    assert_eq!(server.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_taken_port_or_a_bad_setting_is_one_clear_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    for (name, value) in
        [("PORT", taken.as_str()), ("PORT", "http"), ("HOST", "192.0.2.1")]
    {
        let Some((code, output, errors)) =
            Server::refused(CHAPTER, &[(name, value)]).await
        else {
            return;
        };
        assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
        assert_eq!(errors.lines().count(), 1, "one sentence: {errors}");
        assert!(errors.contains(value), "{errors}");
    }
}
