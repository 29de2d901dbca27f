//! An HTTP request that becomes an event.

use serde_json::json;
use support::{Server, http, own_name, socket_io::SocketIo};

use crate::{
    CHAPTER, NAMESPACES, SYSTEM, enter, greets, notice, packet, post_notice,
    without_notices,
};

/// The namespaces that are always there.
fn always_there() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    NAMESPACES.into_iter().chain([SYSTEM])
}

#[tokio::test]
async fn a_notice_reaches_everybody_in_its_namespace() {
    let server = Server::start(CHAPTER).await;
    for (namespace, greeting, _) in always_there() {
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = enter(&server, namespace).await;
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
async fn a_client_in_one_namespace_hears_nothing_of_the_others() {
    let server = Server::start(CHAPTER).await;
    let mut only_chat = enter(&server, "/chat").await;
    only_chat.event_in("/chat", "join").await;
    for (namespace, ..) in always_there() {
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
async fn a_notice_to_a_namespace_that_does_not_exist_is_404() {
    let server = Server::start(CHAPTER).await;
    // A server without such a path would answer 404 to everything.
    assert_eq!(notice(&server, "/", &own_name("notice")).await, 204);
    for unknown in ["/nowhere", "room", "", "/room/", "/Room", "/ro"] {
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
    let good = own_name("notice");
    assert_eq!(notice(&server, "/", &good).await, 204);
    let heard = client.before(&packet("/", "message", &good)).await;
    assert_eq!(without_notices(heard), [""; 0]);
}

#[tokio::test]
async fn a_form_on_another_sites_page_cannot_send_a_notice() {
    let server = Server::start(CHAPTER).await;
    let body = json!({ "namespace": "/", "message": "hello" }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let headers = [("content-type", kind)];
        let answer = http::send(&server, "POST", "/notice", &headers, body.clone()).await;
        assert_eq!(answer.status, 400, "{kind}");
    }
    // What a browser asks first if that page declares JSON. Without a yes it sends nothing.
    let headers = [
        ("origin", "http://example.com"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let answer = http::send(&server, "OPTIONS", "/notice", &headers, "").await;
    assert_eq!(answer.headers.get("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_notice_of_three_megabytes_is_413_and_a_get_is_405() {
    let server = Server::start(CHAPTER).await;
    let huge = json!({ "namespace": "/", "message": "x".repeat(3_000_000) }).to_string();
    assert_eq!(post_notice(&server, &huge).await, 413);
    assert_eq!(http::get(&server, "/notice").await.status, 405);
}

#[tokio::test]
async fn the_system_namespace_greets_with_a_notice() {
    let server = Server::start(CHAPTER).await;
    let (namespace, event, text) = SYSTEM;
    greets(&server, namespace, event, text).await;
}
