//! Bodies and packets that no client sends, and that a stranger may send.

pub use fastrand::Rng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Server, http, polling::Polling, within};

/// The two ways to send packets in a POST: as text and, in protocol version 3, as bytes.
pub const CONTENT_TYPES: [&str; 2] =
    ["text/plain;charset=UTF-8", "application/octet-stream"];

/// Crooked bodies of at most `most` bytes.
///
/// A payload of protocol version 3 is `LENGTH:PACKET`, again and again, with the length in
/// UTF-16 code units; as bytes it is a kind, the length's digits, 255, and the packet
/// (<https://github.com/socketio/engine.io-protocol/tree/v3>). Most bodies here break one of
/// these rules; some break those of version 4, where a byte 30 separates the packets.
pub fn bodies(most: usize) -> Vec<Vec<u8>> {
    let texts = [
        "",
        ":",
        "1:",
        "0:",
        "-1:4x",
        "b:",
        "1:4x4",
        "3:4",
        "x:4x",
        "+2:4x",
        // A four-byte character is two code units, and the length may fall between them.
        "1:😀abc",
        "2:😀abc",
        "2:4😀",
        "3:4😀",
        "4:4😀x",
        "1:😀1:😀1:😀",
        "99999999999999999999:4x",
        "18446744073709551615:4x",
        "\u{1e}",
        "\u{1e}\u{1e}\u{1e}",
        "4\u{1e}",
        "😀",
        "b😀",
        "b====",
        "45-[",
        "4599999999-[\"x\"]",
    ];
    let bytes: [&[u8]; 7] = [
        &[0, 2, 0xff],
        &[0, 9, 0xff, b'4', b'x'],
        &[0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0xff],
        &[1, 2, 0xff, 4, 1],
        &[2, 2, 0xff, b'4', b'x'],
        &[0, 0, 0xff, 0xf0, 0x9f, 0x98, 0x80],
        &[0xff; 64],
    ];
    let large = [
        "😀".repeat(most / 4),
        format!("{}:{}", most / 4, "😀".repeat(most / 4 - 2)),
        "1:😀".repeat(most / 6),
        "2:4x".repeat(most / 4),
        "\u{1e}".repeat(most),
        // Not as many as there is room for: each is a message, and a debug build takes its
        // time for them.
        "4x\u{1e}".repeat(most / 30),
    ];
    let texts = texts.map(str::to_owned).into_iter().chain(large);
    texts.map(String::into_bytes).chain(bytes.map(<[u8]>::to_vec)).collect()
}

/// Posts `body` to a new session, with the protocol version `eio` in the address. Returns the
/// answer's status.
pub async fn post(server: &Server, eio: u8, content_type: &str, body: Vec<u8>) -> u16 {
    let session = Polling::open(server).await;
    let path = path(eio, &session.sid);
    let headers = [("content-type", content_type)];
    http::send(server, "POST", &path, &headers, body).await.status.as_u16()
}

/// The same in chunks of one byte each (RFC 9112, section 7.1). The server may refuse before
/// it has read them all.
pub async fn post_byte_by_byte(server: &Server, eio: u8, body: &[u8]) -> u16 {
    let session = Polling::open(server).await;
    let (path, host) = (path(eio, &session.sid), server.address());
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let mut request = head.into_bytes();
    for byte in body {
        request.extend([b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
    }
    request.extend(b"0\r\n\r\n");
    let mut tcp = TcpStream::connect(host).await.expect("the server is listening");
    let (mut read, mut write) = tcp.split();
    let mut answer = Vec::new();
    within("the answer to a body in chunks of one byte", async {
        let write = async { write.write_all(&request).await.ok() };
        tokio::join!(write, read.read_to_end(&mut answer)).1.ok();
    })
    .await;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no status in {answer:?}"))
}

/// The address of a session's POSTs, in one of the two versions of the protocol.
pub fn path(eio: u8, sid: &str) -> String {
    format!("/socket.io/?EIO={eio}&transport=polling&sid={sid}")
}

/// A payload: any bytes, pieces of packets in any order, or a packet with a wound.
pub fn payload(random: &mut Rng) -> Vec<u8> {
    const PIECES: [&str; 24] = [
        "0", "1", "2", "3", "4", "5", "6", "40", "41", "42", "43", "44", "45", "46", "b",
        ":", "/chat,", "-", "[", "]", "\"x\"", "{}", "😀", "\u{1e}",
    ];
    const PACKETS: [&str; 8] = [
        "40",
        "40/room,{\"token\":\"guest-token\"}",
        "42[\"reply\",\"text\"]",
        "41",
        "421[\"join\",{\"room\":\"x\"}]",
        "451-[\"x\",{\"_placeholder\":true,\"num\":0}]",
        "12:42[\"x\",\"😀\"]",
        "430[{\"ok\":true}]",
    ];
    let most = *random.choice(&[8, 8, 64, 64, 4096]).expect("BUG: not empty");
    let size = random.usize(1..=most);
    match random.usize(..3) {
        0 => std::iter::repeat_with(|| random.u8(..)).take(size).collect(),
        1 => (0..size)
            .flat_map(|_| random.choice(&PIECES).expect("BUG: not empty").bytes())
            .collect(),
        _ => {
            let mut packet =
                random.choice(&PACKETS).expect("BUG: not empty").as_bytes().to_vec();
            let at = random.usize(..packet.len());
            match random.usize(..3) {
                0 => packet.truncate(at),
                1 => packet[at] = random.u8(..),
                _ => packet.splice(at..at, payload(random)).for_each(drop),
            }
            packet
        }
    }
}
