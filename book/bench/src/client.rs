//! The generator's side of a connection: as little work as can be, so that the servers are
//! what is measured. Frames are read in place, and a client keeps no buffer.

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::Pin,
    task::{Poll, ready},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};

/// What a server speaks, and how a client gets to where messages flow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Dialect {
    /// A WebSocket that sends every text back.
    Echo,
    /// Socket.IO over one WebSocket, and with `polling` first, as a browser does it.
    SocketIo {
        /// Open by long polling, then upgrade.
        polling: bool,
        /// What is sent along when the namespace is asked for: JSON, or nothing.
        auth: &'static str,
    },
    /// The bare TCP fan-out: two bytes with the number of a room, and then frames.
    Floor,
}

/// One open connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) tcp: TcpStream,
    /// The beginning of a frame whose end is still to come.
    rest: Vec<u8>,
}

/// What a browser sends along with every request. An empty request would flatter servers
/// that keep it.
const BROWSER: &str = "Connection: keep-alive\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/142.0.0.0 Safari/537.36\r\n\
    Accept: */*\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: cors\r\n\
    Sec-Fetch-Dest: empty\r\n";
const UPGRADE: &str = "Connection: Upgrade\r\n\
    Upgrade: websocket\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/142.0.0.0 Safari/537.36\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

impl Client {
    /// Connects, and goes as far as `dialect` says: to the open WebSocket, to the namespace.
    pub(crate) async fn open(address: SocketAddr, dialect: Dialect) -> Result<Self> {
        match dialect {
            Dialect::Floor => Self::connect(address).await,
            Dialect::Echo => Self::upgrade(address, "/echo").await,
            Dialect::SocketIo { polling: true, auth } => {
                Self::open_by_polling(address, auth).await
            }
            Dialect::SocketIo { polling: false, auth } => {
                let path = "/socket.io/?EIO=4&transport=websocket";
                let mut client = Self::upgrade(address, path).await?;
                client.text_with("0{").await?;
                client.send(&format!("40{auth}")).await?;
                client.text_with("40{").await?;
                Ok(client)
            }
        }
    }

    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { tcp, rest: Vec::new() }
    }

    async fn connect(address: SocketAddr) -> Result<Self> {
        let tcp = TcpStream::connect(address).await.context("cannot connect")?;
        tcp.set_nodelay(true)?;
        Ok(Self::new(tcp))
    }

    /// Opens a session by long polling, joins the namespace, and upgrades. The connection
    /// that carried the requests is closed then: a browser keeps it for a while, for other
    /// requests, and that is another story.
    async fn open_by_polling(address: SocketAddr, auth: &str) -> Result<Self> {
        let mut http = Self::connect(address).await?;
        let path = "/socket.io/?EIO=4&transport=polling";
        let open = http.request("GET", path, "").await?;
        let sid =
            open.split_once(r#""sid":""#).and_then(|(_, rest)| rest.split_once('"'));
        let (sid, _) = sid.with_context(|| format!("no open packet: {open}"))?;
        let session = format!("{path}&sid={sid}");
        http.request("POST", &session, &format!("40{auth}")).await?;
        let (mut joined, mut pinged) = (false, false);
        while !joined {
            let packets = http.request("GET", &session, "").await?;
            joined = packets.contains("40{");
            // Some servers ping at once, and hang up on those who do not answer.
            pinged |= packets.split('\u{1e}').any(|packet| packet == "2");
        }
        let path = format!("/socket.io/?EIO=4&transport=websocket&sid={sid}");
        let mut client = Self::upgrade(address, &path).await?;
        client.send("2probe").await?;
        client.text_with("3probe").await?;
        client.send("5").await?;
        if pinged {
            client.send("3").await?;
        }
        Ok(client)
    }

    /// One request on a connection that stays open, and the body of its answer.
    async fn request(&mut self, method: &str, path: &str, body: &str) -> Result<String> {
        let host = self.tcp.peer_addr()?;
        let length = body.len();
        let content = match method {
            "POST" => {
                format!(
                    "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n"
                )
            }
            _ => String::new(),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{BROWSER}{content}\r\n{body}"
        );
        self.tcp.write_all(request.as_bytes()).await?;
        let (head, mut body) = self.head().await?;
        ensure!(head.starts_with("HTTP/1.1 200 "), "{method} {path}: {head}");
        let length = head.to_ascii_lowercase();
        let length = length.split_once("content-length: ").context("no length")?.1;
        let length: usize = length.split("\r\n").next().unwrap_or_default().parse()?;
        let have = body.len();
        ensure!(have <= length, "more than the answer came");
        body.resize(length, 0);
        self.tcp.read_exact(&mut body[have..]).await?;
        Ok(String::from_utf8(body)?)
    }

    /// The head of an answer, and the bytes that came with it.
    async fn head(&mut self) -> Result<(String, Vec<u8>)> {
        let mut bytes = Vec::with_capacity(1024);
        loop {
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let body = bytes.split_off(end + 4);
                return Ok((String::from_utf8(bytes)?, body));
            }
            ensure!(
                self.tcp.read_buf(&mut bytes).await? > 0,
                "closed instead of an answer"
            );
        }
    }

    async fn upgrade(address: SocketAddr, path: &str) -> Result<Self> {
        let mut client = Self::connect(address).await?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n{UPGRADE}\r\n"
        );
        client.tcp.write_all(request.as_bytes()).await?;
        let (head, rest) = client.head().await?;
        ensure!(head.starts_with("HTTP/1.1 101 "), "GET {path}: {head}");
        client.rest = rest;
        Ok(client)
    }

    /// Sends one text.
    pub(crate) async fn send(&mut self, text: &str) -> Result<()> {
        self.tcp.write_all(&frame(text, true)).await?;
        Ok(())
    }

    /// Waits for a text that starts with `prefix`. Others are dropped, pings are answered.
    pub(crate) async fn text_with(&mut self, prefix: &str) -> Result<()> {
        let mut found = false;
        // What came along with the 101.
        let waiting = std::mem::take(&mut self.rest);
        let mut see = |text: &[u8]| found |= text.starts_with(prefix.as_bytes());
        self.take(&waiting, &mut see)?;
        while !found {
            self.read(&mut |text: &[u8]| found |= text.starts_with(prefix.as_bytes()))
                .await?;
        }
        Ok(())
    }

    /// Reads once, and hands over every text that is complete. Pings are answered.
    pub(crate) async fn read(&mut self, see: &mut impl FnMut(&[u8])) -> Result<()> {
        poll_fn(|context| {
            // On the stack, and only while there is something to read.
            let mut bytes = [0; 16 * 1024];
            let mut bytes = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.tcp).poll_read(context, &mut bytes))?;
            if bytes.filled().is_empty() {
                return Poll::Ready(
                    Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                );
            }
            Poll::Ready(self.take(bytes.filled(), see))
        })
        .await
    }

    /// Splits bytes into frames.
    fn take(&mut self, bytes: &[u8], see: &mut impl FnMut(&[u8])) -> Result<()> {
        let joined;
        let mut bytes = bytes;
        if !self.rest.is_empty() {
            self.rest.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.rest);
            bytes = &joined;
        }
        while let Some((opcode, payload, length)) = parse(bytes)? {
            match (opcode, payload) {
                // An Engine.IO ping and a WebSocket's.
                (1, b"2") => self.reply(&frame("3", true)),
                (1, text) => see(text),
                (9, data) => self.reply(&masked(0x8a, data)),
                (8, _) => bail!("closed by the server"),
                _ => {}
            }
            bytes = &bytes[length..];
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// A few bytes that fit into the socket's buffer, unless the server reads nothing at
    /// all: it will then find that this client does not answer.
    fn reply(&self, bytes: &[u8]) {
        self.tcp.try_write(bytes).ok();
    }
}

/// The first frame in `bytes`: its opcode, its payload, and how many bytes it takes. Nothing
/// if it is not complete.
fn parse(bytes: &[u8]) -> Result<Option<(u8, &[u8], usize)>> {
    let &[first, second, ..] = bytes else { return Ok(None) };
    ensure!(first & 0xf0 == 0x80, "a frame in parts, or compressed: {first:#04x}");
    ensure!(second & 0x80 == 0, "a server masks nothing");
    let (head, length) = match second {
        127 => {
            let Some(length) = bytes.get(2..10) else { return Ok(None) };
            let length = u64::from_be_bytes(length.try_into().expect("BUG: eight bytes"));
            (10, usize::try_from(length)?)
        }
        126 => {
            let Some(length) = bytes.get(2..4) else { return Ok(None) };
            (4, usize::from(u16::from_be_bytes([length[0], length[1]])))
        }
        short => (2, usize::from(short)),
    };
    let payload = bytes.get(head..head + length);
    Ok(payload.map(|payload| (first & 0x0f, payload, head + length)))
}

/// A text as a frame: masked as from a client, or bare as from a server.
pub(crate) fn frame(text: &str, mask: bool) -> Vec<u8> {
    if mask {
        return masked(0x81, text.as_bytes());
    }
    let mut bytes = head(0x81, text.len(), 0);
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x5a, 0xc3, 0x96, 0x3c];
    let mut bytes = head(first, payload.len(), 0x80);
    bytes.extend(KEY);
    bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

fn head(first: u8, length: usize, mask: u8) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short @ 0..=125) => vec![first, mask | short],
        _ => {
            let length = u16::try_from(length).expect("BUG: messages are short");
            let [high, low] = length.to_be_bytes();
            vec![first, mask | 126, high, low]
        }
    }
}
