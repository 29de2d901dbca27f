//! The promises of chapter 5-1, over the wire.

use serde_json::{Value, json};
use support::{
    Server,
    effort::left_out,
    official::{self, Official},
    polling::Polling,
};

// What other programs promise too.
#[path = "promises/checks.rs"]
mod checks;
#[path = "promises/connections.rs"]
mod connections;
#[path = "promises/crooked.rs"]
mod crooked;
#[path = "promises/page.rs"]
mod page;

use checks::{AUTH, connect, guest, open, question, settle};

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-5-1");
const BUSY: &str =
    r#"{"message":"not authorized","data":{"content":"Please retry later"}}"#;

// What the shared promises have to know.
const UNKNOWN: [&str; 4] = ["/nowhere", "/socket.io/nothing.js", "/admin", "/busy"];

fn admin() -> Option<Value> {
    Some(json!({ "token": "admin-token" }))
}

// --- The token ---

#[tokio::test]
async fn who_brings_a_known_token_is_welcomed_by_role() {
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

/// What clients may send in the place of `{token: "…"}`.
fn bad_auths() -> Vec<Option<Value>> {
    vec![
        None,
        Some(json!({})),
        Some(json!({ "token": null })),
        Some(json!({ "token": 7 })),
        Some(json!({ "token": ["guest-token"] })),
        Some(json!({ "token": { "token": "guest-token" } })),
        Some(json!({ "Token": "guest-token" })),
        Some(json!({ "token": "" })),
        Some(json!({ "token": "guest-toke" })),
        Some(json!({ "token": "guest-token " })),
        Some(json!({ "token": "GUEST-TOKEN" })),
        Some(json!({ "token": "guest-token\u{0}" })),
        Some(json!({ "token": "x".repeat(100_000) })),
    ]
}

#[tokio::test]
async fn no_token_a_wrong_one_or_one_of_the_wrong_shape_is_invalid_and_no_more_is_said() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    for auth in bad_auths() {
        let answer = client.join("/", auth.clone()).await;
        assert_eq!(answer, Err(json!({ "message": "invalid" })), "{auth:?}");
        settle(&mut client).await;
    }
    client.join("/", guest()).await.expect("the connection lives on");
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
async fn a_refused_client_may_ask_again_on_the_same_connection() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    client.join("/", None).await.expect_err("no token");
    settle(&mut client).await;
    client.join("/", guest()).await.expect("a token");
    assert_eq!(client.event("welcome").await, json!([{ "role": "guest" }]));
    assert_eq!(client.ask("role", json!([])).await["role"], "guest");
}

#[tokio::test]
async fn an_event_to_a_namespace_that_refused_ends_the_connection() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    client.join("/", None).await.expect_err("no token");
    client.emit("role", json!([])).await;
    client.closed().await;
}

// --- The chain ---

/// The lines of the log that a check has written, as its number and what it found. Quotes and
/// capitals say what type a value has, and that is no promise.
fn checks(server: &Server) -> Vec<String> {
    let log = server.log();
    let lines = log.lines().filter_map(|line| line.split_once("chapter_5_1: "));
    lines
        .map(|(_, line)| line.to_lowercase().replace('"', ""))
        .filter(|line| line.contains("check="))
        .collect()
}

#[tokio::test]
async fn the_two_checks_run_in_the_order_in_which_they_are_written() {
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
    let Some(server) =
        Server::own_with(CHAPTER, &[("RUST_LOG", "chapter_5_1=trace")]).await
    else {
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
async fn an_unknown_namespace_is_an_invalid_one_whatever_the_token() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    let answer = client.join("/nowhere", admin()).await;
    assert_eq!(answer, Err(json!({ "message": "Invalid namespace" })));
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

#[tokio::test]
async fn a_client_that_leaves_during_the_slow_check_never_reaches_the_connect_handler() {
    // A busy machine may take longer than the check to leave, or to notice that somebody left.
    for _ in 0..10 {
        let Some(server) = Server::own(CHAPTER).await else { return };
        if connected_of_three_who_leave_during_the_check(&server).await == 0 {
            return;
        }
    }
    panic!("those who left were connected, ten times");
}

async fn connected_of_three_who_leave_during_the_check(server: &Server) -> usize {
    let mut polite = open(server).await;
    polite.send("40/slow,").await;
    let mut rude = open(server).await;
    rude.send("40/slow,").await;
    let polling = Polling::open(server).await;
    polling.post(server, "40/slow,").await;
    server.logged("a slow check begins", 3).await;
    polite.hang_up().await;
    rude.vanish();
    polling.post(server, "1").await;
    // Their checks end; then somebody stays to the end of hers.
    let mut patient = open(server).await;
    patient.join("/slow", None).await.expect("let in");
    patient.event_in("/slow", "welcome").await;
    server.logged("a slow check ends", 4).await;
    server.logged(" connected ", 1).await;
    let log = server.log();
    log.matches(" connected ").count() - 1 + log.matches(" disconnected ").count()
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

// --- The official clients ---

#[tokio::test]
async fn the_official_clients_3_and_4_send_their_token_in_auth() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &(version, transports) in official::ways() {
        let options =
            json!({ "transports": transports, "auth": { "token": "admin-token" } });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        let welcome = client.event("welcome").await;
        assert_eq!(welcome, json!([{ "role": "admin" }]), "{version} {transports:?}");
    }
}

#[tokio::test]
async fn the_official_client_gets_a_refusal_as_connect_error_without_data() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for (namespace, message) in
        [("/", "invalid"), ("/admin", "forbidden"), ("/busy", BUSY)]
    {
        let mut client = Official::start(&server, 4, namespace, json!({})).await;
        let error = client.on("connect_error").await;
        assert_eq!(error["message"], message);
        // JSON leaves out what is undefined.
        assert_eq!(error.get("data"), None);
    }
}

// --- Events ---

#[tokio::test]
async fn a_role_is_what_the_checks_found_out_and_not_what_a_client_says() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    let auth = json!({ "token": "guest-token", "role": "admin" });
    client.join("/", Some(auth)).await.expect("a guest");
    let answer = client.ask("role", json!([{ "role": "admin" }])).await;
    assert_eq!(answer["role"], "guest");
}

// --- Limits, and the end ---

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
