//! The GIF chat of chapter 6: its server with a data folder of its own, and its visitors.

use std::{
    error::Error,
    ops::Deref,
    path::{Path, PathBuf},
};

use form_urlencoded::Serializer;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1::SendRequest, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
pub use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{
    Server,
    http::{self, Response},
    socket_io::SocketIo,
    within,
};

/// The namespace of the lobby.
pub const LOBBY: &str = "/room";
/// The namespace of those who are in a room.
pub const CHAT: &str = "/chat";

/// How long things wait, unless a test says otherwise: for an hour. A slow machine takes its
/// time for a test, and meanwhile nobody leaves and no room ends. A test that waits for such
/// an end sets the time for it.
const TIMES: [(&str, &str); 3] = [
    ("LEAVE_GRACE_MS", "3600000"),
    ("EMPTY_ROOM_MS", "3600000"),
    ("ABANDONED_ROOM_MS", "3600000"),
];

/// A server with its own data. The data is removed when this is dropped.
pub struct Chat {
    // Dropped before the folder that it writes to.
    server: Server,
    folder: TempDir,
    program: String,
    environment: Vec<(String, String)>,
}

impl Deref for Chat {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Chat {
    /// Starts `program`, or uses the server that `WORKBOOK_URL` names.
    pub async fn start(program: &str) -> Self {
        Self::start_with(program, &[]).await
    }

    /// The same, with environment variables. The server that `WORKBOOK_URL` names has its own.
    pub async fn start_with(program: &str, environment: &[(&str, &str)]) -> Self {
        if let Some(server) = Server::named() {
            let (program, environment) = (String::new(), vec![]);
            return Self { server, folder: folder(), program, environment };
        }
        Self::spawn(program, folder(), owned(environment)).await
    }

    /// Starts `program` for a promise that needs the process itself. Nothing with
    /// `WORKBOOK_URL`: the promise is listed as not checked.
    pub async fn own(program: &str) -> Option<Self> {
        Self::own_with(program, &[]).await
    }

    /// The same, with environment variables: the timers', for example.
    pub async fn own_with(program: &str, environment: &[(&str, &str)]) -> Option<Self> {
        Self::own_in(program, folder(), environment).await
    }

    /// The same in a folder that is not empty: with an `.env`, or with data in `data/`.
    pub async fn own_in(
        program: &str,
        folder: TempDir,
        environment: &[(&str, &str)],
    ) -> Option<Self> {
        if !crate::is_ours("it needs the process") {
            return None;
        }
        Some(Self::spawn(program, folder, owned(environment)).await)
    }

    async fn spawn(
        program: &str,
        folder: TempDir,
        environment: Vec<(String, String)>,
    ) -> Self {
        let data = folder.path().join("data");
        let mut all = TIMES.to_vec();
        all.push(("DATA_DIR", data.to_str().expect("BUG: we named it")));
        all.extend(environment.iter().map(|(name, value)| (&**name, &**value)));
        let server = Server::spawn(program, folder.path(), &all).await;
        Self { server, folder, program: program.to_owned(), environment }
    }

    /// Ends the program by a signal (`TERM`, or `KILL` for a crash) and starts it again with
    /// the same data and environment, at another address: its own may be another program's
    /// by then.
    #[cfg(unix)]
    pub async fn restart_elsewhere(self, signal: &str) -> Self {
        self.stop(signal).await.start().await
    }

    /// The same at the same address, for clients that reconnect.
    #[cfg(unix)]
    pub async fn restart(self, signal: &str) -> Self {
        let port = self.address().rsplit(':').next().expect("BUG: host:port").to_owned();
        self.stop(signal).await.start_with(&[("PORT", &port)]).await
    }

    /// Ends the program by a signal, and waits until it has ended.
    #[cfg(unix)]
    pub async fn stop(mut self, signal: &str) -> Stopped {
        self.server.signal(signal).await;
        self.server.exit().await;
        Stopped(self)
    }

    /// The folder with the program's data (`DATA_DIR`).
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder that the program was started in. It holds the data and nothing else.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A [`Chat`] whose program has ended. Its data is still there.
pub struct Stopped(Chat);

impl Stopped {
    /// What the program has logged.
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// Starts the program again with the same data and environment, at a free port.
    pub async fn start(self) -> Chat {
        self.start_with(&[]).await
    }

    /// The same, with environment variables that replace the old ones or join them.
    pub async fn start_with(self, environment: &[(&str, &str)]) -> Chat {
        let Chat { folder, program, environment: mut all, .. } = self.0;
        all.retain(|(old, _)| !environment.iter().any(|(name, _)| old == name));
        all.extend(owned(environment));
        Chat::spawn(&program, folder, all).await
    }
}

fn owned(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    environment.iter().map(owned).collect()
}

/// An empty folder among the temporary files, removed when it is dropped.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for temporary files")
}

/// One connection to one process, for many requests. A client that connects for each request
/// may find another server at the same address when its own has been killed.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    cookie: String,
}

impl Connection {
    /// Connects.
    pub async fn open(server: &Server, visitor: &Visitor) -> Self {
        let (host, cookie) = (server.address().to_owned(), visitor.cookie.clone());
        let sender = within("a connection", async {
            let stream = TcpStream::connect(&host).await.expect("it listens");
            stream.set_nodelay(true).expect("a TCP socket");
            let io = TokioIo::new(stream);
            let handshake = hyper::client::conn::http1::handshake(io).await;
            let (sender, connection) = handshake.expect("BUG: nothing is sent yet");
            tokio::spawn(connection);
            sender
        })
        .await;
        Self { sender, host, cookie }
    }

    /// Sends a POST. An error is the end of the process or of the connection.
    pub async fn post(
        &mut self,
        path: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Response, Box<dyn Error + Send + Sync>> {
        let mut request = Request::post(path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, content_type);
        if !self.cookie.is_empty() {
            request = request.header(header::COOKIE, &self.cookie);
        }
        let request = request.body(Full::new(body.into())).expect("BUG: a valid request");
        let answer = async {
            self.sender.ready().await?;
            let (parts, body) = self.sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Response { status: parts.status, headers: parts.headers, body })
        };
        within(&format!("the answer to POST {path}, or the end"), answer).await
    }
}

/// A browser, as far as the server can tell: it keeps its cookie.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// As it is sent back: `visitor=…`. Empty if there is none.
    pub cookie: String,
}

impl Visitor {
    /// Opens the lobby's page, and keeps the cookie if it sets one.
    pub async fn new(server: &Server) -> Self {
        let page = http::get(server, "/").await;
        let cookie = page.header("set-cookie").split(';').next().unwrap_or_default();
        Self { cookie: cookie.to_owned() }
    }

    /// Somebody without a cookie.
    pub fn nobody() -> Self {
        Self { cookie: String::new() }
    }

    /// `GET path`, as a browser opens a page.
    pub async fn get(&self, server: &Server, path: &str) -> Response {
        self.send(server, "GET", path, &[], "").await
    }

    /// `DELETE path`, as a page's script does.
    pub async fn delete(&self, server: &Server, path: &str) -> Response {
        self.send(server, "DELETE", path, &[], "").await
    }

    /// Sends a form.
    pub async fn post_form(
        &self,
        server: &Server,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Response {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(server, "POST", path, &headers, form(fields)).await
    }

    /// Sends JSON.
    pub async fn post_json(&self, server: &Server, path: &str, what: Value) -> Response {
        let headers = [("content-type", "application/json")];
        self.send(server, "POST", path, &headers, what.to_string()).await
    }

    /// Sends any request, with the cookie.
    pub async fn send(
        &self,
        server: &Server,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response {
        let mut all = headers.to_vec();
        all.extend(self.cookie_header());
        http::send(server, method, path, &all, body).await
    }

    /// Creates a room for ten, without a password, and returns its id.
    pub async fn create(&self, server: &Server, title: &str) -> String {
        self.create_with(server, &[("title", title), ("max", "10")]).await
    }

    /// Creates a room by the form's fields (`title`, `max`, `password`), and returns its id.
    pub async fn create_with(&self, server: &Server, fields: &[(&str, &str)]) -> String {
        let answer = self.post_form(server, "/room", fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let id = answer.header("location").strip_prefix("/room/");
        id.expect("the way to the new room").to_owned()
    }

    /// Opens a connection with the cookie, and connects to `namespace`.
    pub async fn connect(&self, server: &Server, namespace: &str) -> SocketIo {
        let connected = self.try_connect(server, namespace).await;
        connected.unwrap_or_else(|error| panic!("not let in to {namespace}: {error}"))
    }

    /// The same, where the `connect_error` may be the answer.
    pub async fn try_connect(
        &self,
        server: &Server,
        namespace: &str,
    ) -> Result<SocketIo, Value> {
        let headers: Vec<_> = self.cookie_header().into_iter().collect();
        let mut socket = SocketIo::open_with(server, "", &headers).await;
        socket.join(namespace, None).await?;
        Ok(socket)
    }

    /// Watches the lobby. Returns the rooms of its first event too.
    pub async fn watch(&self, server: &Server) -> (SocketIo, Vec<Value>) {
        let mut socket = self.connect(server, LOBBY).await;
        let mut args = socket.event_in(LOBBY, "rooms").await;
        let Value::Array(rooms) = args[0].take() else {
            panic!("a list of rooms is no list: {args}")
        };
        (socket, rooms)
    }

    /// The colour that the lobby's page says this visitor has.
    pub async fn colour(&self, server: &Server) -> String {
        let page = self.get(server, "/").await.text();
        let user = page.split("class=\"user\" data-user=\"").nth(1);
        let user = user.unwrap_or_else(|| panic!("no colour on the page:\n{page}"));
        user.chars().take_while(|&c| c != '"').collect()
    }

    fn cookie_header(&self) -> Option<(&'static str, &str)> {
        (!self.cookie.is_empty()).then_some(("cookie", self.cookie.as_str()))
    }
}

/// Two visitors.
pub async fn two(server: &Server) -> (Visitor, Visitor) {
    (Visitor::new(server).await, Visitor::new(server).await)
}

/// Waits until the lobby is told of a new room, and returns what it is told. Others may be
/// making rooms too.
pub async fn told(socket: &mut SocketIo, id: &str) -> Value {
    loop {
        let mut event = socket.event_in(LOBBY, "newRoom").await;
        if event[0]["id"] == id {
            return event[0].take();
        }
    }
}

/// A form's fields as a browser encodes them (`application/x-www-form-urlencoded`).
pub fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What presence and all that follows needs (from chapter 6-3 on).
impl Visitor {
    /// Opens a tab in a room. Returns the answer too.
    pub async fn join(&self, server: &Server, room: &str) -> (SocketIo, Value) {
        let (socket, answer) = self.try_join(server, room).await;
        assert_eq!(answer["ok"], true, "not let into the room: {answer}");
        (socket, answer)
    }

    /// The same, where a refusal may be the answer.
    pub async fn try_join(&self, server: &Server, room: &str) -> (SocketIo, Value) {
        let mut socket = self.connect(server, CHAT).await;
        let answer = join(&mut socket, room).await;
        (socket, answer)
    }
}

/// Asks for a place in a room, and returns the answer.
pub async fn join(socket: &mut SocketIo, room: &str) -> Value {
    socket.ask_in(CHAT, "join", json!([{ "room": room }])).await
}

/// All packets of `/chat` that came so far. Whoever wants to know what followed something
/// sees that through first.
pub async fn heard(socket: &mut SocketIo) -> Vec<String> {
    let mut packets = socket.so_far_in(CHAT, "a mark").await;
    packets.retain(|packet| packet.starts_with("42/chat,"));
    packets
}

/// What talking needs (from chapter 6-5 on).
impl Visitor {
    /// Sends a message.
    pub async fn say(&self, server: &Server, room: &str, text: &str) -> Response {
        self.post_json(server, &format!("/room/{room}/chat"), json!({ "chat": text }))
            .await
    }

    /// Sends a message that is taken, and returns it as it was stored.
    pub async fn said(&self, server: &Server, room: &str, text: &str) -> Value {
        let answer = self.say(server, room, text).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{text:?}: {}", answer.text());
        answer.json()
    }

    /// Asks for what was said: `query` is empty, or starts with a question mark.
    pub async fn history(&self, server: &Server, room: &str, query: &str) -> Response {
        self.get(server, &format!("/room/{room}/messages{query}")).await
    }

    /// All that was said in a room, from its first message on, fifty at a time.
    pub async fn everything(&self, server: &Server, room: &str) -> Vec<Value> {
        let mut messages: Vec<Value> = vec![];
        loop {
            let seq =
                messages.last().map_or(0, |last| last["seq"].as_i64().expect("a number"));
            let answer = self.history(server, room, &format!("?after={seq}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            let Value::Array(next) = answer.json() else {
                panic!("no list: {}", answer.text())
            };
            if next.is_empty() {
                return messages;
            }
            messages.extend(next);
        }
    }
}

/// The next message in a tab.
pub async fn message(socket: &mut SocketIo) -> Value {
    socket.event_in(CHAT, "chat").await[0].take()
}

/// The disposition of the part with the file, in the form that sends a GIF.
pub const FILE: &str = "form-data; name=\"gif\"; filename=\"cat.gif\"";

/// What GIFs need (from chapter 6-6 on).
impl Visitor {
    /// Sends a GIF, as the page's script does.
    pub async fn send_gif(&self, server: &Server, room: &str, gif: &[u8]) -> Response {
        self.send_form(server, room, &[(FILE, gif)]).await
    }

    /// Sends a GIF that is taken, and returns its message.
    pub async fn sent_gif(&self, server: &Server, room: &str, gif: &[u8]) -> Value {
        let answer = self.send_gif(server, room, gif).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }

    /// Sends a form of any parts: each has a disposition and a content.
    pub async fn send_form(
        &self,
        server: &Server,
        room: &str,
        parts: &[(&str, &[u8])],
    ) -> Response {
        let (kind, body) = multipart(parts);
        let path = format!("/room/{room}/gif");
        self.send(server, "POST", &path, &[("content-type", &kind)], body).await
    }
}

/// The content type and the body of a form with files (`multipart/form-data`).
pub fn multipart(parts: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    const BOUNDARY: &str = "----workbook7MA4YWxkTrZu0gW";
    let mut body = vec![];
    for (disposition, content) in parts {
        let head = format!("--{BOUNDARY}\r\ncontent-disposition: {disposition}\r\n\r\n");
        body.extend(head.as_bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}
