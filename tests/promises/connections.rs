//! What every program that speaks Socket.IO promises about connections: their beginning, their
//! limits and their end.

use support::{Server, effort::times, polling::Polling};

use crate::{AUTH, CHAPTER, connect, question};

#[tokio::test]
async fn an_event_sent_in_the_very_moment_of_connecting_is_not_lost() {
    let server = Server::start(CHAPTER).await;
    let (event, args) = question();
    for _ in 0..times(3000) {
        let mut client = connect(&server).await;
        let answer = client.ask(event, args.clone()).await;
        assert_eq!(answer["ok"], true, "{answer}");
    }
}

/// The size of the largest message.
const MOST: usize = 1_000_000;

/// An event of exactly `size` bytes. No handler has its name, and the server says so if the
/// event gets through.
fn packet_of(size: usize) -> String {
    let (head, tail) = (r#"420["nothing",""#, r#""]"#);
    format!("{head}{}{tail}", "x".repeat(size - head.len() - tail.len()))
}

#[tokio::test]
async fn a_websocket_message_of_exactly_a_million_bytes_passes_and_one_more_closes() {
    let server = Server::start(CHAPTER).await;
    let mut client = connect(&server).await;
    client.send(&packet_of(MOST)).await;
    assert!(client.packet("430").await.contains(r#""ok":false"#));
    client.send(&packet_of(MOST + 1)).await;
    client.closed().await;
}

#[tokio::test]
async fn a_post_of_exactly_a_million_bytes_passes_and_one_more_is_413() {
    let server = Server::start(CHAPTER).await;
    let client = Polling::connect(&server, AUTH).await;
    assert_eq!(client.post(&server, &packet_of(MOST)).await.status, 200);
    assert!(client.packet(&server, "430").await.contains(r#""ok":false"#));
    assert_eq!(client.post(&server, &packet_of(MOST + 1)).await.status, 413);
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_and_sigterm_end_the_program_with_0_whatever_its_clients_do() {
    // TERM first: what a shell starts in the background ignores INT.
    for signal in ["TERM", "INT"] {
        let Some(mut server) = Server::own(CHAPTER).await else { return };
        let polling = Polling::connect(&server, AUTH).await;
        let mut websocket = connect(&server).await;
        let _idle = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        // A long poll is under way, or comes too late: the server waits for neither.
        let poll = polling.try_get(&server);
        let stop = async {
            server.signal(signal).await;
            websocket.closed().await;
        };
        let _ = tokio::join!(stop, poll);
        assert_eq!(server.exit().await.code(), Some(0), "{signal}");
    }
}
