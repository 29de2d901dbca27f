//! What a program that speaks Socket.IO promises about packets that no client sends.

use support::{
    Server,
    chat::{TempDir, folder},
    crooked,
    effort::times,
    http,
};

use crate::CHAPTER;

/// The largest body that is taken.
const MOST: usize = 1_000_000;

/// Any server with this program's promises. One that keeps data has its own.
async fn start() -> (Server, TempDir) {
    let folder = folder();
    let data = folder.path().to_str().expect("BUG: we named it");
    (Server::start_with(CHAPTER, &[("DATA_DIR", data)]).await, folder)
}

/// The program on two threads: what holds up one of them twice holds up all.
pub(crate) async fn on_two_threads() -> Option<(Server, TempDir)> {
    let folder = folder();
    let data = folder.path().to_str().expect("BUG: we named it");
    let settings = [("TOKIO_WORKER_THREADS", "2"), ("DATA_DIR", data)];
    Some((Server::own_with(CHAPTER, &settings).await?, folder))
}

#[tokio::test]
async fn a_client_of_version_2_is_refused_with_code_5() {
    let (server, _folder) = start().await;
    let answer = http::get(&server, "/socket.io/?EIO=3&transport=polling").await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let code = answer.json()["code"].to_string();
    assert_eq!(code.trim_matches('"'), "5", "{}", answer.text());
}

#[tokio::test]
async fn a_client_of_version_2_gets_no_websocket() {
    let (server, _folder) = start().await;
    let upgrade = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let path = "/socket.io/?EIO=3&transport=websocket";
    let answer = http::send(&server, "GET", path, &upgrade, "").await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("Unsupported protocol version"), "{}", answer.text());
}

#[cfg(unix)]
#[tokio::test]
async fn after_crooked_posts_the_program_answers_at_once_and_stops() {
    let Some((mut server, _folder)) = on_two_threads().await else { return };
    // A debug build takes seconds for 333,333 packets in one body.
    let most = times(10 * MOST).min(MOST);
    // So many bytes, each in a chunk of its own. Version 3 is refused before they are read.
    for (eio, bytes) in [(3, 300_000), (4, 30_000)] {
        for content_type in crooked::CONTENT_TYPES {
            for body in crooked::bodies(most) {
                crooked::post(&server, eio, content_type, body).await;
                assert_eq!(http::get(&server, "/").await.status, 200);
            }
        }
        let body = format!("{MOST}:4{}", "x".repeat(bytes));
        crooked::post_byte_by_byte(&server, eio, body.as_bytes()).await;
        assert_eq!(http::get(&server, "/").await.status, 200);
    }
    server.signal("TERM").await;
    assert_eq!(server.exit().await.code(), Some(0));
}
