//! Namespaces whose names nobody knew: how one begins, how it ends, and how many there are.

use std::time::{Duration, Instant};

use serde_json::json;
use support::{
    Server,
    effort::{left_out, times},
    official::{self, Official},
    own_name,
    polling::Polling,
    record::transcript,
    socket_io::SocketIo,
    within,
};

use crate::{
    CHAPTER, NAMESPACES, SYSTEM, enter, greets, is_in, notice, own_dynamic, packet,
};

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

// --- A name that fits ---

#[tokio::test]
async fn a_dynamic_namespace_greets_with_its_own_name() {
    let server = Server::start(CHAPTER).await;
    greets(&server, "/dynamic-7", "hi", "/dynamic-7").await;
}

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
    is_in(&mut client, "/dynamic-007").await;
}

#[tokio::test]
async fn a_dynamic_namespace_is_told_from_a_bad_name_on_the_wire() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::open(&server, "").await;
    let mut record = Vec::new();
    for (what, packet, answers) in [
        ("a name that fits", "40/dynamic-7,", &["40/dynamic-7,", "42/dynamic-7,"][..]),
        ("a question in it", r#"42/dynamic-7,1["whereAmI"]"#, &["43/dynamic-7,1"]),
        ("a name that does not fit", "40/dynamic-x,", &["44/dynamic-x,"]),
    ] {
        record.extend([format!("# {what}"), format!("> {packet}")]);
        client.send(packet).await;
        for answer in answers {
            let answer = client.packet(answer).await;
            let sid = client.open["sid"].as_str().unwrap();
            record.push(format!("< {}", answer.replace(sid, "<sid>")));
        }
    }
    transcript("chapter-3", "dynamic", &record.join("\n"));
}

#[tokio::test]
async fn the_official_client_enters_leaves_and_enters_again() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut client = Official::connect(&server, 4).await;
    let name = own_dynamic();
    for _ in 0..times(500) {
        assert_eq!(client.join(&name).await["on"], "connect");
        let answer = client.ask_in(&name, "whereAmI", json!([])).await;
        assert_eq!(answer[0]["namespace"], name);
        client.leave(&name).await;
    }
    let refused = client.join("/dynamic-x").await;
    assert_eq!(refused["on"], "connect_error");
    assert_eq!(refused["message"], "Invalid namespace");
    assert_eq!(client.ask("whereAmI", json!([])).await[0]["namespace"], "/");
}

#[tokio::test]
async fn an_event_sent_as_soon_as_a_dynamic_namespace_is_entered_is_not_lost() {
    let server = Server::start(CHAPTER).await;
    let names = [own_dynamic(), own_dynamic(), own_dynamic()];
    for n in 0..times(2000) {
        let name = &names[n % 3];
        let mut client = enter(&server, name).await;
        is_in(&mut client, name).await;
    }
}

// --- Notices ---

#[tokio::test]
async fn a_notice_reaches_everybody_in_a_dynamic_namespace() {
    let server = Server::start(CHAPTER).await;
    let name = own_dynamic();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = enter(&server, &name).await;
        client.event_in(&name, "hi").await;
        clients.push(client);
    }
    let text = own_name("notice");
    assert_eq!(notice(&server, &name, &text).await, 204);
    for client in &mut clients {
        client.packet(&packet(&name, "message", &text)).await;
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
        is_in(&mut client, namespace).await;
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
async fn a_name_that_is_refused_makes_no_namespace() {
    let server = Server::start(CHAPTER).await;
    let mut client = enter(&server, "/dynamic-7").await;
    is_in(&mut client, "/dynamic-7").await;
    assert_eq!(notice(&server, "/dynamic-7", &own_name("notice")).await, 204);
    for refused in ["/dynamic-x", "/dynamic-{id}", "/dynamic-1234567890"] {
        client.join(refused, None).await.unwrap_err();
        assert_eq!(
            notice(&server, refused, "nobody may be here").await,
            404,
            "{refused}"
        );
    }
    let nobody = own_dynamic();
    assert_eq!(notice(&server, &nobody, "nobody is here").await, 404);
}

// --- How one begins, and how it ends ---

#[tokio::test]
async fn a_namespace_with_nobody_in_it_is_dropped() {
    let server = Server::start(CHAPTER).await;
    let name = own_dynamic();
    let mut client = SocketIo::connect(&server).await;
    client.join(&name, None).await.unwrap();
    is_in(&mut client, &name).await;
    assert_eq!(notice(&server, &name, "hello").await, 204);
    client.send(&format!("41{name},")).await;
    gone(&server, &name).await;
    client.join(&name, None).await.unwrap();
    // Leaves the default namespace only: the others stay.
    client.send("41").await;
    is_in(&mut client, &name).await;
    assert_eq!(notice(&server, &name, "hello").await, 204);
    client.hang_up().await;
    gone(&server, &name).await;
}

#[tokio::test]
async fn a_new_namespace_is_told_once_and_again_after_it_has_ended() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let new = |name: &str| format!("new namespace namespace=\"{name}\"");
    let told = async |name: &str, times: usize| {
        server.logged(&new(name), times).await;
        assert_eq!(server.log().matches(&new(name)).count(), times, "{}", server.log());
    };
    let mut client = enter(&server, "/dynamic-7").await;
    told("/dynamic-7", 1).await;
    // Known names, refused ones, and a second client make nothing new.
    client.join("/chat", None).await.unwrap();
    client.join("/dynamic-x", None).await.unwrap_err();
    let mut other = enter(&server, "/dynamic-7").await;
    is_in(&mut other, "/dynamic-7").await;
    told("/dynamic-7", 1).await;
    let all = server.log().matches("new namespace").count();
    assert_eq!(all, 1, "{}", server.log());
    client.hang_up().await;
    other.hang_up().await;
    server.logged(r#"namespace removed namespace="/dynamic-7""#, 1).await;
    let mut client = enter(&server, "/dynamic-7").await;
    is_in(&mut client, "/dynamic-7").await;
    told("/dynamic-7", 2).await;
}

#[tokio::test]
async fn a_namespace_that_its_only_client_leaves_and_enters_all_the_time_stays_the_same()
{
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = enter(&server, "/dynamic-7").await;
    is_in(&mut client, "/dynamic-7").await;
    // Longer than an empty namespace stays: if the end of an early visit counted, the
    // namespace would be removed between two later ones.
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(2500) {
        client.send("41/dynamic-7,").await;
        client.join("/dynamic-7", None).await.expect("let in again");
        is_in(&mut client, "/dynamic-7").await;
    }
    let made = server.log().matches("new namespace").count();
    assert_eq!(made, 1, "made more than once");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_flood_of_dynamic_names_leaves_memory_where_it_was() {
    if left_out("thirty thousand namespaces") {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    // Refused for their form, refused for their number, and let in for a moment: each name
    // only once.
    let flood = async |round: usize| {
        let mut full = take_all(&server, &format!("/dynamic-9{round}0")).await;
        let mut client = SocketIo::connect(&server).await;
        for n in 0..2000 {
            let long = "y".repeat(100);
            client.join(&format!("/dynamic-{round}x{n}{long}"), None).await.unwrap_err();
            client.join(&format!("/dynamic-5{round}{n:04}"), None).await.unwrap_err();
        }
        full.send(&format!("41/dynamic-9{round}000,")).await;
        for n in 0..2000 {
            let name = format!("/dynamic-8{round}{n:04}");
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
    // Each of the three kinds alone is eight thousand names, and a name that stays is nearly a
    // kilobyte.
    assert!(after < memory + 4096, "{memory} KiB before, {after} KiB after");
}

// --- At most a hundred ---

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
async fn a_hundred_namespaces_that_are_asked_for_in_one_post_are_all_entered() {
    let server = alone().await;
    for _ in 0..times(50) {
        let session = Polling::open(&server).await;
        let requests = (0..100).map(|id| format!("40/dynamic-{id:02},"));
        let requests: Vec<String> = requests.collect();
        session.post(&server, &requests.join("\u{1e}")).await;
        let mut greetings = 0;
        within("a hundred greetings", async {
            while greetings < 100 {
                let answer = session.get(&server).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                let packets = answer.text();
                let packets = packets.split('\u{1e}');
                greetings +=
                    packets.filter(|packet| packet.starts_with("42/dynamic-")).count();
            }
        })
        .await;
        session.post(&server, "1").await;
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
async fn enter_at_last(client: &mut SocketIo, name: &str) {
    let (greeting, sent_away) = (format!("42{name},[\"hi\""), format!("41{name},"));
    within("the greeting of a namespace", async {
        loop {
            client.join(name, None).await.expect("an open namespace");
            let first = client.either(&[&greeting, &sent_away]).await;
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
                enter_at_last(&mut client, &name).await;
                is_in(&mut client, &name).await;
                client.send(&format!("41{name},")).await;
            }
            enter_at_last(&mut client, &name).await;
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

// --- The log, and a restart ---

#[cfg(unix)]
#[tokio::test]
async fn after_a_restart_the_official_client_comes_back_to_all_its_namespaces() {
    if official::skip() {
        return;
    }
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let mut client = Official::connect(&server, 4).await;
    let all =
        || NAMESPACES.into_iter().chain([SYSTEM, ("/dynamic-7", "hi", "/dynamic-7")]);
    for (namespace, greeting, _) in all() {
        if namespace != "/" {
            assert_eq!(client.join(namespace).await["on"], "connect", "{namespace}");
        }
        client.event_in(namespace, greeting).await;
    }
    server.signal("TERM").await;
    assert_eq!(server.exit().await.code(), Some(0));
    for _ in all() {
        assert_eq!(client.on("disconnect").await["reason"], "transport close");
    }
    let _again = Server::own_with(CHAPTER, &[("PORT", &port)]).await;
    for (namespace, greeting, text) in all() {
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
