//! The promises of chapter 1, over the wire. All of its steps share them.

use std::time::{Duration, Instant};

use support::{
    Server,
    effort::{deadline, left_out, takes_too_long},
    http::{self, Response},
    record::transcript,
    within, within_after,
    ws::{self, RawWebSocket, WebSocket},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

const CHAPTER: &str = env!("CARGO_BIN_EXE_chapter-1");
const MIB: usize = 1024 * 1024;
const TICK: Duration = Duration::from_secs(3);
/// A connection without a sign of life for so long is ended.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a stopping server waits for its connections.
const STOP_DEADLINE: Duration = Duration::from_secs(4);

// First bytes of frames: FIN and the opcode, RFC 6455, section 5.2.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

// --- HTTP ---

#[tokio::test]
async fn the_root_is_the_page_for_a_tab_and_the_ticker_for_a_websocket() {
    let server = Server::start(CHAPTER).await;
    let page = http::get(&server, "/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("<title>"), "{}", page.text());
    WebSocket::open(&server, "/").await.hang_up().await;
}

#[tokio::test]
async fn an_unknown_path_is_404_and_another_method_405() {
    let server = Server::start(CHAPTER).await;
    assert_eq!(http::get(&server, "/nowhere").await.status, 404);
    for path in ["/", "/echo"] {
        let response = http::send(&server, "POST", path, &[], "x").await;
        assert_eq!(response.status, 405, "{path}");
    }
}

#[tokio::test]
async fn a_plain_get_of_the_echo_says_which_protocol_to_come_back_with() {
    let server = Server::start(CHAPTER).await;
    let response = http::get(&server, "/echo").await;
    assert_eq!(response.status, 426);
    assert_eq!(response.header("upgrade"), "websocket");
    assert_eq!(response.header("connection").to_lowercase(), "upgrade");
    assert!(response.text().contains("ws://"), "{}", response.text());
}

// --- The opening handshake ---

/// The example of RFC 6455, section 1.3.
const KEY: (&str, &str) = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
const VERSION: (&str, &str) = ("sec-websocket-version", "13");

async fn handshake(server: &Server, headers: &[(&str, &str)]) -> Response {
    http::send(server, "GET", "/echo", headers, "").await
}

#[tokio::test]
async fn the_answer_proves_that_the_key_was_read() {
    let server = Server::start(CHAPTER).await;
    let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), KEY, VERSION];
    let response = handshake(&server, &upgrade).await;
    assert_eq!(response.status, 101);
    assert_eq!(response.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(response.header("upgrade"), "websocket");
    assert_eq!(response.header("connection").to_lowercase(), "upgrade");
}

#[tokio::test]
async fn the_handshake_is_one_request_and_a_101() {
    let server = Server::start(CHAPTER).await;
    let mut tcp = TcpStream::connect(server.address()).await.unwrap();
    let request = [
        "GET /echo HTTP/1.1",
        "Host: 127.0.0.1:8005",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    tcp.write_all(format!("{}\r\n\r\n", request.join("\r\n")).as_bytes()).await.unwrap();
    let mut answer = BufReader::new(tcp).lines();
    let mut record: Vec<String> =
        request.iter().map(|line| format!("> {line}")).collect();
    record.push("# The connection stays open. The answer:".to_owned());
    loop {
        let line = within("the answer", answer.next_line()).await.unwrap().unwrap();
        if line.is_empty() {
            break;
        }
        let date = line.starts_with("date: ");
        record.push(format!("< {}", if date { "date: <now>" } else { &line }));
    }
    assert_eq!(record[7], "< HTTP/1.1 101 Switching Protocols");
    transcript("chapter-1", "handshake", &record.join("\n"));
}

#[tokio::test]
async fn upgrade_headers_are_lists_in_any_case() {
    let server = Server::start(CHAPTER).await;
    let upgrade =
        [("connection", "keep-alive, UPGRADE"), ("upgrade", "WebSocket"), KEY, VERSION];
    assert_eq!(handshake(&server, &upgrade).await.status, 101);
}

#[tokio::test]
async fn another_version_of_the_protocol_is_told_which_one_is_spoken() {
    let server = Server::start(CHAPTER).await;
    for version in [&[("sec-websocket-version", "8")][..], &[]] {
        let mut headers = vec![("connection", "Upgrade"), ("upgrade", "websocket"), KEY];
        headers.extend(version);
        let response = handshake(&server, &headers).await;
        assert_eq!(response.status, 426, "{version:?}");
        assert_eq!(response.header("sec-websocket-version"), "13");
    }
}

#[tokio::test]
async fn a_key_other_than_16_bytes_in_base64_is_a_bad_request() {
    let server = Server::start(CHAPTER).await;
    for key in [
        None,
        Some(""),
        Some("short=="),
        Some("dGhlIHNhbXBsZSBub25jZSBpcyB0b28gbG9uZw=="),
    ] {
        let mut headers =
            vec![("connection", "Upgrade"), ("upgrade", "websocket"), VERSION];
        headers.extend(key.map(|key| ("sec-websocket-key", key)));
        assert_eq!(handshake(&server, &headers).await.status, 400, "{key:?}");
    }
}

#[tokio::test]
async fn http_1_0_cannot_be_upgraded() {
    let server = Server::start(CHAPTER).await;
    let mut tcp = TcpStream::connect(server.address()).await.unwrap();
    let request = "GET /echo HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = BufReader::new(tcp).lines();
    let first = within("the first line", answer.next_line()).await.unwrap().unwrap();
    assert!(first.starts_with("HTTP/1.0 426 "), "{first}");
}

// --- The ticker ---

#[tokio::test]
async fn the_ticker_greets_three_seconds_after_the_opening_and_every_three_seconds() {
    let server = Server::start(CHAPTER).await;
    let before = Instant::now();
    let mut client = WebSocket::open(&server, "/").await;
    for n in 1..=2 {
        assert_eq!(client.text_after(TICK).await, "Hello from the server");
        // Too late says nothing on a busy machine; too early would be a broken promise.
        assert!(before.elapsed() >= n * TICK, "tick {n} after {:?}", before.elapsed());
    }
}

#[tokio::test]
async fn the_ticker_logs_what_it_receives_and_never_answers_it() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = WebSocket::open(&server, "/").await;
    for n in 0..10 {
        client.send(format!("answer {n}")).await;
    }
    client.send(vec![1, 2, 3]).await;
    server.logged("answer 9", 1).await;
    // The first thing to come back is the next tick.
    assert_eq!(client.text_after(TICK).await, "Hello from the server");
}

#[tokio::test]
async fn every_client_has_a_clock_of_its_own() {
    let server = Server::start(CHAPTER).await;
    let mut first = WebSocket::open(&server, "/").await;
    assert_eq!(first.text_after(TICK).await, "Hello from the server");
    let before = Instant::now();
    let mut second = WebSocket::open(&server, "/").await;
    assert_eq!(second.text_after(TICK).await, "Hello from the server");
    assert!(before.elapsed() >= TICK, "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_log_line_cannot_be_forged_by_a_message() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut client = WebSocket::open(&server, "/").await;
    client.send("innocent\n2026-01-01 INFO forged\u{1b}[31m").await;
    client.send("x".repeat(MIB)).await;
    client.close(None).await;
    server.logged("closed", 1).await;
    let log = server.log();
    let line = log.lines().find(|line| line.contains("innocent")).unwrap();
    assert!(line.contains("forged"), "the whole message is on one line: {log}");
    assert!(!log.contains('\u{1b}'), "no control character reaches the log: {log:?}");
    assert!(log.len() < 10_000, "a long message is cut: {} bytes", log.len());
}

#[tokio::test]
async fn the_log_names_the_peer() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let client = WebSocket::open(&server, "/").await;
    let peer = client.vanish().local_addr().unwrap();
    // When it came, and when it went.
    server.logged(&peer.to_string(), 2).await;
}

// --- The echo ---

#[tokio::test]
async fn the_echo_answers_at_once_and_in_kind() {
    let server = Server::start(CHAPTER).await;
    let mut client = WebSocket::open(&server, "/echo").await;
    for text in ["hello", "", "Grüße, 世界 👋", "\0"] {
        client.send(text).await;
        assert_eq!(client.message().await, Message::text(text));
    }
    for binary in [&b"hello"[..], b"", &[0, 159, 146, 150]] {
        client.send(binary.to_vec()).await;
        assert_eq!(client.message().await, Message::binary(binary.to_vec()));
    }
}

#[tokio::test]
async fn the_echo_keeps_the_order_of_a_thousand_messages() {
    let server = Server::start(CHAPTER).await;
    let mut client = WebSocket::open(&server, "/echo").await;
    for n in 0..1000 {
        client.send(n.to_string()).await;
    }
    for n in 0..1000 {
        assert_eq!(client.text().await, n.to_string());
    }
}

#[tokio::test]
async fn the_echo_of_one_client_is_not_heard_by_another() {
    let server = Server::start(CHAPTER).await;
    let mut one = WebSocket::open(&server, "/echo").await;
    let mut other = WebSocket::open(&server, "/echo").await;
    one.send("one's own").await;
    assert_eq!(one.text().await, "one's own");
    other.send("the other's").await;
    assert_eq!(other.text().await, "the other's");
}

#[tokio::test]
async fn a_message_in_fragments_comes_back_whole() {
    let server = Server::start(CHAPTER).await;
    let mut client = RawWebSocket::open(&server, "/echo").await;
    client.write_frame(0x01, "Gr\u{fc}".as_bytes().split_at(3).0).await;
    client.write_frame(PING, b"in between").await;
    client.write_frame(0x80, &["ü".as_bytes().split_at(1).1, b"e"].concat()).await;
    let pong = client.frame().await.unwrap();
    assert_eq!((pong.opcode, &pong.payload[..]), (10, &b"in between"[..]));
    let text = client.frame().await.unwrap();
    assert_eq!((text.opcode, text.payload), (1, "Grüe".into()));
}

#[tokio::test]
async fn a_message_of_one_mebibyte_comes_back() {
    let server = Server::start(CHAPTER).await;
    let mut client = WebSocket::open(&server, "/echo").await;
    client.send("x".repeat(MIB)).await;
    assert_eq!(client.text().await.len(), MIB);
    client.send(vec![7; MIB]).await;
    assert_eq!(client.message().await.len(), MIB);
}

#[tokio::test]
async fn a_conversation_is_a_handful_of_bytes() {
    let server = Server::start(CHAPTER).await;
    let mut client = RawWebSocket::open(&server, "/echo").await;
    let mut record = Vec::new();
    for (first, payload, what) in [
        (TEXT, &b"Hello"[..], "text: FIN, opcode 1, masked"),
        (PING, b"?", "ping: opcode 9"),
        (CLOSE, b"\x03\xe8", "close: opcode 8, code 1000"),
    ] {
        record.push(format!("# {what}"));
        record.push(format!("> {}", hex(&ws::frame(first, true, payload))));
        client.write_frame(first, payload).await;
        let answer = client.frame().await.unwrap();
        assert_eq!(answer.payload, payload);
        record.push(format!(
            "< {}",
            hex(&ws::frame(0x80 | answer.opcode, false, &answer.payload))
        ));
    }
    assert_eq!(client.frame().await, None, "the server hangs up");
    transcript("chapter-1", "frames", &record.join("\n"));
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x} "))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

// --- What ends a connection ---

#[tokio::test]
async fn a_larger_message_closes_with_1009_on_both_paths() {
    let server = Server::start(CHAPTER).await;
    for path in ["/", "/echo"] {
        for kind in [TEXT, BINARY] {
            let mut client = RawWebSocket::open(&server, path).await;
            client.write_frame(kind, &vec![b'x'; MIB + 1]).await;
            assert_eq!(client.close_code().await, Some(1009), "{path}");
        }
    }
}

#[tokio::test]
async fn a_larger_message_in_small_fragments_closes_with_1009() {
    let server = Server::start(CHAPTER).await;
    let mut client = RawWebSocket::open(&server, "/echo").await;
    client.write_frame(0x02, &[0; 64 * 1024]).await;
    for _ in 0..16 {
        client.write_frame(0x00, &[0; 64 * 1024]).await;
    }
    assert_eq!(client.close_code().await, Some(1009));
}

#[tokio::test]
async fn a_frame_that_claims_to_be_huge_is_refused_before_it_arrives() {
    let server = Server::start(CHAPTER).await;
    let mut client = RawWebSocket::open(&server, "/echo").await;
    let mut head = vec![BINARY, 0x80 | 127];
    head.extend((1_u64 << 62).to_be_bytes());
    head.extend([0; 4]);
    client.write(&head).await;
    assert_eq!(client.close_code().await, Some(1009));
}

#[tokio::test]
async fn text_that_is_not_utf_8_closes_with_1007() {
    let server = Server::start(CHAPTER).await;
    for text in [&b"\xff"[..], b"cut \xc3", b"surrogate \xed\xa0\x80"] {
        let mut client = RawWebSocket::open(&server, "/echo").await;
        client.write_frame(TEXT, text).await;
        assert_eq!(client.close_code().await, Some(1007), "{text:?}");
    }
}

#[tokio::test]
async fn a_broken_frame_closes_with_1002() {
    let server = Server::start(CHAPTER).await;
    let broken = [
        ("a reserved bit", ws::frame(0xc1, true, b"x")),
        ("a reserved data opcode", ws::frame(0x83, true, b"x")),
        ("a reserved control opcode", ws::frame(0x8b, true, b"x")),
        ("no mask", ws::frame(TEXT, false, b"x")),
        ("a ping in fragments", ws::frame(0x09, true, b"x")),
        ("a ping of 126 bytes", ws::frame(PING, true, &[0; 126])),
        ("the end of nothing", ws::frame(0x80, true, b"x")),
        (
            "a message inside a message",
            [ws::frame(1, true, b"a"), ws::frame(1, true, b"b")].concat(),
        ),
        ("a close frame of one byte", ws::frame(CLOSE, true, b"x")),
        (
            "a close code that never travels",
            ws::frame(CLOSE, true, &1005_u16.to_be_bytes()),
        ),
        ("another protocol", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()),
    ];
    for (what, bytes) in broken {
        let mut client = RawWebSocket::open(&server, "/echo").await;
        client.write(&bytes).await;
        assert_eq!(client.close_code().await, Some(1002), "{what}");
    }
}

#[tokio::test]
async fn the_close_frame_arrives_even_if_the_client_is_still_sending() {
    let server = Server::start(CHAPTER).await;
    for _ in 0..5 {
        let mut client = RawWebSocket::open(&server, "/echo").await;
        let too_much = ws::frame(BINARY, true, &vec![0; 8 * MIB]);
        // A client that meets a reset while it writes never gets to read the close frame.
        within("room to write", client.tcp.write_all(&too_much)).await.expect("no reset");
        assert_eq!(client.close_code().await, Some(1009));
    }
}

#[tokio::test]
async fn a_clients_close_code_is_echoed() {
    let server = Server::start(CHAPTER).await;
    for path in ["/", "/echo"] {
        for code in [1000, 1001, 3000, 4999] {
            let client = WebSocket::open(&server, path).await;
            let code = CloseCode::from(code);
            let frame = CloseFrame { code, reason: "enough".into() };
            let answer = client.close(Some(frame)).await.unwrap();
            assert_eq!(answer.code, code, "{path}");
        }
    }
}

#[tokio::test]
async fn a_close_frame_without_a_code_is_answered_by_one_without_a_code() {
    let server = Server::start(CHAPTER).await;
    let client = WebSocket::open(&server, "/echo").await;
    assert_eq!(client.close(None).await, None);
}

#[tokio::test]
async fn what_was_sent_before_the_close_frame_is_still_echoed() {
    let server = Server::start(CHAPTER).await;
    let mut client = RawWebSocket::open(&server, "/echo").await;
    let bytes =
        [ws::frame(TEXT, true, b"last words"), ws::frame(CLOSE, true, b"\x03\xe8")];
    client.write(&bytes.concat()).await;
    assert_eq!(client.frame().await.unwrap().payload, b"last words");
    assert_eq!(client.frame().await.unwrap().close_code(), Some(1000));
    assert_eq!(client.frame().await, None, "the server hangs up first");
}

#[tokio::test]
async fn one_bad_client_does_not_disturb_the_others() {
    let server = Server::start(CHAPTER).await;
    let mut good = WebSocket::open(&server, "/echo").await;
    for bytes in [&b"\xff\xff\xff\xff"[..], b"\x88\x80", b"\x81"] {
        let mut bad = RawWebSocket::open(&server, "/echo").await;
        bad.write(bytes).await;
        drop(bad);
        good.send("still there?").await;
        assert_eq!(good.text().await, "still there?");
    }
}

#[tokio::test]
async fn a_ping_is_answered_by_a_pong_with_the_same_payload() {
    let server = Server::start(CHAPTER).await;
    let mut client = RawWebSocket::open(&server, "/").await;
    client.write_frame(PING, b"are you there?").await;
    let pong = client.frame().await.unwrap();
    assert_eq!((pong.opcode, &pong.payload[..]), (10, &b"are you there?"[..]));
}

// --- What a connection leaves behind: nothing ---

#[tokio::test]
async fn a_connection_ends_when_its_peer_vanishes_without_a_close() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    for path in ["/", "/echo"] {
        WebSocket::open(&server, path).await.vanish();
    }
    server.logged("closed", 2).await;
}

#[tokio::test]
async fn a_peer_without_a_sign_of_life_is_pinged_after_15_seconds_and_dropped_after_30() {
    if takes_too_long(SILENCE) {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let before = Instant::now();
    let mut silent = RawWebSocket::open(&server, "/echo").await;
    let ping = silent.frame_after(SILENCE / 2).await.expect("a ping");
    assert_eq!(ping.opcode, 9);
    assert!(before.elapsed() >= Duration::from_secs(15), "{:?}", before.elapsed());
    // The second ping goes out in the moment the connection is given up.
    within_after(SILENCE, "the end of the connection", async {
        while let Some(frame) = silent.frame_after(SILENCE / 2).await {
            assert_eq!(frame.opcode, 9);
        }
    })
    .await;
    assert!(before.elapsed() >= SILENCE, "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_peer_that_answers_pings_stays() {
    if takes_too_long(SILENCE) {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut quiet = WebSocket::open(&server, "/echo").await;
    // Frames that arrive together are as good as frames that arrive one by one.
    let mut bunch = RawWebSocket::open(&server, "/echo").await;
    let pongs = ws::frame(PONG, true, b"pong").repeat(3);
    let frames = [ws::frame(TEXT, true, b"text"), pongs.clone()].concat();
    bunch.write(&frames).await;
    assert_eq!(bunch.frame().await.unwrap().payload, b"text");
    let opened = Instant::now();
    while opened.elapsed() < SILENCE + TICK {
        // Reading the ping is what makes the client answer it.
        let ping = quiet.any_after(SILENCE / 2).await;
        assert!(matches!(ping, Ok(Message::Ping(_))), "{ping:?}");
        assert_eq!(bunch.frame_after(SILENCE / 2).await.expect("a ping").opcode, 9);
        bunch.write(&pongs).await;
    }
    quiet.send("still there?").await;
    assert_eq!(quiet.text().await, "still there?");
    bunch.write_frame(TEXT, b"still there?").await;
    assert_eq!(bunch.frame().await.unwrap().payload, b"still there?");
}

#[tokio::test]
async fn a_peer_that_stops_reading_is_dropped_after_30_seconds() {
    if takes_too_long(SILENCE) {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut stuck = Flood::open(&server, ws::frame(BINARY, true, &vec![0; MIB])).await;
    stuck.until_full().await;
    let mut other = WebSocket::open(&server, "/echo").await;
    other.send("me too?").await;
    assert_eq!(other.text().await, "me too?");
    // Gone before the wait begins, or it would fall silent and be dropped in the place of `stuck`.
    other.hang_up().await;
    server.logged("closed", 1).await;
    stuck.until(server.logged_within(SILENCE + deadline(), "closed", 2)).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_flood_of_pings_that_nobody_reads_the_answers_to_does_not_fill_the_memory() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let (_, before) = server.held();
    let pings = ws::frame(PING, true, &[b'x'; 125]).repeat(1000);
    let mut flood = Flood::open(&server, pings).await;
    flood.until_full().await;
    let (_, after) = server.held();
    assert!(after < before + 8 * 1024, "{before} KiB before, {after} KiB after");
}

/// A client that writes the same bytes again and again, and never reads.
struct Flood {
    client: RawWebSocket,
    bytes: Vec<u8>,
    /// How many of the bytes have been written in this round.
    at: usize,
}

impl Flood {
    async fn open(server: &Server, bytes: Vec<u8>) -> Self {
        Self { client: RawWebSocket::open(server, "/echo").await, bytes, at: 0 }
    }

    async fn write(&mut self) -> std::io::Result<()> {
        let written = self.client.tcp.write(&self.bytes[self.at..]).await?;
        self.at = (self.at + written) % self.bytes.len();
        Ok(())
    }

    /// Writes until nothing has fitted into the buffers on the way there and back for a time.
    async fn until_full(&mut self) {
        let full = Duration::from_secs(2);
        within_after(full, "the server to stop reading", async {
            while let Ok(Ok(())) = tokio::time::timeout(full, self.write()).await {}
        })
        .await;
    }

    /// Goes on until `seen` completes: a busy server may only have been slow.
    async fn until(&mut self, seen: impl Future<Output = ()>) {
        let write = async {
            while self.write().await.is_ok() {}
            // The server has hung up, and what is to be seen comes soon.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = seen => {}
            () = write => {}
        }
    }
}

#[tokio::test]
async fn a_byte_now_and_then_is_no_sign_of_life() {
    if takes_too_long(SILENCE) {
        return;
    }
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut trickle = RawWebSocket::open(&server, "/echo").await;
    trickle.write(&ws::frame(BINARY, true, &[0; 1000])[..100]).await;
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    let dropped = server.logged_within(SILENCE + deadline(), "closed", 1);
    tokio::pin!(dropped);
    loop {
        tokio::select! {
            () = &mut dropped => break,
            _ = clock.tick() => trickle.write(&[0]).await,
        }
    }
}

#[tokio::test]
async fn a_message_that_never_ends_is_given_up_even_if_its_sender_answers_pings() {
    if takes_too_long(SILENCE) {
        return;
    }
    let server = Server::start(CHAPTER).await;
    let mut endless = RawWebSocket::open(&server, "/echo").await;
    endless.write_frame(0x02, b"first").await;
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    within_after(SILENCE, "the end of the connection", async {
        loop {
            // A byte more every second, and a pong, asked for or not.
            clock.tick().await;
            let bytes = [ws::frame(0x00, true, b"x"), ws::frame(PONG, true, b"")];
            if endless.tcp.write_all(&bytes.concat()).await.is_err() {
                return;
            }
        }
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_idle_connection_takes_a_few_kibibytes_of_memory() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let mut idle = Vec::new();
    let mut before = 0;
    for n in 0..400 {
        // What the first connections leave in the pools of the program is not counted.
        if n == 100 {
            (_, before) = server.held();
        }
        let mut client = WebSocket::open(&server, "/echo").await;
        client.send("x").await;
        assert_eq!(client.text().await, "x");
        idle.push(client);
    }
    let (_, after) = server.held();
    let more = after.saturating_sub(before);
    assert!(more < 9600, "300 idle connections take more than 9600 KiB: {more} KiB");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn thousands_of_connections_leave_tasks_memory_and_descriptors_where_they_were() {
    let Some(server) = Server::own(CHAPTER).await else { return };
    let cycle = async |n: usize| {
        let path = if n.is_multiple_of(2) { "/" } else { "/echo" };
        let mut client = WebSocket::open(&server, path).await;
        match n % 4 {
            0 | 1 => drop(client.close(None).await),
            2 => drop(client.vanish()),
            _ => {
                client.send("x").await;
                drop(client.vanish());
            }
        }
    };
    // A quick run asks this much: what came is gone.
    for n in 0..4 {
        cycle(n).await;
    }
    server.logged("closed", 4).await;
    if left_out("thousands of connections") {
        return;
    }
    server.keeps_nothing_of("closed", 512, cycle).await;
}

// --- Starting and stopping ---

#[cfg(unix)]
#[tokio::test]
async fn the_log_tells_a_connections_story() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let mut client = WebSocket::open(&server, "/").await;
    let peer = client.local_address();
    assert_eq!(client.text_after(TICK).await, "Hello from the server");
    client.send("Hello from the page").await;
    server.logged("received", 1).await;
    client.close(None).await;
    server.logged("closed", 1).await;
    server.signal("INT").await;
    assert_eq!(server.exit().await.code(), Some(0));
    server.logged("stopping", 1).await;
    let log = server.log().replace(&peer, "127.0.0.1:<port>");
    let lines =
        log.lines().map(|line| line.split_once('Z').map_or(line, |(_, rest)| rest));
    let log: Vec<_> = lines.map(|line| format!("<time>{line}")).collect();
    let start = "$ cargo run -p chapter-1\nlistening on http://127.0.0.1:8005";
    transcript("chapter-1", "log", &format!("{start}\n{}", log.join("\n")));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_and_sigterm_say_goodbye_with_1001_and_exit_0() {
    // TERM first: what a shell starts in the background ignores INT.
    for signal in ["TERM", "INT"] {
        let Some(mut server) = Server::own(CHAPTER).await else { return };
        let ticker = WebSocket::open(&server, "/").await;
        let echo = WebSocket::open(&server, "/echo").await;
        server.signal(signal).await;
        assert_eq!(ticker.closed().await.unwrap().code, CloseCode::Away);
        assert_eq!(echo.closed().await.unwrap().code, CloseCode::Away);
        assert_eq!(server.exit().await.code(), Some(0));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_does_not_wait_for_ever_for_anyone() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    let _deaf = RawWebSocket::open(&server, "/").await;
    let mut half_a_request = TcpStream::connect(server.address()).await.unwrap();
    half_a_request.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
    let _idle = TcpStream::connect(server.address()).await.unwrap();
    http::get(&server, "/").await;
    let asked = Instant::now();
    server.signal("TERM").await;
    assert_eq!(server.exit_after(STOP_DEADLINE).await.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
}

#[cfg(unix)]
#[tokio::test]
async fn connections_that_have_ended_do_not_hold_up_a_stop() {
    let Some(mut server) = Server::own(CHAPTER).await else { return };
    for n in 0..20 {
        let client = WebSocket::open(&server, "/echo").await;
        if n % 2 == 0 { client.hang_up().await } else { drop(client.vanish()) }
    }
    server.logged("closed", 20).await;
    server.signal("TERM").await;
    assert_eq!(server.exit().await.code(), Some(0));
    // A server that counts somebody who has gone warns of them at its deadline.
    assert!(!server.log().contains("WARN"), "{}", server.log());
}

/// Starts the program where it should refuse. Returns the one sentence it says.
async fn refusal(environment: &[(&str, &str)]) -> Option<String> {
    let (code, output, errors) = Server::refused(CHAPTER, environment).await?;
    assert_eq!(code, Some(1), "{errors}");
    assert_eq!(output, "", "nothing is announced");
    assert_eq!(errors.lines().count(), 1, "one sentence: {errors}");
    Some(errors)
}

#[tokio::test]
async fn a_taken_port_is_one_clear_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let Some(sentence) = refusal(&[("PORT", &port)]).await else { return };
    assert!(sentence.contains(&port) && sentence.contains("taken"), "{sentence}");
    let command = "$ cargo run -p chapter-1";
    let sentence = sentence.replace(&port, "8005");
    transcript("chapter-1", "taken-port", &format!("{command}\n{sentence}"));
}

#[tokio::test]
async fn a_bad_setting_is_one_clear_sentence() {
    for (name, value) in [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", ""),
        ("HOST", ""),
        ("RUST_LOG", "chapter_1=loudly"),
    ] {
        let Some(sentence) = refusal(&[(name, value)]).await else { return };
        assert!(sentence.contains(name), "{name}={value}: {sentence}");
    }
}

#[tokio::test]
async fn the_host_can_be_chosen() {
    let Some(server) = Server::own_with(CHAPTER, &[("HOST", "0.0.0.0")]).await else {
        return;
    };
    WebSocket::open(&server, "/echo").await.hang_up().await;
    assert!(server.address().starts_with("0.0.0.0:"), "{}", server.address());
}
