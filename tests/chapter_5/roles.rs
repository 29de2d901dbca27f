//! The promises of step 5.2: roles, checks in an order, what a refused client is told.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    Server,
    effort::left_out,
    http,
    official::{self, Official},
    polling::Polling,
};

use crate::{CHAPTER, admin, bad_auths, connect, guest, open, settle};

const BUSY: &str =
    r#"{"message":"not authorized","data":{"content":"Please retry later"}}"#;
/// How long the check of `/slow` takes.
const SLOW_CHECK: Duration = Duration::from_secs(1);
/// All that the programs of this chapter log.
const LOG: &str = "chapter_5_2=trace,chapter_5_3=trace,chapter_5=trace";

// --- Roles ---

#[tokio::test]
async fn a_client_is_welcomed_by_the_role_of_its_token() {
    let server = Server::start(CHAPTER).await;
    for (auth, role) in [(guest(), "guest"), (admin(), "admin")] {
        let mut client = open(&server).await;
        client.join("/", auth).await.expect("let in");
        let welcome = client.packet("42").await;
        assert_eq!(welcome, format!(r#"42["welcome",{{"role":"{role}"}}]"#));
        let answer = client.ask("role", json!([])).await;
        assert_eq!(answer, json!({ "ok": true, "role": role }));
    }
}

#[tokio::test]
async fn an_auth_that_is_no_object_is_invalid_too() {
    let server = Server::start(CHAPTER).await;
    // One connection each: whether such a packet is worth one is the parser's decision.
    for auth in [r#"["guest-token"]"#, r#"[{"token":"guest-token"}]"#] {
        let mut client = open(&server).await;
        let answer = client.join("/", Some(auth.parse().unwrap())).await;
        assert_eq!(answer, Err(json!({ "message": "invalid" })), "{auth}");
    }
}

#[tokio::test]
async fn a_role_is_what_the_checks_found_out_and_not_what_a_client_says() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    let auth = json!({ "token": "guest-token", "role": "admin" });
    client.join("/", Some(auth)).await.expect("a guest");
    let answer = client.ask("role", json!([{ "role": "admin" }])).await;
    assert_eq!(answer["role"], "guest");
}

// --- The order of checks ---

/// The lines of the log that a check has written: its number and what it found. Quotes and
/// capitals say what type a value has, and that is no promise.
fn checks(server: &Server) -> Vec<String> {
    let log = server.log();
    let lines = log.lines().filter_map(|line| line.split_once(" chapter_5"));
    lines
        .filter_map(|(_, line)| line.split_once(": "))
        .map(|(_, line)| line.to_lowercase().replace('"', ""))
        .filter(|line| line.contains("check="))
        .collect()
}

#[tokio::test]
async fn the_check_for_a_token_runs_before_the_check_for_a_known_one() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    connect(&server).await;
    server.logged("check=2", 1).await;
    assert_eq!(checks(&server), ["a token check=1", "a known token check=2 role=guest"]);
}

#[tokio::test]
async fn the_chain_stops_at_the_first_error() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = open(&server).await;
    client.join("/", None).await.expect_err("no token");
    settle(&mut client).await;
    client.join("/", Some(json!({ "token": "guessed" }))).await.expect_err("unknown");
    settle(&mut client).await;
    client.join("/", guest()).await.expect("a guest");
    server.logged(" connected ", 1).await;
    assert_eq!(
        checks(&server),
        [
            "no token check=1",
            "a token check=1",
            "an unknown token check=2",
            "a token check=1",
            "a known token check=2 role=guest",
        ]
    );
}

#[tokio::test]
async fn a_client_that_was_refused_is_neither_connected_nor_disconnected() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut refused = open(&server).await;
    refused.join("/", None).await.expect_err("no token");
    refused.join("/admin", guest()).await.expect_err("no admin");
    refused.join("/busy", admin()).await.expect_err("always");
    refused.hang_up().await;
    // Somebody who came later was let in, and has left.
    connect(&server).await.hang_up().await;
    server.logged(" disconnected ", 1).await;
    assert_eq!(server.log().matches(" connected ").count(), 1);
    assert_eq!(server.log().matches(" disconnected ").count(), 1);
}

#[tokio::test]
async fn no_token_ever_reaches_the_log() {
    let Some(server) = Server::own_with(CHAPTER, &[("RUST_LOG", LOG)]).await else {
        return;
    };
    let mut client = open(&server).await;
    for namespace in ["/admin", "/busy", "/"] {
        for token in ["guessed-token", "guest-token"] {
            client.join(namespace, Some(json!({ "token": token }))).await.ok();
            settle(&mut client).await;
        }
    }
    server.logged(" connected ", 1).await;
    assert!(!server.log().contains("-token"), "a token in the log");
}

// --- The other namespaces ---

#[tokio::test]
async fn admin_is_forbidden_to_everybody_but_the_admin() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    for auth in bad_auths().into_iter().chain([guest()]) {
        let answer = client.join("/admin", auth.clone()).await;
        assert_eq!(answer, Err(json!({ "message": "forbidden" })), "{auth:?}");
        settle(&mut client).await;
    }
    client.join("/admin", admin()).await.expect("the admin");
    let welcome = client.event_in("/admin", "welcome").await;
    assert_eq!(welcome, json!([{ "role": "admin" }]));
}

#[tokio::test]
async fn a_namespace_knows_nothing_of_what_another_one_found_out() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    client.join("/", admin()).await.expect("the admin");
    let answer = client.join("/admin", None).await;
    assert_eq!(answer, Err(json!({ "message": "forbidden" })));
    settle(&mut client).await;
    client.join("/admin", admin()).await.expect("with the token again");
    let mut guest_and_admin = connect(&server).await;
    guest_and_admin.join("/admin", admin()).await.expect("the admin");
    for (namespace, role) in [("/", "guest"), ("/admin", "admin")] {
        let answer = guest_and_admin.ask_in(namespace, "role", json!([])).await;
        assert_eq!(answer["role"], role);
    }
}

#[tokio::test]
async fn busy_refuses_everybody_with_json_in_its_message() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    for auth in [None, guest(), admin()] {
        let answer = client.join("/busy", auth).await.expect_err("always");
        assert_eq!(answer, json!({ "message": BUSY }));
        let text = answer["message"].as_str().unwrap();
        let inner: Value = serde_json::from_str(text).unwrap();
        assert_eq!(inner["message"], "not authorized");
        assert_eq!(inner["data"], json!({ "content": "Please retry later" }));
        settle(&mut client).await;
    }
}

#[tokio::test]
async fn the_official_client_finds_json_in_the_message_of_busy_and_no_data() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for (namespace, message) in [("/admin", "forbidden"), ("/busy", BUSY)] {
        let mut client = Official::start(&server, 4, namespace, json!({})).await;
        let error = client.on("connect_error").await;
        assert_eq!(error["message"], message);
        assert_eq!(error.get("data"), None);
    }
}

// --- The slow check ---

#[tokio::test]
async fn slow_takes_a_second_and_holds_up_nobody_else() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    let began = std::time::Instant::now();
    client.send("40/slow,").await;
    client.join("/", guest()).await.expect("let in while /slow is thinking");
    // What came after the question for /slow has been answered before it.
    let early = client.so_far("role", json!([])).await;
    assert!(!early.iter().any(|packet| packet.starts_with("40/slow")), "{early:?}");
    client.packet("40/slow,").await;
    assert!(began.elapsed().as_millis() >= 950, "{:?}", began.elapsed());
    let welcome = client.event_in("/slow", "welcome").await;
    assert_eq!(welcome, json!([{ "role": "guest" }]));
}

/// A way to leave.
#[derive(Clone, Copy)]
enum Leaving {
    /// With the close frame of the WebSocket.
    Close,
    /// The TCP connection ends without a word.
    Vanish,
    /// With the close packet of the engine, by polling.
    Poll,
}

/// Asks for `/slow`, leaves, and waits until the server has ended the session. Returns how long
/// all of that took: the check has not ended in less than `SLOW_CHECK`.
async fn ask_and_leave(server: &Server, leaving: Leaving) -> Duration {
    if let Leaving::Poll = leaving {
        let client = Polling::open(server).await;
        let began = Instant::now();
        client.post(server, "40/slow,").await;
        client.post(server, "1").await;
        session_ends(server, &client.sid).await;
        return began.elapsed();
    }
    let mut client = open(server).await;
    let sid = client.open["sid"].as_str().expect("a session has an id").to_owned();
    let began = Instant::now();
    client.send("40/slow,").await;
    // Packets are read in order: with this answer, the other question was read too.
    client.join("/nowhere", None).await.expect_err("unknown");
    match leaving {
        Leaving::Close => client.hang_up().await,
        Leaving::Vanish | Leaving::Poll => client.vanish(),
    }
    session_ends(server, &sid).await;
    began.elapsed()
}

/// Waits until the engine does not know the session any more: Node's code 1.
async fn session_ends(server: &Server, sid: &str) {
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    support::within("the end of the session", async {
        loop {
            let answer = http::get(server, &path).await;
            if answer.status == 400 && answer.text().contains("Session ID unknown") {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_leaves_during_the_slow_check_never_reaches_the_connect_handler() {
    for _ in 0..10 {
        let Some(server) = Server::own(CHAPTER).await else { return };
        let mut longest = Duration::ZERO;
        for leaving in [Leaving::Close, Leaving::Vanish, Leaving::Poll] {
            longest = longest.max(ask_and_leave(&server, leaving).await);
        }
        // The checks of those who left end, and then the check of a client that stays.
        let mut patient = open(&server).await;
        patient.join("/slow", None).await.expect("let in");
        patient.event_in("/slow", "welcome").await;
        server.logged(" connected ", 1).await;
        // A client that may have left after its check proves nothing. All others prove all.
        if longest < SLOW_CHECK {
            assert_eq!(server.log().matches(" connected ").count(), 1);
            assert_eq!(server.log().matches(" disconnected ").count(), 0);
            return;
        }
    }
    panic!("ten times, the server took a second to notice that a client had left");
}

#[tokio::test]
async fn who_asks_twice_while_being_checked_is_checked_once() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = open(&server).await;
    for _ in 0..100 {
        client.send("40/slow,").await;
    }
    client.packet("40/slow,").await;
    client.event_in("/slow", "welcome").await;
    let answer = client.ask_in("/slow", "role", json!([])).await;
    assert_eq!(answer, json!({ "ok": true, "role": "guest" }));
    assert_eq!(server.log().matches("a slow check begins").count(), 1);
}

// --- Events ---

#[tokio::test]
async fn a_client_that_leaves_and_comes_back_at_once_is_let_in() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    for _ in 0..20 {
        // Some conversation first: a connection that is just being made is not left yet.
        for _ in 0..20 {
            assert_eq!(client.ask("role", json!([])).await["role"], "guest");
        }
        client.send("41").await;
        client.join("/", guest()).await.expect("let in again");
    }
}

#[tokio::test]
async fn a_bad_event_is_refused_and_the_socket_lives_on() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let error = "there is no such event";
    for event in
        ["noSuchEvent", "Role", "", "__proto__", "constructor", "welcome", "rejected"]
    {
        let answer = client.ask(event, json!([])).await;
        assert_eq!(answer, json!({ "ok": false, "error": error }), "{event}");
        client.emit(event, json!([{ "any": "thing" }])).await;
        let rejected = client.event("rejected").await;
        assert_eq!(rejected, json!([{ "event": event, "error": error }]));
    }
    client.send(r#"451-["bytes",{"_placeholder":true,"num":0}]"#).await;
    client.send_binary(&[1, 2, 3]).await;
    assert_eq!(client.event("rejected").await[0]["event"], "bytes");
    assert_eq!(client.ask("role", json!(["ignored"])).await["role"], "guest");
}

// --- The end ---

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_ends_with_0_even_while_it_checks_a_client() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let mut waiting = open(&server).await;
    waiting.send("40/slow,").await;
    server.logged("a slow check begins", 1).await;
    let mut client = connect(&server).await;
    server.signal("TERM").await;
    client.closed().await;
    assert_eq!(server.exit().await.code(), Some(0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn thousands_of_refusals_leave_memory_and_descriptors_where_they_were() {
    if left_out("thousands of refusals") {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let cycle = async |_| {
        let mut client = open(&server).await;
        client.join("/admin", guest()).await.expect_err("no admin");
        client.join("/busy", admin()).await.expect_err("always");
        client.join("/", guest()).await.expect("let in at last");
        client.vanish();
    };
    server.keeps_nothing_of(" disconnected ", 1024, cycle).await;
}
