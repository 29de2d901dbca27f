//! What a program that speaks Socket.IO promises about packets that make no sense at all.

use support::{
    Server,
    crooked::{self, CONTENT_TYPES, Rng},
    effort, http,
    polling::Polling,
    socket_io::SocketIo,
};

use crate::crooked::on_two_threads;

/// The program answers, has not panicked, and stops.
async fn is_unharmed(mut server: Server) {
    assert_eq!(http::get(&server, "/").await.status, 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.signal("TERM").await;
    assert_eq!(server.exit().await.code(), Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn random_payloads_by_polling_neither_hang_nor_break_the_program() {
    let Some((server, _folder)) = on_two_threads().await else { return };
    let mut random = Rng::with_seed(1);
    let mut session = Polling::open(&server).await;
    for n in 0..effort::times(10_000) {
        let path = crooked::path([3, 4][n % 2], &session.sid);
        let headers = [("content-type", CONTENT_TYPES[random.usize(..2)])];
        let answer =
            http::send(&server, "POST", &path, &headers, crooked::payload(&mut random))
                .await;
        // A session ends with its first bad packet.
        if n % 2 == 1 && answer.status != 200 {
            session = Polling::open(&server).await;
        }
    }
    is_unharmed(server).await;
}

#[cfg(unix)]
#[tokio::test]
async fn random_messages_by_websocket_neither_hang_nor_break_the_program() {
    let Some((server, _folder)) = on_two_threads().await else { return };
    let mut random = Rng::with_seed(2);
    let mut client = SocketIo::open(&server, "").await;
    for n in 0..effort::times(10_000) {
        let payload = crooked::payload(&mut random);
        let open = match String::from_utf8(payload) {
            Ok(text) if n % 2 == 0 => client.try_send(&text).await,
            Ok(text) => client.try_send_binary(text.as_bytes()).await,
            Err(error) => client.try_send_binary(error.as_bytes()).await,
        };
        if !open || n % 20 == 19 {
            client.vanish();
            client = SocketIo::open(&server, "").await;
        }
    }
    is_unharmed(server).await;
}
