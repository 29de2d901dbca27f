//! The machinery counts correctly. Nothing here asserts how fast anything is.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    sync::{Mutex, mpsc},
    time::sleep,
};

use crate::{
    client::{Client, Dialect, frame},
    fanout::{Load, Outcome, drive, message, percentile},
    report::remarks,
};

/// Two groups of three.
const LOAD: Load = Load {
    dialect: Dialect::Floor,
    groups: 2,
    members: 3,
    rate: 3000,
    window: 4,
    warm_up: Duration::from_millis(20),
    fixed: Duration::from_millis(500),
    flat_out: Duration::from_millis(40),
    patience: Duration::from_secs(20),
};
/// Deliveries at the fixed rate: half a second of 3,000 a second.
const FIXED: usize = 1500;

/// What a server does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Crime {
    None,
    /// Every tenth message does not reach the first member.
    Lose,
    /// Every tenth message reaches the first member twice.
    Repeat,
    /// Every tenth message reaches the first member of the other group too.
    Misdirect,
    /// Once, after some 200 messages, nothing happens for 400 milliseconds.
    Stall,
}

/// What is to be written to a member.
type Queue = mpsc::UnboundedSender<Vec<u8>>;

/// A fan-out that counts its crimes.
async fn crooked(crime: Crime) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (address, crimes) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let counter = crimes.clone();
    tokio::spawn(async move {
        let groups = Arc::new(Mutex::new([Vec::<Queue>::new(), Vec::new()]));
        let total = Arc::new(AtomicU64::new(0));
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (groups, crimes, total) =
                (groups.clone(), counter.clone(), total.clone());
            tokio::spawn(async move {
                let (mut reading, mut writing) = tcp.into_split();
                let mut group = [0; 2];
                tokio::io::AsyncReadExt::read_exact(&mut reading, &mut group)
                    .await
                    .unwrap();
                let group = usize::from(group[1]);
                let (out, mut queue) = mpsc::unbounded_channel::<Vec<u8>>();
                out.send(frame("in", false)).unwrap();
                groups.lock().await[group].push(out);
                tokio::spawn(async move {
                    while let Some(bytes) = queue.recv().await {
                        if writing.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                });
                // Every message has the same length.
                let mut bytes = vec![0; message(Dialect::Floor, 0).len()];
                while tokio::io::AsyncReadExt::read_exact(&mut reading, &mut bytes)
                    .await
                    .is_ok()
                {
                    let nth = total.fetch_add(1, Relaxed);
                    let groups = groups.lock().await;
                    let due = nth % 10 == 9;
                    if crime == Crime::Stall && nth == 200 {
                        crimes.fetch_add(1, Relaxed);
                        sleep(Duration::from_millis(400)).await;
                    }
                    for (at, member) in groups[group].iter().enumerate() {
                        let times = match crime {
                            Crime::Lose if due && at == 0 => 0,
                            Crime::Repeat if due && at == 0 => 2,
                            _ => 1,
                        };
                        crimes.fetch_add(u64::from(times != 1), Relaxed);
                        for _ in 0..times {
                            member.send(bytes.clone()).ok();
                        }
                    }
                    if crime == Crime::Misdirect && due {
                        crimes.fetch_add(1, Relaxed);
                        groups[1 - group][0].send(bytes.clone()).ok();
                    }
                }
            });
        }
    });
    (address, crimes)
}

/// Drives a server that commits a crime. The second value is how often it did.
async fn driven(crime: Crime) -> (Outcome, u64) {
    let (address, crimes) = crooked(crime).await;
    // Without a warm-up the stall is sure to come at the fixed rate.
    let warm_up = if crime == Crime::Stall { Duration::ZERO } else { LOAD.warm_up };
    // The CPU time is that of this process: any will do.
    let outcome =
        drive(address, std::process::id(), Load { warm_up, ..LOAD }).await.unwrap();
    (outcome, crimes.load(Relaxed))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_delivery_of_an_honest_server_is_counted_once() {
    let (outcome, _) = driven(Crime::None).await;
    assert_eq!((outcome.lost, outcome.astray), (0, 0));
    assert_eq!(outcome.latencies.len(), FIXED);
    assert!(outcome.rate > 0.0);
    assert!(outcome.latencies.is_sorted() && outcome.late.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_loses_messages_is_told_how_many() {
    let (outcome, crimes) = driven(Crime::Lose).await;
    assert!(crimes > 10, "{crimes}");
    assert_eq!((outcome.lost, outcome.astray), (crimes, 0));
    let remarks = remarks(&outcome, 0).join("\n");
    assert!(remarks.contains(&format!("{crimes} deliveries were lost")), "{remarks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_repeats_messages_is_told_how_many() {
    let (outcome, crimes) = driven(Crime::Repeat).await;
    assert!(crimes > 10, "{crimes}");
    assert_eq!((outcome.lost, outcome.astray), (0, crimes));
    let remarks = remarks(&outcome, 0).join("\n");
    assert!(remarks.contains(&format!("{crimes} deliveries came twice")), "{remarks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_somebody_else_is_noticed() {
    let (outcome, crimes) = driven(Crime::Misdirect).await;
    assert!(crimes > 10, "{crimes}");
    assert_eq!((outcome.lost, outcome.astray), (0, crimes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_is_in_the_latency_of_every_message_that_was_due_meanwhile() {
    let (outcome, crimes) = driven(Crime::Stall).await;
    assert_eq!((crimes, outcome.lost), (1, 0));
    // The generator goes on in time, and measures from when it meant to send. If it waited
    // for answers, as many generators do, no more than a window of messages would be slow.
    let slow = outcome.latencies.iter().filter(|micros| **micros > 100_000).count();
    assert!(slow > 200, "{slow} of {} were slow", outcome.latencies.len());
    assert!(percentile(&outcome.latencies, 0.99) > 300_000);
}

#[test]
fn a_percentile_is_the_smallest_value_that_so_many_are_not_above() {
    let hundred: Vec<u32> = (1..=100).collect();
    assert_eq!(percentile(&hundred, 0.5), 50);
    assert_eq!(percentile(&hundred, 0.99), 99);
    assert_eq!(percentile(&hundred, 0.999), 100);
    assert_eq!(percentile(&hundred, 1.0), 100);
    assert_eq!(percentile(&[7], 0.5), 7);
    assert_eq!(percentile(&[], 0.99), 0);
    // One slow message in a thousand is in p99.9 and not in p99.
    let mut thousand = vec![1; 999];
    thousand.push(1000);
    assert_eq!((percentile(&thousand, 0.99), percentile(&thousand, 0.9995)), (1, 1000));
}

#[test]
fn a_generator_that_is_late_or_too_busy_says_so() {
    let calm = Outcome { generator_cores: 0.5, server_cores: 1.0, ..Outcome::default() };
    assert_eq!(remarks(&calm, 100), Vec::<String>::new());
    let late = remarks(&calm, 5000).join("\n");
    assert!(late.contains("the generator was late"), "{late}");
    let busy = Outcome { generator_cores: 1.1, server_cores: 0.9, ..Outcome::default() };
    let busy = remarks(&busy, 100).join("\n");
    assert!(busy.contains("the generator was busier"), "{busy}");
}

#[tokio::test]
async fn frames_may_come_in_pieces_and_pings_are_answered() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (mut client, accepted) =
        tokio::join!(Client::open(address, Dialect::Floor), listener.accept());
    let (client, mut server) = (client.as_mut().unwrap(), accepted.unwrap().0);
    let long = "x".repeat(300);
    let mut bytes = frame("2", false);
    bytes.extend(frame(&long, false));
    // A list of all members of a large room is longer than 64 KiB.
    bytes.extend([0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
    bytes.extend([b'y'; 70_000]);
    bytes.extend(frame("end", false));
    let (first, second) = bytes.split_at(100);
    server.write_all(first).await.unwrap();
    let mut texts = Vec::new();
    client.read(&mut |text: &[u8]| texts.push(text.len())).await.unwrap();
    assert!(texts.is_empty(), "{texts:?}");
    let second = second.to_vec();
    let server = tokio::spawn(async move {
        server.write_all(&second).await.unwrap();
        server
    });
    while texts.len() < 3 {
        client.read(&mut |text: &[u8]| texts.push(text.len())).await.unwrap();
    }
    assert_eq!(texts, [300, 70_000, 3]);
    let mut server = server.await.unwrap();
    // The answer to the Engine.IO ping: a masked text of one character.
    let mut pong = [0; 7];
    tokio::io::AsyncReadExt::read_exact(&mut server, &mut pong).await.unwrap();
    assert_eq!((pong[0], pong[1], pong[6] ^ pong[2]), (0x81, 0x81, b'3'));
}
