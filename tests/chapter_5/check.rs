//! The promises of step 5.1: a token is checked before a client is connected.

use serde_json::json;
use support::{
    Server,
    official::{self, Official},
};

use crate::{CHAPTER, admin, bad_auths, connect, guest, open, settle};

#[tokio::test]
async fn a_client_with_the_token_is_let_in_and_welcomed() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    let answer = client.join("/", guest()).await.expect("let in");
    assert!(answer["sid"].is_string(), "{answer}");
    client.event("welcome").await;
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
async fn a_refused_client_may_ask_again_on_the_same_connection() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    client.join("/", None).await.expect_err("no token");
    settle(&mut client).await;
    client.join("/", guest()).await.expect("a token");
    client.event("welcome").await;
}

#[tokio::test]
async fn a_client_that_was_refused_is_not_welcomed() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    client.join("/", None).await.expect_err("no token");
    settle(&mut client).await;
    client.join("/", guest()).await.expect("a token");
    client.event("welcome").await;
    client.send("40/last,").await;
    let others = client.before("44/last,").await;
    assert_eq!(others, [""; 0], "one welcome, for the time it was let in");
}

#[tokio::test]
async fn an_event_to_a_namespace_that_refused_ends_the_connection() {
    let server = Server::start(CHAPTER).await;
    let mut client = open(&server).await;
    client.join("/", None).await.expect_err("no token");
    client.emit("role", json!([])).await;
    client.closed().await;
}

#[tokio::test]
async fn an_unknown_namespace_is_an_invalid_one_whatever_the_token() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    let answer = client.join("/nowhere", admin()).await;
    assert_eq!(answer, Err(json!({ "message": "Invalid namespace" })));
}

#[tokio::test]
async fn the_official_clients_3_and_4_send_their_token_in_auth() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    for &(version, transports) in official::ways() {
        let options =
            json!({ "transports": transports, "auth": { "token": "guest-token" } });
        let mut client = Official::connect_with(&server, version, "/", options).await;
        client.event("welcome").await;
    }
}

#[tokio::test]
async fn the_official_client_gets_a_refusal_as_connect_error_without_data() {
    if official::skip() {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut client = Official::start(&server, 4, "/", json!({})).await;
    let error = client.on("connect_error").await;
    assert_eq!(error["message"], "invalid");
    // JSON leaves out what is undefined.
    assert_eq!(error.get("data"), None);
}
