//! Which server is given which load, and for how long.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::{client::Dialect, fanout::Load};

/// How thorough a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Thoroughness {
    /// All loads, for the book: about ten minutes.
    Full,
    /// Fewer and shorter loads: less than two minutes.
    Quick,
    /// Just enough to see that everything works. The numbers mean nothing.
    Tiny,
}

impl Thoroughness {
    fn choose<T>(self, full: T, quick: T, tiny: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
            Self::Tiny => tiny,
        }
    }
}

/// What is done with some servers.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// One of `measured::LOADS`.
    pub(crate) load: &'static str,
    /// Servers, as in `measured::SERVERS`, each with what it speaks.
    pub(crate) servers: Vec<(&'static str, Dialect)>,
    pub(crate) kind: Kind,
    /// How often.
    pub(crate) rounds: usize,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Messages to groups. The dialect is that of each server.
    FanOut(Load),
    /// So many connections, opened and closed.
    Handshakes(usize),
    /// So many connections, and how long they are idle before the memory is read.
    Idle(usize, Duration),
}

const WEBSOCKET: Dialect = Dialect::SocketIo { polling: false, auth: "" };
const BROWSER: Dialect = Dialect::SocketIo { polling: true, auth: "" };
/// Step 5.3 asks for a token.
const GUEST: Dialect =
    Dialect::SocketIo { polling: true, auth: r#"{"token":"guest-token"}"# };

/// All steps of a run.
pub(crate) fn steps(how: Thoroughness) -> Vec<Step> {
    let millis = |full, quick, tiny| Duration::from_millis(how.choose(full, quick, tiny));
    let (rounds, share) = (how.choose(3, 2, 1), how.choose(1, 1, 20));
    let load = |groups: usize, members, rate, window| {
        Kind::FanOut(Load {
            dialect: Dialect::Floor,
            groups: (groups / share).max(1),
            members,
            rate: rate / share as u32,
            window,
            warm_up: millis(1500, 500, 50),
            fixed: millis(3000, 1200, 200),
            flat_out: millis(2000, 800, 100),
            patience: Duration::from_secs(5),
        })
    };
    let room = |members: usize| load(1, (members / share).max(2), 50_000, 8);
    let rooms_of = || {
        vec![("chapter-4", WEBSOCKET), ("node-4", WEBSOCKET), ("floor", Dialect::Floor)]
    };
    let echoes = vec![
        ("chapter-1", Dialect::Echo),
        ("node-1", Dialect::Echo),
        ("floor", Dialect::Floor),
    ];
    let one_by_one = vec![
        ("chapter-1", Dialect::Echo),
        ("node-1", Dialect::Echo),
        ("chapter-2", WEBSOCKET),
        ("node-2", WEBSOCKET),
        ("chapter-4", WEBSOCKET),
        ("node-4", WEBSOCKET),
    ];
    let by_browser = vec![
        ("chapter-2", BROWSER),
        ("node-2", BROWSER),
        ("chapter-4", BROWSER),
        ("node-4", BROWSER),
        ("chapter-5-3", GUEST),
        ("node-5-3", GUEST),
    ];
    let idle = || {
        let mut all = vec![("chapter-1", Dialect::Echo), ("node-1", Dialect::Echo)];
        all.extend(by_browser.clone());
        all
    };
    let opened = Kind::Handshakes(how.choose(3000, 1000, 32));
    let step = |load, servers, kind, rounds| Step { load, servers, kind, rounds };
    let mut steps = vec![
        step("echo", echoes, load(100, 1, 20_000, 400), rounds),
        step("room-100", rooms_of(), room(100), rounds),
        step("room-500", rooms_of(), room(500), rounds),
        step("room-2000", rooms_of(), room(2000), rounds),
        step("rooms", rooms_of(), load(500, 4, 20_000, 1000), rounds),
        step("handshake-ws", one_by_one, opened, rounds),
        step("handshake", by_browser.clone(), opened, rounds),
    ];
    let wait = millis(30_000, 5_000, 100);
    steps.push(step(
        "idle-1000",
        idle(),
        Kind::Idle(how.choose(1000, 1000, 20), wait),
        how.choose(2, 1, 1),
    ));
    if how == Thoroughness::Full {
        steps.push(step("idle-10000", idle(), Kind::Idle(10_000, wait), 1));
    } else {
        steps.retain(|step| !["room-100", "room-2000"].contains(&step.load));
    }
    steps
}

/// The names that dialects have between this program and the one that holds connections.
const DIALECTS: [(&str, Dialect); 5] = [
    ("echo", Dialect::Echo),
    ("floor", Dialect::Floor),
    ("websocket", WEBSOCKET),
    ("browser", BROWSER),
    ("guest", GUEST),
];

pub(crate) fn name(dialect: Dialect) -> &'static str {
    let mut all = DIALECTS.iter();
    all.find(|(_, own)| *own == dialect)
        .map(|(name, _)| name)
        .expect("BUG: all have names")
}

pub(crate) fn dialect(name: &str) -> Result<Dialect> {
    let found = DIALECTS.iter().find(|(own, _)| *own == name);
    Ok(found.with_context(|| format!("there is no dialect {name}"))?.1)
}
