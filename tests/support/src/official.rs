//! The official JavaScript clients, run by Node.
//!
//! Versions 3 and 4 of `socket.io-client` come from npm, by lockfile, into the folder
//! `target/node` of the workspace: once, the first time a test needs them.

use std::{
    collections::VecDeque, path::PathBuf, process::Stdio, sync::OnceLock, time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{Server, effort, npm, skipped};

/// How long Node may take to start on a busy machine.
const STARTING: Duration = Duration::from_secs(30);

/// A client of the official library, in a Node process of its own.
#[derive(Debug)]
pub struct Official {
    _process: Child,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// What the client reported while something else was awaited.
    waiting: VecDeque<Value>,
    next_ack: u64,
}

/// A version of the official client, and the transports that it may use, in their order.
pub type Way = (u8, &'static [&'static str]);

/// How an official client may connect: every version that the programs serve, by every
/// transport. A quick run has one of each version.
pub fn ways() -> &'static [Way] {
    const WAYS: [Way; 5] = [
        (4, &["polling", "websocket"]),
        (3, &["websocket"]),
        (4, &["polling"]),
        (4, &["websocket"]),
        (3, &["polling", "websocket"]),
    ];
    effort::some_of(&WAYS, 2)
}

/// Whether tests that need Node are to be left out (`WORKBOOK_SKIP=node`).
pub fn skip() -> bool {
    skipped("node")
}

impl Official {
    /// Connects to the namespace `/` with the library's default options, and waits until it
    /// is connected. `version` is 3 or 4.
    pub async fn connect(server: &Server, version: u8) -> Self {
        Self::connect_with(server, version, "/", json!({})).await
    }

    /// The same, with a namespace and options.
    pub async fn connect_with(
        server: &Server,
        version: u8,
        namespace: &str,
        options: Value,
    ) -> Self {
        let mut client = Self::start(server, version, namespace, options).await;
        client.on("connect").await;
        client
    }

    /// Starts to connect.
    pub async fn start(
        server: &Server,
        version: u8,
        namespace: &str,
        options: Value,
    ) -> Self {
        let folder = modules();
        let mut process = Command::new("node")
            .arg("client.mjs")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("BUG: npm has just run, so Node is there");
        let commands = process.stdin.take().expect("BUG: piped");
        let output = process.stdout.take().expect("BUG: piped");
        let mut client = Self {
            _process: process,
            commands,
            lines: BufReader::new(output).lines(),
            waiting: VecDeque::new(),
            next_ack: 0,
        };
        let (version, url) = (version.to_string(), server.url(namespace));
        client.command(json!({ "do": "connect", "version": version, "url": url, "options": options })).await;
        // Node takes its time to start, and the server under test has no part in it.
        client.report_after(STARTING, "its start", |line| line["on"] == "started").await;
        client
    }

    /// Emits an event. `args` is a JSON array; `{"$binary": "hex"}` in it stands for bytes.
    pub async fn emit(&mut self, event: &str, args: Value) {
        self.command(json!({ "do": "emit", "event": event, "args": args })).await;
    }

    /// Emits an event and returns the values of its acknowledgement.
    pub async fn ask(&mut self, event: &str, args: Value) -> Value {
        self.ask_where(None, event, args).await
    }

    async fn ask_where(
        &mut self,
        namespace: Option<&str>,
        event: &str,
        args: Value,
    ) -> Value {
        let ack = self.next_ack;
        self.next_ack += 1;
        let mut emit = json!({ "do": "emit", "event": event, "args": args, "ack": ack });
        if let Some(namespace) = namespace {
            emit["namespace"] = namespace.into();
        }
        self.command(emit).await;
        self.report(&format!("the acknowledgement of {event}"), |line| {
            line["on"] == "ack" && line["ack"] == ack
        })
        .await["args"]
            .take()
    }

    /// Connects to one more namespace over the same connection, and returns what the client
    /// reported: `connect` or `connect_error`.
    pub async fn join(&mut self, namespace: &str) -> Value {
        self.command(json!({ "do": "join", "namespace": namespace })).await;
        self.report(&format!("an answer from {namespace}"), |line| {
            line["nsp"] == namespace
                && (line["on"] == "connect" || line["on"] == "connect_error")
        })
        .await
    }

    /// Waits for an event in `namespace` and returns its arguments.
    pub async fn event_in(&mut self, namespace: &str, event: &str) -> Value {
        self.report(&format!("the event {event} in {namespace}"), |line| {
            line["on"] == "event" && line["nsp"] == namespace && line["event"] == event
        })
        .await["args"]
            .take()
    }

    /// Emits an event in `namespace` and returns the values of its acknowledgement.
    pub async fn ask_in(&mut self, namespace: &str, event: &str, args: Value) -> Value {
        self.ask_where(Some(namespace), event, args).await
    }

    /// Disconnects from one namespace and keeps the connection.
    pub async fn leave(&mut self, namespace: &str) {
        self.command(json!({ "do": "disconnect", "namespace": namespace })).await;
    }

    /// Acknowledges every `event` that comes from now on with `answer`, a JSON array.
    pub async fn acknowledge(&mut self, event: &str, answer: Value) {
        self.command(json!({ "do": "acknowledge", "event": event, "answer": answer }))
            .await;
    }

    /// Waits for an event and returns its arguments.
    pub async fn event(&mut self, event: &str) -> Value {
        self.event_after(Duration::ZERO, event).await
    }

    /// The same for an event that comes after `least` at the earliest.
    pub async fn event_after(&mut self, least: Duration, event: &str) -> Value {
        self.report_after(least, &format!("the event {event}"), |line| {
            line["on"] == "event" && line["event"] == event
        })
        .await["args"]
            .take()
    }

    /// Waits until the client reports `connect`, `disconnect`, `connect_error`, `upgrade` or
    /// `ping`, and returns the report.
    pub async fn on(&mut self, what: &str) -> Value {
        self.report(what, |line| line["on"] == what).await
    }

    /// Disconnects, as `socket.disconnect()` does.
    pub async fn disconnect(&mut self) {
        self.command(json!({ "do": "disconnect" })).await;
    }

    /// Connects again, as `socket.connect()` does.
    pub async fn reconnect(&mut self) {
        self.command(json!({ "do": "reconnect" })).await;
    }

    /// Cuts the connection as a broken network would.
    pub async fn cut(&mut self) {
        self.command(json!({ "do": "cut" })).await;
    }

    async fn command(&mut self, command: Value) {
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await.expect("the client is running");
    }

    async fn report(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.report_after(Duration::ZERO, what, wanted).await
    }

    async fn report_after(
        &mut self,
        least: Duration,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        if let Some(index) = self.waiting.iter().position(&wanted) {
            return self.waiting.remove(index).expect("BUG: it was there");
        }
        let search = async {
            loop {
                let line = self.lines.next_line().await.expect("a readable pipe");
                let line =
                    line.unwrap_or_else(|| panic!("the client ended before {what}"));
                let line: Value = serde_json::from_str(&line).expect("BUG: JSON lines");
                assert!(line["on"] != "crash", "{}", line["message"]);
                if wanted(&line) {
                    return line;
                }
                self.waiting.push_back(line);
            }
        };
        match tokio::time::timeout(least + effort::deadline(), search).await {
            Ok(line) => line,
            Err(_) => panic!("waited in vain for {what}; the client saw {}", self.seen()),
        }
    }

    /// What the client reported, a line each. A client that tries again and again reports
    /// the same many times.
    fn seen(&self) -> String {
        let mut lines: Vec<(String, u32)> = Vec::new();
        for report in self.waiting.iter().map(Value::to_string) {
            match lines.last_mut() {
                Some((last, times)) if *last == report => *times += 1,
                _ => lines.push((report, 1)),
            }
        }
        if lines.is_empty() {
            return "nothing".to_owned();
        }
        lines.iter().map(|(line, times)| format!("\n{times} × {line}")).collect()
    }
}

/// The folder with the clients, the driver and their `node_modules`. Installed once, also when
/// several test programs ask for it at once.
///
/// # Panics
/// If Node or npm is missing, or npm cannot install: with the sentence to read.
pub fn modules() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let install = || {
        let files = ["client.mjs".to_owned()];
        npm::install(
            "tests/support/node",
            "target/node",
            &files,
            "the official Socket.IO clients",
        )
    };
    FOLDER.get_or_init(install).clone()
}
