//! How long a seat is kept and how long a room lives. These promises hold from chapter 6-3
//! to the end of chapter 6.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    Server,
    chat::{CHAT, Chat, LOBBY, Visitor, heard, join, two},
    effort::{self, deadline},
    http,
    socket_io::SocketIo,
};
use tokio::time::sleep;

use crate::CHAPTER;

/// Rounds of what only goes wrong now and then: this many in a soak.
const ROUNDS: usize = 1000;
/// A time that runs out, where a test comes just before or just after that.
const EDGE: Duration = Duration::from_millis(100);
const EDGE_MS: &str = "100";
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

async fn watch(chat: &Server) -> SocketIo {
    Visitor::nobody().watch(chat).await.0
}

/// Waits until the lobby is told that a room is gone.
async fn removed(lobby: &mut SocketIo, room: &str) {
    lobby.packet(&format!("42/room,[\"removeRoom\",\"{room}\"")).await;
}

/// Waits until the lobby is told that nobody is in a room.
async fn emptied(lobby: &mut SocketIo, room: &str) {
    loop {
        let told = lobby.event_in(LOBBY, "updateRoom").await;
        if told[0]["id"] == room && told[0]["members"] == 0 {
            return;
        }
    }
}

/// Fails if anybody is served anything of a room that is gone.
async fn is_gone(chat: &Server, visitor: &Visitor, room: &str) {
    assert_eq!(visitor.get(chat, &format!("/room/{room}")).await.status, 404);
    let (_, answer) = visitor.try_join(chat, room).await;
    assert_eq!(answer, json!({ "ok": false, "error": "unknown" }));
    let (_, rooms) = visitor.watch(chat).await;
    assert!(rooms.iter().all(|known| known["id"] != room), "{rooms:?}");
}

/// The names of events.
fn names(packets: &[String]) -> Vec<&str> {
    packets.iter().map(|packet| packet.split('"').nth(1).expect("a name")).collect()
}

/// Aims at the end of [`EDGE`]: whoever was late comes earlier the next time, and whoever was
/// early comes later.
#[derive(Default)]
struct Aim {
    wait: Duration,
    early: usize,
    late: usize,
}

impl Aim {
    /// Waits, not for anything, but to come a little before the end or a little after it.
    async fn wait(&self) {
        sleep(self.wait).await;
    }

    fn was_early(&mut self) {
        self.early += 1;
        // Right from the start near the end, and from there in small steps.
        let step = if self.late == 0 { EDGE / 4 } else { EDGE / 50 };
        self.wait += step;
    }

    fn was_late(&mut self) {
        self.late += 1;
        self.wait = self.wait.saturating_sub(EDGE / 50);
    }

    /// How many rounds there were. A run has its rounds, and some of them were late and some
    /// were early, however slow the machine is.
    fn goes_on(&self) -> bool {
        self.early + self.late < effort::times(ROUNDS) || self.early.min(self.late) < 3
    }
}

// --- Grace ---

#[tokio::test]
async fn a_reload_is_invisible_and_keeps_the_seat() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    let room = ada.create_with(&chat, &[("title", "Cats"), ("max", "2")]).await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let (mut tab, first) = bob.join(&chat, &room).await;
    witness.event_in(CHAT, "join").await;
    for round in 0..20 {
        // A browser says goodbye, or it does not get around to it.
        if round % 2 == 0 {
            tab.vanish();
        } else {
            tab.send("41/chat,").await;
        }
        let (_, rooms) = ada.watch(&chat).await;
        assert_eq!(rooms[0]["members"], 2);
        let (again, answer) = bob.join(&chat, &room).await;
        assert_eq!(answer, first);
        tab = again;
    }
    assert_eq!(heard(&mut witness).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_visitor_leaves_when_the_last_tab_has_been_gone_for_the_grace() {
    let Some(chat) = Chat::own_with(CHAPTER, &[("LEAVE_GRACE_MS", "300")]).await else {
        return;
    };
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let (one, _) = bob.join(&chat, &room).await;
    let (two, _) = bob.join(&chat, &room).await;
    drop(one);
    let gone = Instant::now();
    drop(two);
    let told = witness.event_in(CHAT, "exit").await;
    assert!(gone.elapsed() >= Duration::from_millis(300), "{:?}", gone.elapsed());
    assert_eq!(told[0]["members"], 1);
    let (_, rooms) = ada.watch(&chat).await;
    assert_eq!(rooms[0]["members"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_edge_of_the_grace_a_visitor_has_stayed_or_has_left_and_come_back() {
    let Some(chat) = Chat::own_with(CHAPTER, &[("LEAVE_GRACE_MS", EDGE_MS)]).await else {
        return;
    };
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let (mut tab, _) = bob.join(&chat, &room).await;
    witness.event_in(CHAT, "join").await;
    let mut aim = Aim::default();
    while aim.goes_on() {
        let mut next = bob.connect(&chat, CHAT).await;
        drop(tab);
        aim.wait().await;
        let answer = join(&mut next, &room).await;
        assert_eq!(
            (&answer["ok"], &answer["room"]["members"]),
            (&json!(true), &json!(2))
        );
        // What followed the answer is told before the next answer.
        assert_eq!(join(&mut next, &room).await, answer);
        let told = heard(&mut witness).await;
        match names(&told)[..] {
            [] => aim.was_early(),
            ["exit", "join"] => aim.was_late(),
            _ => panic!("{told:?}"),
        }
        tab = next;
    }
}

// --- Join against disconnect ---

/// Opens a session by long polling, and sends packets in one POST.
async fn post(chat: &Server, visitor: &Visitor, packets: &str) {
    let headers = [("cookie", visitor.cookie.as_str())];
    let open = http::send(chat, "GET", POLLING, &headers, "").await.text();
    let open: Value = serde_json::from_str(&open[1..]).expect("an open packet");
    let path = format!("{POLLING}&sid={}", open["sid"].as_str().expect("a session"));
    let headers = [("content-type", "text/plain;charset=UTF-8")];
    // The session may be closed by what is in it.
    http::send(chat, "POST", &path, &headers, packets.to_owned()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_and_is_gone_at_once_leaves_no_ghost() {
    let times = [("LEAVE_GRACE_MS", "1"), ("EMPTY_ROOM_MS", "100")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    for _ in 0..effort::times(ROUNDS / 10) {
        thirty_ghosts(&chat).await;
    }
}

async fn thirty_ghosts(chat: &Server) {
    let (ada, bob) = two(chat).await;
    let mut lobby = watch(chat).await;
    let room = ada.create(chat, "Cats").await;
    let (witness, _) = ada.join(chat, &room).await;
    let ask = format!("42/chat,0[\"join\",{{\"room\":\"{room}\"}}]");
    for round in 0..30 {
        if round % 3 == 0 {
            let packets = format!("40/chat,\u{1e}{ask}\u{1e}1");
            post(chat, &bob, &packets).await;
            continue;
        }
        let mut socket = bob.connect(chat, CHAT).await;
        socket.send(&ask).await;
        match round % 3 {
            1 => socket.vanish(),
            _ => {
                socket.send("41/chat,").await;
                socket.try_send("1").await;
            }
        }
    }
    // The last one to be seen leaves. A ghost would keep the room.
    drop(witness);
    emptied(&mut lobby, &room).await;
    removed(&mut lobby, &room).await;
    is_gone(chat, &ada, &room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_the_namespace_and_comes_back_at_once_is_in_no_room() {
    let times = [("LEAVE_GRACE_MS", "1")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let ask = format!("42/chat,900[\"join\",{{\"room\":\"{room}\"}}]");
    let mut came = 1;
    for round in 0..effort::times(2 * ROUNDS) {
        let mut socket = bob.connect(&chat, CHAT).await;
        // The library overlooks a connect that comes before it is done with the first: the
        // first is over when this is logged, and the second is sent twice.
        came += 1;
        chat.logged("somebody comes to chat", came).await;
        // One connection, so both sockets have the same session id.
        for packet in [&ask, "41/chat,", "40/chat,"] {
            socket.send(packet).await;
        }
        socket.join(LOBBY, None).await.expect("everybody may watch");
        socket.send("40/chat,").await;
        socket.packet("40/chat,").await;
        came += 2;
        heard(&mut socket).await;
        // Something happens in the room.
        let passer_by = Visitor::new(&chat).await;
        let (_, you) = passer_by.join(&chat, &room).await;
        let exit = format!("42/chat,[\"exit\",{{\"id\":{}", you["you"]["id"]);
        witness.packet(&exit).await;
        let told = heard(&mut socket).await;
        assert_eq!(told, Vec::<String>::new(), "round {round}");
        // And it may join, like anybody.
        assert_eq!(join(&mut socket, &room).await["ok"], true, "round {round}");
        drop(socket);
    }
}

// --- The life of a room ---

#[tokio::test]
async fn a_room_ends_a_while_after_the_last_one_has_left_and_the_lobby_hears_it_once() {
    let times = [("LEAVE_GRACE_MS", "0"), ("EMPTY_ROOM_MS", "500")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let while_empty = Duration::from_millis(500);
    let (ada, bob) = two(&chat).await;
    let mut lobby = watch(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let tabs = (ada.join(&chat, &room).await, bob.join(&chat, &room).await);
    let left = Instant::now();
    drop(tabs);
    emptied(&mut lobby, &room).await;
    let status = ada.get(&chat, &format!("/room/{room}")).await.status;
    // On a slow machine the room may be gone by now.
    assert!(status == 200 || left.elapsed() >= while_empty, "{status}");
    removed(&mut lobby, &room).await;
    assert!(left.elapsed() >= while_empty, "{:?}", left.elapsed());
    is_gone(&chat, &ada, &room).await;
    let mark = ada.create(&chat, "Mark").await;
    let told = lobby.before(&format!("42/room,[\"newRoom\",{{\"id\":\"{mark}\"")).await;
    assert!(!told.iter().any(|packet| packet.contains("removeRoom")), "{told:?}");
    // It does not come back either.
    let chat = chat.restart_elsewhere("KILL").await;
    is_gone(&chat, &ada, &room).await;
}

#[tokio::test]
async fn whoever_joins_an_empty_room_keeps_it() {
    let times = [("LEAVE_GRACE_MS", "0"), ("EMPTY_ROOM_MS", "200")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let (ada, bob) = two(&chat).await;
    let mut lobby = watch(&chat).await;
    let (room, mut tab, answer) = loop {
        let room = ada.create(&chat, "Cats").await;
        let tab = ada.join(&chat, &room).await;
        let left = Instant::now();
        drop(tab);
        emptied(&mut lobby, &room).await;
        let (tab, answer) = bob.try_join(&chat, &room).await;
        if answer["ok"] == true {
            break (room, tab, answer);
        }
        // A slow machine: bob is too late, and has another try.
        assert!(left.elapsed() >= Duration::from_millis(200), "{answer}");
    };
    assert_eq!(answer["room"]["members"], 1);
    // A room that was left later is gone: the first one's time is over too.
    let later = ada.create(&chat, "Later").await;
    drop(ada.join(&chat, &later).await);
    removed(&mut lobby, &later).await;
    assert_eq!(join(&mut tab, &room).await, answer);
    assert_eq!(ada.get(&chat, &format!("/room/{room}")).await.status, 200);
    // Nor is the old timer in the way of the next one.
    drop(tab);
    removed(&mut lobby, &room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_edge_of_its_end_a_room_is_joined_and_stays_or_is_gone() {
    let times = [("LEAVE_GRACE_MS", "0"), ("EMPTY_ROOM_MS", EDGE_MS)];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let visitor = Visitor::new(&chat).await;
    let mut aim = Aim::default();
    while aim.goes_on() {
        let mut lobby = watch(&chat).await;
        let room = visitor.create(&chat, "Cats").await;
        let mut tab = visitor.connect(&chat, CHAT).await;
        drop(visitor.join(&chat, &room).await);
        emptied(&mut lobby, &room).await;
        aim.wait().await;
        let answer = join(&mut tab, &room).await;
        if answer["ok"] == true {
            aim.was_early();
            // Another room that is left now outlives the first one's timer.
            let later = visitor.create(&chat, "Later").await;
            drop(visitor.join(&chat, &later).await);
            let told =
                lobby.before(&format!("42/room,[\"removeRoom\",\"{later}\"")).await;
            let end = format!("[\"removeRoom\",\"{room}\"]");
            assert!(!told.iter().any(|packet| packet.ends_with(&end)), "{told:?}");
            assert_eq!(join(&mut tab, &room).await, answer);
        } else {
            aim.was_late();
            assert_eq!(answer["error"], "unknown");
            removed(&mut lobby, &room).await;
            is_gone(&chat, &visitor, &room).await;
        }
    }
}

#[tokio::test]
async fn a_room_that_nobody_ever_joined_is_removed() {
    let times = [("ABANDONED_ROOM_MS", "500")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let abandoned_for = Duration::from_millis(500);
    let (ada, bob) = two(&chat).await;
    let mut lobby = watch(&chat).await;
    let (kept, _tab) = loop {
        let made = Instant::now();
        let kept = ada.create(&chat, "Kept").await;
        let (tab, answer) = bob.try_join(&chat, &kept).await;
        if answer["ok"] == true {
            break (kept, tab);
        }
        // A slow machine: bob is too late, and has another try.
        assert!(made.elapsed() >= abandoned_for, "{answer}");
    };
    let made = Instant::now();
    let abandoned = ada.create(&chat, "Abandoned").await;
    // A page alone does not keep a room.
    let status = ada.get(&chat, &format!("/room/{abandoned}")).await.status;
    assert!(status == 200 || made.elapsed() >= abandoned_for, "{status}");
    removed(&mut lobby, &abandoned).await;
    assert!(made.elapsed() >= abandoned_for, "{:?}", made.elapsed());
    is_gone(&chat, &ada, &abandoned).await;
    let later = ada.create(&chat, "Later").await;
    let told = lobby.before(&format!("42/room,[\"removeRoom\",\"{later}\"")).await;
    let ended = told.iter().filter(|packet| packet.contains("removeRoom"));
    for packet in ended {
        assert!(!packet.contains(&abandoned) && !packet.contains(&kept), "{told:?}");
    }
    assert_eq!(ada.get(&chat, &format!("/room/{kept}")).await.status, 200);
}

#[tokio::test]
async fn what_a_crash_or_a_shutdown_left_is_removed_unless_somebody_comes_back() {
    for signal in ["KILL", "TERM"] {
        // A slow machine is too late, and has another try with more time.
        for seconds in [1, 10, 60] {
            if left_over(signal, Duration::from_secs(seconds)).await {
                break;
            }
        }
    }
}

/// Stops a server with two rooms, and comes back to one of them. False if that was too late:
/// both were removed before.
async fn left_over(signal: &str, abandoned_for: Duration) -> bool {
    let Some(chat) = Chat::own(CHAPTER).await else { return true };
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let left = ada.create(&chat, "Left").await;
    let (one, before) = ada.join(&chat, &room).await;
    let (two, _) = bob.join(&chat, &left).await;
    let stopped = chat.stop(signal).await;
    drop((one, two));
    let started = Instant::now();
    let milliseconds = abandoned_for.as_millis().to_string();
    let chat = stopped.start_with(&[("ABANDONED_ROOM_MS", &milliseconds)]).await;
    let mut lobby = watch(&chat).await;
    let (mut tab, after) = ada.try_join(&chat, &room).await;
    if after["ok"] == false {
        assert!(started.elapsed() >= abandoned_for, "{signal}: {after}");
        return false;
    }
    assert_eq!(after, before, "{signal}: as if nothing had happened");
    removed(&mut lobby, &left).await;
    let waited = started.elapsed();
    assert!(waited >= abandoned_for, "{signal}: {waited:?}");
    is_gone(&chat, &bob, &left).await;
    assert_eq!(join(&mut tab, &room).await, after, "{signal}");
    true
}

#[tokio::test]
async fn a_shutdown_is_not_leaving_and_no_full_room_holds_it_up() {
    let times = [("LEAVE_GRACE_MS", "0"), ("EMPTY_ROOM_MS", "0")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let mut tabs = vec![];
    let mut rooms = vec![];
    for _ in 0..5 {
        let visitors = two(&chat).await;
        let room = visitors.0.create_with(&chat, &[("title", "C"), ("max", "2")]).await;
        for visitor in [visitors.0, visitors.1] {
            tabs.push(visitor.join(&chat, &room).await.0);
        }
        rooms.push(room);
    }
    let mut lobby = watch(&chat).await;
    chat.signal("TERM").await;
    for mut tab in tabs {
        let told = tab.to_the_end().await;
        assert!(!told.iter().any(|packet| packet.contains("\"exit\"")), "{told:?}");
    }
    let told = lobby.to_the_end().await;
    assert!(!told.iter().any(|packet| packet.starts_with("42")), "{told:?}");
    let chat = chat.restart_elsewhere("TERM").await;
    let (_, known) = Visitor::nobody().watch(&chat).await;
    let known: Vec<_> = known.iter().map(|room| room["id"].as_str()).collect();
    assert_eq!(known, rooms.iter().map(|room| Some(room.as_str())).collect::<Vec<_>>());
    assert!(!chat.log().contains("panicked"));
}

// --- The owner's delete ---

#[tokio::test]
async fn the_owners_delete_closes_the_room_for_everybody_in_it() {
    let Some(chat) = Chat::own_with(CHAPTER, &[("LEAVE_GRACE_MS", "0")]).await else {
        return;
    };
    let (ada, bob) = two(&chat).await;
    let mut lobby = watch(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut one, _) = ada.join(&chat, &room).await;
    let (mut two, _) = bob.join(&chat, &room).await;
    let (mut three, _) = bob.join(&chat, &room).await;
    heard(&mut one).await;
    let deleted = ada.delete(&chat, &format!("/room/{room}")).await;
    assert_eq!(deleted.status, 204);
    let closed = format!("42/chat,[\"roomClosed\",{{\"room\":\"{room}\"}}]");
    for tab in [&mut one, &mut two, &mut three] {
        assert_eq!(heard(tab).await, [closed.as_str()]);
        // Its members are not members any more.
        assert_eq!(join(tab, &room).await["error"], "unknown");
    }
    is_gone(&chat, &bob, &room).await;
    drop(two);
    // Nobody leaves a room that is gone: nobody hears anything more.
    let mark = bob.create(&chat, "Mark").await;
    let told = lobby.before(&format!("42/room,[\"newRoom\",{{\"id\":\"{mark}\"")).await;
    let ends = told.iter().filter(|packet| packet.contains("removeRoom")).count();
    assert_eq!(ends, 1, "{told:?}");
    assert!(told[told.len() - 1].contains("removeRoom"), "{told:?}");
    assert_eq!(heard(&mut one).await, Vec::<String>::new());
    assert_eq!(heard(&mut three).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_that_meets_the_owners_delete_is_in_and_told_or_unknown() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (ada, bob) = two(&chat).await;
    for round in 0..effort::times(ROUNDS) {
        let room = ada.create(&chat, "Cats").await;
        let mut tab = bob.connect(&chat, CHAT).await;
        let path = format!("/room/{room}");
        let (answer, deleted) =
            tokio::join!(join(&mut tab, &room), ada.delete(&chat, &path));
        assert_eq!(deleted.status, 204, "round {round}");
        if answer["ok"] == true {
            tab.event_in(CHAT, "roomClosed").await;
        } else {
            assert_eq!(answer["error"], "unknown", "round {round}");
        }
        assert_eq!(heard(&mut tab).await, Vec::<String>::new(), "round {round}");
        is_gone(&chat, &bob, &room).await;
    }
}

// --- A peer that does not read ---

/// How long a peer may take nothing of what is written to it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks for more than two kernels keep for a reader, and reads none of it: every refusal
/// repeats the event's name.
async fn reads_nothing(stuck: &mut SocketIo) {
    let long = format!("42/chat,[\"{}\"]", "x".repeat(100_000));
    for _ in 0..300 {
        stuck.send(&long).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_stops_reading_is_cut_off_and_loses_its_seat() {
    let Some(chat) = Chat::own_with(CHAPTER, &[("LEAVE_GRACE_MS", "0")]).await else {
        return;
    };
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut stuck, _) = bob.join(&chat, &room).await;
    let started = Instant::now();
    reads_nothing(&mut stuck).await;
    // Meanwhile nobody else notices anything.
    drop(ada.join(&chat, &room).await);
    chat.logged(" left ", 1).await;
    chat.logged_within(PATIENCE + deadline(), " left ", 2).await;
    let waited = started.elapsed();
    assert!(waited >= PATIENCE, "{waited:?}");
    // It is logged a moment before the lobby is told.
    let (mut lobby, rooms) = ada.watch(&chat).await;
    if rooms[0]["members"] != 0 {
        emptied(&mut lobby, &room).await;
    }
    drop(stuck);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_read_does_not_hold_up_a_shutdown_and_does_not_leave_by_it()
{
    let Some(chat) = Chat::own_with(CHAPTER, &[("LEAVE_GRACE_MS", "0")]).await else {
        return;
    };
    let (ada, bob) = two(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let (mut witness, _) = ada.join(&chat, &room).await;
    let (mut stuck, _) = bob.join(&chat, &room).await;
    reads_nothing(&mut stuck).await;
    chat.signal("TERM").await;
    let told = witness.to_the_end().await;
    assert!(!told.iter().any(|packet| packet.contains("\"exit\"")), "{told:?}");
    // The program ends in time, and does not wait until the peer is cut off.
    let stopped = chat.stop("TERM").await;
    assert!(!stopped.log().contains(" left "), "{}", stopped.log());
    let chat = stopped.start().await;
    assert_eq!(bob.join(&chat, &room).await.1["room"]["members"], 1);
    drop(stuck);
}
