//! Several conversations over one connection: what enters, what is refused, and what leaves.

use serde_json::json;
use support::{
    Server,
    effort::{some_of, times},
    official::{self, Official},
    polling::Polling,
    proxy::Proxy,
    record::transcript,
    socket_io::SocketIo,
    within,
};

use crate::{CHAPTER, NAMESPACES, greets, is_in, packet, without_notices};

#[tokio::test]
async fn every_namespace_greets_with_its_own_event_and_nothing_else() {
    let server = Server::start(CHAPTER).await;
    for (namespace, event, text) in NAMESPACES {
        greets(&server, namespace, event, text).await;
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
        is_in(&mut client, namespace).await;
    }
    let rest = client.so_far_in("/", "whereAmI").await;
    assert_eq!(without_notices(rest), [""; 0]);
}

#[tokio::test]
async fn every_packet_names_its_namespace_unless_it_is_the_default_one() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::open(&server, "").await;
    let mut record = Vec::new();
    for (what, packet, answers) in [
        ("the default namespace / has no name on the wire", "40", &["40{", "42["][..]),
        ("a second one, over the same connection", "40/chat,", &["40/chat,", "42/chat,"]),
        ("a question in it", r#"42/chat,7["whereAmI"]"#, &["43/chat,7"]),
        ("one that does not exist", "40/nowhere,", &["44/nowhere,"]),
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
async fn a_polling_client_enters_several_namespaces() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::open(&server).await;
    client.post(&server, "40\u{1e}40/room,\u{1e}40/chat,").await;
    client.packet(&server, "42/room,").await;
    client.post(&server, r#"42/room,0["whereAmI"]"#).await;
    let answer = client.packet(&server, "43/room,0").await;
    assert_eq!(answer, r#"43/room,0[{"ok":true,"namespace":"/room"}]"#);
    // Without this the session keeps its namespaces until it has missed a ping.
    client.post(&server, "1").await;
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_others_are_unharmed() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    client.join("/room", None).await.unwrap();
    client.event_in("/room", "newRoom").await;
    for unknown in ["/nowhere", "/Room", "/rooms", "/room/1", "/chat/", "/ room"] {
        let error = client.join(unknown, None).await.unwrap_err();
        assert_eq!(error, json!({ "message": "Invalid namespace" }), "{unknown}");
    }
    is_in(&mut client, "/").await;
    is_in(&mut client, "/room").await;
}

#[tokio::test]
async fn the_official_client_learns_of_an_unknown_namespace_by_connect_error() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &version in some_of(&[4, 3], 1) {
        let mut client = Official::connect(&server, version).await;
        assert_eq!(client.event("hi").await, json!(["everyone"]));
        let refused = client.join("/nowhere").await;
        assert_eq!(refused["on"], "connect_error", "{version}");
        assert_eq!(refused["message"], "Invalid namespace", "{version}");
        assert_eq!(client.ask("whereAmI", json!([])).await[0]["namespace"], "/");
    }
}

#[tokio::test]
async fn leaving_one_namespace_keeps_the_others_and_the_connection() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut client = Official::connect(&server, 4).await;
    for namespace in ["/chat", "/room"] {
        assert_eq!(client.join(namespace).await["on"], "connect", "{namespace}");
    }
    client.event_in("/room", "newRoom").await;
    client.leave("/chat").await;
    assert_eq!(client.on("disconnect").await["nsp"], "/chat");
    for namespace in ["/", "/room"] {
        let answer = client.ask_in(namespace, "whereAmI", json!([])).await;
        assert_eq!(answer[0]["namespace"], namespace);
    }
}

#[tokio::test]
async fn an_event_for_a_namespace_that_the_client_has_left_costs_it_the_connection() {
    let server = Server::start(CHAPTER).await;
    let mut good = SocketIo::connect(&server).await;
    good.event("hi").await;
    for late in [r#"42/chat,["whereAmI"]"#, r#"42/chat,7["whereAmI"]"#] {
        let mut bad = SocketIo::connect(&server).await;
        bad.event("hi").await;
        bad.join("/chat", None).await.unwrap();
        bad.event_in("/chat", "join").await;
        bad.send("41/chat,").await;
        // The socket is gone when the server has done with it, not when it is told.
        within("the end of the connection", async {
            while bad.try_send(late).await
                && bad.try_ask("whereAmI", json!([])).await.is_some()
            {}
        })
        .await;
        is_in(&mut good, "/").await;
    }
}

// --- Leave and come back ---

/// Leaves a namespace and enters it again, with two packets that are sent as one.
async fn leave_and_come_back(client: &mut SocketIo, namespace: &str) {
    client.send(&format!("41{namespace},")).await;
    client.join(namespace, None).await.expect("let in again");
    is_in(client, namespace).await;
}

#[tokio::test]
async fn a_namespace_is_left_and_entered_again_in_one_breath() {
    let server = Server::start(CHAPTER).await;
    let mut client = SocketIo::connect(&server).await;
    client.join("/chat", None).await.unwrap();
    is_in(&mut client, "/chat").await;
    for _ in 0..times(20_000) {
        leave_and_come_back(&mut client, "/chat").await;
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
    for _ in 0..times(5000) {
        client.leave("/chat").await;
        assert_eq!(client.join("/chat").await["on"], "connect");
        let answer = client.ask_in("/chat", "whereAmI", json!([])).await;
        assert_eq!(answer[0]["namespace"], "/chat");
    }
}

#[tokio::test]
async fn an_event_sent_as_soon_as_a_namespace_is_entered_is_not_lost() {
    let server = Server::start(CHAPTER).await;
    for n in 0..times(5000) {
        let (namespace, ..) = NAMESPACES[n % 3];
        let mut client = SocketIo::open(&server, "").await;
        client.join(namespace, None).await.unwrap();
        is_in(&mut client, namespace).await;
    }
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
        is_in(&mut client, namespace).await;
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
