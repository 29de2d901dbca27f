//! Messages to groups of connections: the echo, one large room, many small ones.

use std::{
    io::{ErrorKind, Write},
    net::{SocketAddr, TcpStream as StdStream},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

use crate::{
    client::{Client, Dialect, frame},
    process::cpu_time,
};

/// How many connections are being opened at a time.
pub(crate) const AT_ONCE: usize = 64;

/// Who talks to whom, and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) dialect: Dialect,
    /// How many groups. One member of each sends, in turn.
    pub(crate) groups: usize,
    /// Everybody in a group gets what its sender sends.
    pub(crate) members: usize,
    /// Deliveries a second while latency and CPU time are measured.
    pub(crate) rate: u32,
    /// Messages under way while throughput is measured.
    pub(crate) window: u64,
    /// How long the server is driven before anything counts: Node compiles what it has seen
    /// often.
    pub(crate) warm_up: Duration,
    /// How long the fixed rate is kept.
    pub(crate) fixed: Duration,
    /// How long throughput is measured.
    pub(crate) flat_out: Duration,
    /// How long the last deliveries may take to arrive. What is not there by then is lost.
    pub(crate) patience: Duration,
}

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// CPU time of the server for each delivery at the fixed rate, in microseconds.
    pub(crate) cpu: f64,
    /// Every latency at the fixed rate, from the moment the message was meant to be sent, in
    /// microseconds, sorted.
    pub(crate) latencies: Vec<u32>,
    /// Deliveries a second as fast as the server could.
    pub(crate) rate: f64,
    /// How late the generator was with its messages through no fault of the server, in
    /// microseconds, sorted.
    pub(crate) late: Vec<u32>,
    /// Cores that the generator and the server used while throughput was measured.
    pub(crate) generator_cores: f64,
    pub(crate) server_cores: f64,
    /// Deliveries that never came.
    pub(crate) lost: u64,
    /// Deliveries that came twice, or to somebody who was not meant.
    pub(crate) astray: u64,
}

/// The value below which this share of sorted values lies.
pub(crate) fn percentile(sorted: &[u32], share: f64) -> u32 {
    // The smallest value that at least this share of all is not above.
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// What readers and the sender share.
struct Shared {
    delivered: AtomicU64,
    fixed: OnceLock<Schedule>,
    over: AtomicBool,
}

/// When the messages of the fixed rate were meant to be sent.
#[derive(Clone, Copy)]
struct Schedule {
    first: u64,
    count: u64,
    start: Instant,
    every: Duration,
}

impl Schedule {
    fn intended(&self, message: u64) -> Option<Instant> {
        let nth = message.checked_sub(self.first).filter(|nth| *nth < self.count)?;
        Some(self.start + self.every.mul_f64(nth as f64))
    }
}

/// Connects everybody, and drives the server through warm-up, fixed rate and throughput.
pub(crate) async fn drive(
    address: SocketAddr,
    server: u32,
    load: Load,
) -> Result<Outcome> {
    let shared = Arc::new(Shared {
        delivered: AtomicU64::new(0),
        fixed: OnceLock::new(),
        over: AtomicBool::new(false),
    });
    let (mut senders, mut readers) = (Vec::new(), JoinSet::new());
    for (client, group) in connect(address, load).await? {
        let client = if senders.len() == group {
            let tcp = client.tcp.into_std()?;
            senders.push(tcp.try_clone()?);
            Client::new(TcpStream::from_std(tcp)?)
        } else {
            client
        };
        readers.spawn(read(client, group as u64, load.groups as u64, shared.clone()));
    }
    let sender = Sender {
        load,
        senders,
        shared: shared.clone(),
        sent: 0,
        late: Vec::new(),
        server,
    };
    let run = tokio::task::spawn_blocking(move || sender.run());
    let mut outcome = run.await.context("BUG: the sender panicked")??;
    shared.over.store(true, Relaxed);
    let expected = outcome.lost;
    let mut seen = 0;
    while let Some(reader) = readers.join_next().await {
        let reader = reader.context("BUG: a reader panicked")??;
        seen += reader.seen.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        outcome.astray += reader.astray;
        outcome.latencies.extend(reader.latencies);
    }
    outcome.lost = expected - seen;
    outcome.latencies.sort_unstable();
    outcome.late.sort_unstable();
    Ok(outcome)
}

/// Opens all connections. The first of each group comes before its others.
async fn connect(address: SocketAddr, load: Load) -> Result<Vec<(Client, usize)>> {
    let mut all = Vec::with_capacity(load.groups * load.members);
    let mut opening = JoinSet::new();
    for member in 0..load.members {
        for group in 0..load.groups {
            if opening.len() == AT_ONCE {
                all.push(opening.join_next().await.context("BUG: not empty")???);
            }
            opening.spawn(async move {
                enter(address, load.dialect, group)
                    .await
                    .with_context(|| format!("member {member} of group {group}"))
                    .map(|client| (client, group))
            });
        }
    }
    while let Some(opened) = opening.join_next().await {
        all.push(opened??);
    }
    all.sort_by_key(|(_, group)| *group);
    Ok(all)
}

async fn enter(address: SocketAddr, dialect: Dialect, group: usize) -> Result<Client> {
    let mut client = Client::open(address, dialect).await?;
    match dialect {
        Dialect::Echo => {}
        Dialect::SocketIo { .. } => {
            client.send(&format!(r#"420["joinRoom",{{"room":"room {group}"}}]"#)).await?;
            client.text_with("430[").await?;
        }
        Dialect::Floor => {
            client.tcp.write_u16(u16::try_from(group)?).await?;
            client.text_with("in").await?;
        }
    }
    Ok(client)
}

/// What one connection saw.
#[derive(Default)]
struct Reader {
    /// One bit for each message of the group.
    seen: Vec<u64>,
    astray: u64,
    latencies: Vec<u32>,
}

async fn read(
    mut client: Client,
    group: u64,
    groups: u64,
    shared: Arc<Shared>,
) -> Result<Reader> {
    let mut reader = Reader::default();
    loop {
        let mut came = 0;
        let mut now = None;
        let mut see = |text: &[u8]| {
            let Some(message) = number(text) else { return };
            let now = *now.get_or_insert_with(Instant::now);
            if reader.take(message, group, groups) {
                came += 1;
                let schedule = shared.fixed.get();
                if let Some(at) = schedule.and_then(|schedule| schedule.intended(message))
                {
                    let micros = now.saturating_duration_since(at).as_micros();
                    reader.latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
                }
            }
        };
        // A timeout, to look whether it is over, costs nothing while messages come.
        let read =
            tokio::time::timeout(Duration::from_millis(200), client.read(&mut see));
        if let Ok(read) = read.await {
            read.context("while messages were under way")?;
        }
        shared.delivered.fetch_add(came, Relaxed);
        if shared.over.load(Relaxed) {
            return Ok(reader);
        }
    }
}

impl Reader {
    /// Ticks a message off. False if it was not expected here, or not again.
    fn take(&mut self, message: u64, group: u64, groups: u64) -> bool {
        let (nth, of) = (message / groups, message % groups);
        let (word, bit) = ((nth / 64) as usize, 1 << (nth % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let expected = of == group && self.seen[word] & bit == 0;
        if expected {
            self.seen[word] |= bit;
        } else {
            self.astray += 1;
        }
        expected
    }
}

/// The number of a message. Nothing if it is not one of ours.
fn number(text: &[u8]) -> Option<u64> {
    let at = text.iter().position(|byte| *byte == b'#')?;
    let digits = text.get(at + 1..at + 11)?;
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })
}

/// A message with its number: what somebody might say in a chat.
pub(crate) fn message(dialect: Dialect, number: u64) -> Vec<u8> {
    let said =
        format!("#{number:010} The quick brown fox jumps over the lazy dog, and on.");
    match dialect {
        Dialect::Echo => frame(&said, true),
        Dialect::SocketIo { .. } => {
            frame(&format!(r#"42["chatInput",{{"nick":"bench","msg":"{said}"}}]"#), true)
        }
        // The same bytes that the others deliver.
        Dialect::Floor => frame(
            &format!(r#"42["chatMessage",{{"nick":"bench","msg":"{said}"}}]"#),
            false,
        ),
    }
}

/// The thread that sends. Not a task: tokio's clock has a resolution of a millisecond.
struct Sender {
    load: Load,
    senders: Vec<StdStream>,
    shared: Arc<Shared>,
    sent: u64,
    late: Vec<u32>,
    server: u32,
}

impl Sender {
    fn run(mut self) -> Result<Outcome> {
        let (members, rate) = (self.load.members as u64, f64::from(self.load.rate));
        self.flat_out(self.load.warm_up)?;
        self.drain();

        let every = Duration::from_secs_f64(members as f64 / rate);
        let count = (self.load.fixed.as_secs_f64() / every.as_secs_f64()).ceil() as u64;
        let before = (cpu_time(self.server)?, self.shared.delivered.load(Relaxed));
        self.keep_the_rate(every, count)?;
        self.drain();
        let spent = cpu_time(self.server)?.saturating_sub(before.0);
        let deliveries = self.shared.delivered.load(Relaxed) - before.1;

        // The way up is not measured.
        self.flat_out(self.load.flat_out / 4)?;
        let own = std::process::id();
        let before = (Instant::now(), cpu_time(self.server)?, cpu_time(own)?);
        let delivered = self.shared.delivered.load(Relaxed);
        self.flat_out(self.load.flat_out)?;
        let seconds = before.0.elapsed().as_secs_f64();
        let delivered = self.shared.delivered.load(Relaxed) - delivered;
        let server = cpu_time(self.server)?.saturating_sub(before.1);
        let generator = cpu_time(own)?.saturating_sub(before.2);
        self.drain();
        Ok(Outcome {
            cpu: spent.as_secs_f64() * 1e6 / deliveries.max(1) as f64,
            rate: delivered as f64 / seconds,
            generator_cores: generator.as_secs_f64() / seconds,
            server_cores: server.as_secs_f64() / seconds,
            late: self.late,
            // What should have come. The readers know what did.
            lost: self.sent * members,
            ..Outcome::default()
        })
    }

    /// Sends at a fixed rate, whatever the server does. A message that cannot go out in time
    /// is late, and so is all that is behind it: their latencies begin when they were due.
    fn keep_the_rate(&mut self, every: Duration, count: u64) -> Result<()> {
        let start = Instant::now() + Duration::from_millis(20);
        let schedule = Schedule { first: self.sent, count, start, every };
        self.shared.fixed.set(schedule).map_err(|_| "twice").expect("BUG: set once");
        let mut held_up = false;
        for message in schedule.first..schedule.first + count {
            let due = schedule.intended(message).expect("BUG: it is in the schedule");
            let wait = due.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                thread::sleep(wait);
                held_up = false;
            }
            if !held_up {
                let late = due.elapsed().as_micros();
                self.late.push(u32::try_from(late).unwrap_or(u32::MAX));
            }
            held_up |= self.send()?;
        }
        Ok(())
    }

    /// Sends as fast as the server delivers: so many messages are under way and no more.
    fn flat_out(&mut self, length: Duration) -> Result<()> {
        let end = Instant::now() + length;
        let members = self.load.members as u64;
        while Instant::now() < end {
            let complete = self.shared.delivered.load(Relaxed) / members;
            if self.sent.saturating_sub(complete) < self.load.window {
                self.send()?;
            } else {
                thread::sleep(Duration::from_micros(50));
            }
        }
        Ok(())
    }

    /// Waits until everything has arrived, or will not.
    fn drain(&self) {
        let end = Instant::now() + self.load.patience;
        let expected = self.sent * self.load.members as u64;
        while self.shared.delivered.load(Relaxed) < expected && Instant::now() < end {
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends the next message. True if the server held it up.
    fn send(&mut self) -> Result<bool> {
        let bytes = message(self.load.dialect, self.sent);
        let group = self.sent as usize % self.senders.len();
        self.sent += 1;
        let (mut from, mut held_up) = (0, false);
        while from < bytes.len() {
            match self.senders[group].write(&bytes[from..]) {
                Ok(length) => from += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    held_up = true;
                    thread::sleep(Duration::from_micros(100));
                }
                Err(error) => return Err(error).context("the server hung up"),
            }
        }
        Ok(held_up)
    }
}
