//! A chapter's program under test, or a server that is already running.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
};

use crate::{
    effort::{deadline, times},
    say, test_name, twin, within, within_after,
};

/// A server to test. Its process, if it is ours, ends when this is dropped; if the test
/// failed, its log is printed.
pub struct Server {
    address: String,
    process: Option<Child>,
    log: Log,
    /// What keeps tests apart that share this server. Released when it is dropped.
    _turn: Option<File>,
}

impl Server {
    /// Starts `program`, or its twin in Node with `WORKBOOK_SERVER=node`, or uses the server
    /// that `WORKBOOK_URL` names.
    ///
    /// `program` is `env!("CARGO_BIN_EXE_chapter-N")` in a chapter's own tests.
    pub async fn start(program: &str) -> Self {
        Self::start_with(program, &[]).await
    }

    /// The same. A program that is started here gets these environment variables.
    pub async fn start_with(program: &str, environment: &[(&str, &str)]) -> Self {
        match Self::named() {
            Some(server) => server,
            None => Self::spawn(program, &std::env::temp_dir(), environment).await,
        }
    }

    /// The same for a promise about a number that all clients share. If `WORKBOOK_URL` names
    /// the server, this waits until no other test uses it, and the others wait meanwhile.
    pub async fn alone(program: &str) -> Self {
        match Self::shared(File::lock) {
            Some(server) => server,
            None => Self::start(program).await,
        }
    }

    /// The server that `WORKBOOK_URL` names.
    pub(crate) fn named() -> Option<Self> {
        Self::shared(File::lock_shared)
    }

    /// The server that `WORKBOOK_URL` names, as soon as it is this test's turn. Tests may be
    /// processes, so the turn is the lock of a file.
    fn shared(lock: fn(&File) -> std::io::Result<()>) -> Option<Self> {
        let url = std::env::var("WORKBOOK_URL").ok()?;
        let mut server = Self::running(&url);
        let name = format!("workbook-{}.lock", server.address.replace(':', "-"));
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(std::env::temp_dir().join(name))
            .expect("a writable folder for temporary files");
        lock(&file).expect("a file lock");
        server._turn = Some(file);
        Some(server)
    }

    /// Starts `program` for a promise that needs the process itself: its log, its signals,
    /// its memory. With `WORKBOOK_URL` there is no such process: the promise is listed as not
    /// checked, and the test has nothing to do.
    pub async fn own(program: &str) -> Option<Self> {
        Self::own_with(program, &[]).await
    }

    /// The same, with environment variables.
    pub async fn own_with(program: &str, environment: &[(&str, &str)]) -> Option<Self> {
        if !has_process() {
            return None;
        }
        Some(Self::spawn(program, &std::env::temp_dir(), environment).await)
    }

    /// Runs `program` where it should refuse to start. Returns its exit code, standard
    /// output and standard error, or nothing with `WORKBOOK_URL`.
    pub async fn refused(
        program: &str,
        environment: &[(&str, &str)],
    ) -> Option<(Option<i32>, String, String)> {
        Self::refused_in(program, &std::env::temp_dir(), environment).await
    }

    /// The same, in a working directory.
    pub async fn refused_in(
        program: &str,
        folder: &Path,
        environment: &[(&str, &str)],
    ) -> Option<(Option<i32>, String, String)> {
        if !has_process() {
            return None;
        }
        let mut command = command(program);
        // Whatever else runs on this machine may have the usual port.
        command.current_dir(folder).env("PORT", "0").envs(environment.iter().copied());
        let child = command.spawn();
        let child =
            child.unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        let output = within("the program to exit", child.wait_with_output()).await;
        let output = output.expect("BUG: it is our child");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Some((output.status.code(), text(output.stdout), text(output.stderr)))
    }

    fn running(url: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap_or_else(|| {
            panic!("WORKBOOK_URL must start with http://, not be {url:?}");
        });
        Self::at(address.trim_end_matches('/'))
    }

    /// A server that runs at `host:port`, of which nothing else is known.
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            process: None,
            log: Log::default(),
            _turn: None,
        }
    }

    /// Starts `program` in `folder`.
    pub(crate) async fn spawn(
        program: &str,
        folder: &Path,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut process = command(program)
            .current_dir(folder)
            .env("PORT", "0")
            .envs(environment.iter().copied())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        let log = Log::default();
        let mut output = process.stdout.take().map(BufReader::new).expect("BUG: piped");
        log.follow(process.stderr.take().expect("BUG: piped"));
        let mut first = String::new();
        let read = within("the first line of output", output.read_line(&mut first)).await;
        let Some(address) = first.trim_end().strip_prefix("listening on http://") else {
            let log = log.text();
            panic!("{program} did not start: {read:?} {first:?}\n{log}");
        };
        let address = address.to_owned();
        log.follow(output.into_inner());
        Self { address, process: Some(process), log, _turn: None }
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The URL of `path`, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The process id, if the process is ours.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().and_then(Child::id).expect("BUG: the process is not ours")
    }

    /// What the process holds: its open file descriptors, and its resident memory in KiB.
    #[cfg(target_os = "linux")]
    pub fn held(&self) -> (usize, u64) {
        let proc = format!("/proc/{}", self.pid());
        let descriptors =
            std::fs::read_dir(format!("{proc}/fd")).expect("it runs").count();
        let status = std::fs::read_to_string(format!("{proc}/status")).expect("it runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|line| line.trim().strip_suffix(" kB"));
        (descriptors, resident.and_then(|kib| kib.parse().ok()).expect("a number of kB"))
    }

    /// Lets clients come and go in their thousands. The first ones fill the pools of the
    /// allocator and of the runtime; those that follow must leave the process with the
    /// descriptors it had, and with less than `bytes` more for each of them. `cycle` is one
    /// client, from first to last, and gets its number. When it is gone, the log says `gone`.
    #[cfg(target_os = "linux")]
    pub async fn keeps_nothing_of(
        &self,
        gone: &str,
        bytes: u64,
        mut cycle: impl AsyncFnMut(usize),
    ) {
        let (first, more) = (times(10_000), times(20_000));
        for n in 0..first {
            cycle(n).await;
        }
        self.logged(gone, first).await;
        let (descriptors, memory) = self.held();
        for n in 0..more {
            cycle(n).await;
        }
        self.logged(gone, first + more).await;
        let (descriptors_after, memory_after) = self.held();
        assert!(
            descriptors_after <= descriptors + 2,
            "{descriptors} descriptors before, {descriptors_after} after"
        );
        let most = memory + bytes * more as u64 / 1024;
        assert!(memory_after < most, "{memory} KiB before, {memory_after} KiB after");
    }

    /// What the program has logged so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the log has `count` lines that contain `text`.
    pub async fn logged(&self, text: &str, count: usize) {
        self.logged_within(deadline(), text, count).await;
    }

    /// The same for what takes its time, with a deadline of its own.
    pub async fn logged_within(&self, deadline: Duration, text: &str, count: usize) {
        let mut lines = self.log.changed.subscribe();
        let search = async {
            while self.log.count(text) < count {
                lines.changed().await.expect("BUG: the log outlives its readers");
            }
        };
        if tokio::time::timeout(deadline, search).await.is_err() {
            let seen = self.log.count(text);
            panic!("waited {deadline:?} for {count} log lines with {text:?}, saw {seen}");
        }
    }

    /// Asks the program to stop, as Ctrl-C does (`INT`) or a service manager (`TERM`).
    #[cfg(unix)]
    pub async fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent =
            Command::new("kill").args([&format!("-{signal}"), &pid]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "kill -{signal} {pid} failed");
    }

    /// Waits for the program to end.
    pub async fn exit(&mut self) -> ExitStatus {
        self.exit_after(Duration::ZERO).await
    }

    /// The same for a program that ends after `least` at the earliest.
    pub async fn exit_after(&mut self, least: Duration) -> ExitStatus {
        let process = self.process.as_mut().expect("BUG: the process is not ours");
        let exit = within_after(least, "the program to exit", process.wait());
        exit.await.expect("BUG: it is our child")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() && self.process.is_some() {
            eprintln!("--- log of {}\n{}---", self.address, self.log.end());
        }
    }
}

/// Whether the server under test is a process of ours. If `WORKBOOK_URL` names another, the
/// promise is listed as not checked.
fn has_process() -> bool {
    is_checked("it needs the process", std::env::var_os("WORKBOOK_URL").is_none())
}

/// Whether the server under test is the chapter's own program. If it is its twin or one that
/// `WORKBOOK_URL` names, a promise that is about the program itself or its library, and not
/// about what a server does, is listed as not checked: `why` says what it is about.
pub fn is_ours(why: &str) -> bool {
    is_checked(why, std::env::var_os("WORKBOOK_URL").is_none() && !twin::is_wanted())
}

fn is_checked(why: &str, ours: bool) -> bool {
    if !ours {
        say(&format!("not checked: {} ({why})", test_name()));
    }
    ours
}

/// What programs read from the environment.
const SETTINGS: [&str; 10] = [
    "PORT",
    "HOST",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "COOKIE_SECRET",
    "DATA_DIR",
    "LEAVE_GRACE_MS",
    "EMPTY_ROOM_MS",
    "ABANDONED_ROOM_MS",
];

/// What names another program to ask than the chapter's last: `chapter-2-1`.
pub const PROGRAM: &str = "WORKBOOK_PROGRAM";

/// The program that is asked: all steps of a chapter share its promises, and each step's
/// program lies beside the last one.
fn chosen(program: &str) -> PathBuf {
    let program = Path::new(program);
    match std::env::var(PROGRAM) {
        Ok(name) => program.with_file_name(name + std::env::consts::EXE_SUFFIX),
        Err(_) => program.to_owned(),
    }
}

/// A program, or its twin, with none of this process's settings, and killed if it is
/// forgotten.
fn command(program: &str) -> Command {
    let mut command = if twin::is_wanted() {
        let mut node = Command::new("node");
        node.arg(twin::of(&chosen(program)));
        node
    } else {
        Command::new(chosen(program))
    };
    for name in SETTINGS {
        command.env_remove(name);
    }
    // Not the workspace: a program that finds its files by the working directory fails.
    command.current_dir(std::env::temp_dir());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// The lines a program wrote, as they come.
#[derive(Clone)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    changed: watch::Sender<()>,
}

impl Default for Log {
    fn default() -> Self {
        Self { lines: Arc::default(), changed: watch::Sender::new(()) }
    }
}

impl Log {
    fn follow(&self, stream: impl AsyncRead + Unpin + Send + 'static) {
        let log = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                log.lines.lock().expect("BUG: a log reader panicked").push(line);
                log.changed.send_replace(());
            }
        });
    }

    fn count(&self, text: &str) -> usize {
        let lines = self.lines.lock().expect("BUG: a log reader panicked");
        lines.iter().filter(|line| line.contains(text)).count()
    }

    /// The last lines: a flood may have filled the log.
    fn end(&self) -> String {
        const SHOWN: usize = 200;
        let lines = self.lines.lock().expect("BUG: a log reader panicked");
        let left_out = lines.len().saturating_sub(SHOWN);
        let head = if left_out > 0 {
            format!("… {left_out} lines before\n")
        } else {
            String::new()
        };
        lines[left_out..].iter().fold(head, |text, line| text + line + "\n")
    }

    fn text(&self) -> String {
        let lines = self.lines.lock().expect("BUG: a log reader panicked");
        lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }
}
