//! GIFs that are GIFs. These promises hold from chapter 6-6 to the end of chapter 6.
//!
//! Some look into the data folder and its database, for what no client can see: that nothing is
//! left of a GIF that is gone. One makes the database and the folder fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{
    Server,
    chat::{CHAT, Chat, Connection, FILE, Visitor, heard, message, multipart},
    crooked::Rng,
    effort::{self, deadline},
    http::{self, Response},
    socket_io::SocketIo,
    within,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::mpsc, task::JoinSet};

use crate::{
    CHAPTER,
    pictures::{self, gif, small},
    talk::{database, races_with_the_end, rows},
};

/// A visitor in a room.
pub(crate) async fn one_in_a_room(chat: &Server) -> (String, Visitor, SocketIo) {
    let ada = Visitor::new(chat).await;
    let room = ada.create(chat, "Cats").await;
    let (tab, _) = ada.join(chat, &room).await;
    (room, ada, tab)
}

fn name(message: &Value) -> String {
    message["gif"].as_str().unwrap_or_else(|| panic!("no GIF: {message}")).to_owned()
}

async fn fetch(chat: &Server, name: &str) -> Response {
    http::get(chat, &format!("/gif/{name}")).await
}

/// The files in the folder of GIFs.
pub(crate) fn files(chat: &Chat) -> BTreeSet<String> {
    let files = fs::read_dir(folder(chat)).expect("the folder of GIFs");
    files
        .map(|file| file.expect("a file").file_name().into_string().expect("a text"))
        .collect()
}

fn folder(chat: &Chat) -> PathBuf {
    chat.data().join("gifs")
}

/// Waits until the folder holds these files and no others: removing takes a moment.
pub(crate) async fn holds(chat: &Chat, expected: &BTreeSet<String>) {
    let start = std::time::Instant::now();
    while files(chat) != *expected {
        assert!(start.elapsed() < deadline(), "{:?}, not {expected:?}", files(chat));
        http::get(chat, "/").await;
    }
}

// --- From one to all ---

#[tokio::test]
async fn a_gif_is_a_message_with_a_name_instead_of_a_text() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, mut hers) = one_in_a_room(&chat).await;
    let bob = Visitor::new(&chat).await;
    let (mut his, _) = bob.join(&chat, &room).await;
    hers.event_in(CHAT, "join").await;
    ada.said(&chat, &room, "Look:").await;
    let bytes = small(1);
    let stored = ada.sent_gif(&chat, &room, &bytes).await;
    let keys: Vec<_> = stored.as_object().expect("an object").keys().cloned().collect();
    let keys: BTreeSet<_> = keys.iter().map(String::as_str).collect();
    let expected = ["author", "createdAt", "gif", "id", "mine", "room", "seq", "user"];
    assert_eq!(keys, expected.into(), "and no `chat`");
    assert_eq!((&stored["seq"], &stored["mine"]), (&json!(2), &json!(true)));
    let mut event = stored.clone();
    event.as_object_mut().expect("an object").remove("mine");
    for tab in [&mut hers, &mut his] {
        assert_eq!(message(tab).await["chat"], "Look:");
        assert_eq!(message(tab).await, event);
        assert!(heard(tab).await.is_empty());
    }
    assert_eq!(ada.history(&chat, &room, "?after=1").await.json(), json!([stored]));
    assert_eq!(bob.history(&chat, &room, "?after=1").await.json(), json!([event]));
    let name = name(&stored);
    let random = name.strip_suffix(".gif").expect("a GIF's name");
    assert!(
        random.len() >= 32 && random.bytes().all(|it| it.is_ascii_hexdigit()),
        "{name}"
    );
    let page = bob.get(&chat, &format!("/room/{room}")).await.text();
    assert!(page.contains(&format!("src=\"/gif/{name}\"")), "{page}");
    assert_eq!(fetch(&chat, &name).await.body, bytes);
    // The same file again is another message, and another file.
    let again = ada.sent_gif(&chat, &room, &bytes).await;
    assert_ne!(again["gif"], stored["gif"]);
}

#[tokio::test]
async fn a_gif_is_served_as_a_picture_that_can_do_nothing_and_may_be_kept() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let bytes = small(1);
    let name = name(&ada.sent_gif(&chat, &room, &bytes).await);
    // The name is enough: no cookie, and none is set.
    let answer = fetch(&chat, &name).await;
    for (header, value) in [
        ("content-type", "image/gif"),
        ("content-length", &*bytes.len().to_string()),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "private, max-age=31536000, immutable"),
        ("accept-ranges", "bytes"),
        ("set-cookie", ""),
        ("content-disposition", ""),
    ] {
        assert_eq!(answer.header(header), value, "{header}");
    }
    assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1);
    assert_eq!(answer.body, bytes);
    let path = format!("/gif/{name}");
    let head = http::send(&chat, "HEAD", &path, &[], "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), bytes.len().to_string());
    assert_eq!(head.header("content-type"), "image/gif");
    let post = http::send(&chat, "POST", &path, &[], "").await;
    assert_eq!((post.status.as_u16(), post.header("allow")), (405, "GET,HEAD"));
}

#[tokio::test]
async fn a_gif_is_not_sent_again_to_whoever_has_it_and_in_parts_if_asked() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let bytes = small(1);
    let path = format!("/gif/{}", name(&ada.sent_gif(&chat, &room, &bytes).await));
    let tag = http::get(&chat, &path).await.header("etag").to_owned();
    assert!(tag.len() > 2, "an ETag: {tag:?}");
    for known in [&*tag, "*", &format!("\"other\", {tag}")] {
        let answer =
            http::send(&chat, "GET", &path, &[("if-none-match", known)], "").await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{known}");
    }
    let other = http::send(&chat, "GET", &path, &[("if-none-match", "\"x\"")], "").await;
    assert_eq!((other.status.as_u16(), other.body.len()), (200, bytes.len()));
    let last = bytes.len() - 1;
    for (range, from, to) in [
        ("bytes=0-5", 0, 5),
        ("bytes=6-", 6, last),
        ("bytes=-4", last - 3, last),
        (&format!("bytes={last}-{last}"), last, last),
        ("bytes=0-999999", 0, last),
    ] {
        let answer = http::send(&chat, "GET", &path, &[("range", range)], "").await;
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.body, bytes[from..=to], "{range}");
        let expected = format!("bytes {from}-{to}/{}", bytes.len());
        assert_eq!(answer.header("content-range"), expected);
        assert_eq!(answer.header("content-type"), "image/gif");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; sandbox"
        );
    }
    let range = format!("bytes={}-", bytes.len());
    let answer = http::send(&chat, "GET", &path, &[("range", &*range)], "").await;
    assert_eq!(answer.status, 416);
    assert_eq!(answer.header("content-range"), format!("bytes */{}", bytes.len()));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn only_members_may_send_a_gif_and_no_faster_than_they_may_talk() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, mut tab) = one_in_a_room(&chat).await;
    let eve = Visitor::new(&chat).await;
    assert_eq!(eve.send_gif(&chat, &room, &small(1)).await.status, 403);
    let nobody = Visitor::nobody().send_gif(&chat, &room, &small(1)).await;
    assert_eq!(nobody.text(), "{\"error\":\"no visitor\"}");
    // Texts and GIFs count together, what is refused does not.
    let texts = (0..8).map(async |_| ada.say(&chat, &room, "quick").await);
    let gifs = (0..8).map(async |n| ada.send_gif(&chat, &room, &small(n)).await);
    let wrong = (0..8).map(async |_| ada.send_gif(&chat, &room, b"no GIF").await);
    let start = std::time::Instant::now();
    let (texts, gifs, wrong) =
        tokio::join!(join_all(texts), join_all(gifs), join_all(wrong));
    let took = start.elapsed();
    let taken = texts.iter().chain(&gifs).filter(|answer| answer.status == 201).count();
    assert!(taken <= 10 || took.as_secs() >= 1, "{taken} in {took:?}");
    assert!(taken >= 10, "{taken} of 16");
    for answer in texts.iter().chain(&gifs).filter(|answer| answer.status != 201) {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "1"));
    }
    for answer in wrong {
        assert!([415, 429].contains(&answer.status.as_u16()), "{}", answer.text());
    }
    for seq in 1..=taken {
        assert_eq!(message(&mut tab).await["seq"], seq);
    }
}

// --- What a GIF may be ---

#[tokio::test]
async fn five_mebibytes_are_taken_and_a_byte_more_is_413() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let largest = pictures::of_size(pictures::MAX);
    let message = ada.sent_gif(&chat, &room, &largest).await;
    assert_eq!(fetch(&chat, &name(&message)).await.body, largest);
    // What is around the file does not count: the limit is the file's.
    let file = format!("form-data; name=\"gif\"; filename=\"{}.gif\"", "x".repeat(2000));
    let (kind, mut body) = multipart(&[(&*file, &largest)]);
    body.splice(0..0, [vec![b'.'; 200_000], b"\r\n".to_vec()].concat());
    body.extend([b'.'; 200_000]);
    let path = format!("/room/{room}/gif");
    let answer = ada.send(&chat, "POST", &path, &[("content-type", &kind)], body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    // Whole or not, a GIF or not: it is too large.
    for size in [pictures::MAX + 1, pictures::MAX + 100_000] {
        let answer = ada.send_gif(&chat, &room, &pictures::of_size(size)).await;
        assert_eq!(answer.status, 413, "{}", answer.text());
        assert_eq!(answer.json(), json!({ "error": "That is too long." }));
    }
    let answer = ada.send_gif(&chat, &room, &vec![b'.'; pictures::MAX + 1]).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn a_picture_has_at_most_4096_by_4096_pixels() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    for (width, height) in [(4096, 4096), (4096, 1), (1, 4096), (1, 1)] {
        ada.sent_gif(&chat, &room, &gif(width, height, 1)).await;
    }
    let sentence = json!({ "error": "A GIF has at most 4096 by 4096 pixels." });
    for (width, height) in [(4097, 1), (1, 4097), (65535, 65535)] {
        let gif = match width {
            65535 => pictures::raw(width, height, &[&pictures::bomb(1000)]),
            _ => gif(width, height, 1),
        };
        let answer = ada.send_gif(&chat, &room, &gif).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (415, sentence.clone()));
    }
}

#[tokio::test]
async fn a_gif_has_1_to_2000_frames_and_64_megapixels_in_all() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    ada.sent_gif(&chat, &room, &gif(1, 1, 2000)).await;
    let answer = ada.send_gif(&chat, &room, &gif(1, 1, 2001)).await;
    assert_eq!(answer.status, 415, "{}", answer.text());
    assert_eq!(answer.json(), json!({ "error": "A GIF has at most 2000 frames." }));
    let answer = ada.send_gif(&chat, &room, &gif(1, 1, 0)).await;
    assert_eq!(answer.status, 415, "{}", answer.text());
    assert_eq!(answer.json(), json!({ "error": "This GIF has no picture in it." }));
    let largest = gif(4096, 4096, 4);
    ada.sent_gif(&chat, &room, &largest).await;
    // One pixel more.
    let (trailer, rest) = largest.split_last().expect("a GIF");
    let mut more = rest.to_vec();
    more.extend([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 0x01, 0]);
    more.push(*trailer);
    let answer = ada.send_gif(&chat, &room, &more).await;
    assert_eq!(answer.status, 415, "{}", answer.text());
    let sentence = "This GIF has too many pixels, in all frames together.";
    assert_eq!(answer.json(), json!({ "error": sentence }));
}

#[tokio::test]
async fn both_versions_of_gif_are_taken() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let mut gif = pictures::raw(1, 1, &[&[0x44, 0x01]]);
    for (version, status) in [(b"87a", 201), (b"89a", 201), (b"88a", 415), (b"89A", 415)]
    {
        gif[3..6].copy_from_slice(version);
        let answer = ada.send_gif(&chat, &room, &gif).await;
        assert_eq!(answer.status, status, "{version:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn while_heavy_gifs_are_checked_others_talk() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, mut tab) = one_in_a_room(&chat).await;
    let heavy = gif(4096, 4096, 4);
    let (answered, mut answers) = mpsc::unbounded_channel();
    let mut uploads = JoinSet::new();
    for _ in 0..9 {
        let visitor = Visitor::new(&chat).await;
        let (own, _) = visitor.join(&chat, &room).await;
        let (address, room) = (chat.address().to_owned(), room.clone());
        let (heavy, answered) = (heavy.clone(), answered.clone());
        uploads.spawn(async move {
            let answer = visitor.send_gif(&Server::at(&address), &room, &heavy).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            answered.send(()).expect("somebody counts");
            own
        });
    }
    // The first is through: the others are being checked, or wait for their turn.
    within("a first GIF", answers.recv()).await;
    let mut while_checking = 0;
    while !uploads.is_empty() {
        if uploads.try_join_next().is_none() {
            let answer = ada.say(&chat, &room, "Is anybody here?").await;
            assert!([201, 429].contains(&answer.status.as_u16()));
            while_checking += usize::from(!uploads.is_empty() && answers.len() < 8);
        }
    }
    assert!(while_checking > 1, "nobody could talk until all were through");
    let mut heard = 0;
    while heard < 9 {
        heard += usize::from(message(&mut tab).await.get("gif").is_some());
    }
}

// --- How long a GIF lives ---

#[tokio::test]
async fn the_files_go_with_their_room() {
    let times = [("LEAVE_GRACE_MS", "0"), ("EMPTY_ROOM_MS", "0")];
    let Some(chat) = Chat::own_with(CHAPTER, &times).await else { return };
    let (room, ada, tab) = one_in_a_room(&chat).await;
    let (mut lobby, _) = ada.watch(&chat).await;
    let left = name(&ada.sent_gif(&chat, &room, &small(1)).await);
    let other = ada.create(&chat, "Dogs").await;
    let _dogs = ada.join(&chat, &other).await;
    let stays = name(&ada.sent_gif(&chat, &other, &small(2)).await);
    let third = ada.create(&chat, "Owls").await;
    let _owls = ada.join(&chat, &third).await;
    let deleted = name(&ada.sent_gif(&chat, &third, &small(3)).await);
    assert_eq!(files(&chat), [left.clone(), stays.clone(), deleted.clone()].into());
    tab.vanish();
    lobby.event_in("/room", "removeRoom").await;
    // The files are removed first: whoever hears of the end can rely on it.
    assert_eq!(files(&chat), [stays.clone(), deleted.clone()].into());
    assert_eq!(ada.delete(&chat, &format!("/room/{third}")).await.status, 204);
    assert_eq!(files(&chat), [stays.clone()].into());
    for gone in [left, deleted] {
        assert_eq!(fetch(&chat, &gone).await.status, 404);
    }
    assert_eq!(fetch(&chat, &stays).await.status, 200);
    assert_eq!(rows(&chat, "message"), 1);
}

#[tokio::test]
async fn a_file_that_is_gone_already_keeps_no_other_file() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let names: Vec<_> = join_all(
        (0..5).map(async |n| name(&ada.sent_gif(&chat, &room, &small(n)).await)),
    )
    .await;
    fs::remove_file(folder(&chat).join(&names[0])).expect("it was there");
    assert_eq!(fetch(&chat, &names[0]).await.status, 404);
    assert_eq!(ada.delete(&chat, &format!("/room/{room}")).await.status, 204);
    assert_eq!(files(&chat), BTreeSet::new());
}

#[cfg(unix)]
#[tokio::test]
async fn a_start_removes_every_file_that_no_message_has() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let kept = name(&ada.sent_gif(&chat, &room, &small(1)).await);
    let leftovers = [
        "00000000000000000000000000000000.gif",
        "5f1c3b2e-6f0a-4d6e-9f5e-0123456789ab.part",
        "whatever.txt",
    ];
    for leftover in leftovers {
        fs::write(folder(&chat).join(leftover), small(2)).expect("a folder");
    }
    let chat = chat.restart_elsewhere("KILL").await;
    assert_eq!(files(&chat), [kept.clone()].into());
    assert_eq!(fetch(&chat, &kept).await.body, small(1));
    // Removed for good, and the room's files are still found by its rows.
    let (_tab, _) = ada.join(&chat, &room).await;
    ada.delete(&chat, &format!("/room/{room}")).await;
    assert_eq!(files(&chat), BTreeSet::new());
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_is_killed_while_gifs_come_in_has_every_answered_one_and_no_other()
{
    let Some(mut chat) = Chat::own(CHAPTER).await else { return };
    let mut writers = vec![];
    for _ in 0..6 {
        writers.push(Visitor::new(&chat).await);
    }
    let room = writers[0].create(&chat, "Cats").await;
    let answered = Arc::new(Mutex::new(BTreeMap::<String, Vec<u8>>::new()));
    let mut random = Rng::with_seed(1);
    for round in 0..effort::times(300) {
        let mut tabs = vec![];
        for writer in &writers {
            tabs.push(writer.join(&chat, &room).await.0);
        }
        let (told, mut answers) = mpsc::unbounded_channel();
        let mut uploads = JoinSet::new();
        for (n, writer) in writers.iter().enumerate() {
            let path = format!("/room/{room}/gif");
            let (told, answered) = (told.clone(), answered.clone());
            let mut server = Connection::open(&chat, writer).await;
            uploads.spawn(async move {
                for m in 0.. {
                    let gif = small(round * 100_000 + n * 10_000 + m);
                    let (kind, body) = multipart(&[(FILE, &gif)]);
                    let Ok(answer) = server.post(&path, &kind, body).await else {
                        return;
                    };
                    if answer.status == 201 {
                        let name = name(&answer.json());
                        answered.lock().expect("no panic").insert(name, gif);
                        told.send(()).ok();
                    } else {
                        assert_eq!(answer.status, 429, "{}", answer.text());
                    }
                }
            });
        }
        for _ in 0..1 + random.usize(..23) {
            within("an answer", answers.recv()).await;
        }
        let stopped = chat.stop("KILL").await;
        while let Some(done) = within("the writers", uploads.join_next()).await {
            done.expect("every answer was right");
        }
        chat = stopped.start().await;
        let stored = writers[0].everything(&chat, &room).await;
        let stored: BTreeSet<_> = stored.iter().map(name).collect();
        assert_eq!(
            files(&chat),
            stored,
            "each message has its file, and no other is left"
        );
        let answered = answered.lock().expect("no panic").clone();
        for (name, bytes) in answered {
            assert_eq!(fetch(&chat, &name).await.body, bytes, "{name}");
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_stop_does_not_wait_for_an_upload_that_never_ends_and_leaves_nothing_of_it() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let kept = name(&ada.sent_gif(&chat, &room, &small(1)).await);
    let (kind, body) = multipart(&[(FILE, &pictures::of_size(60_000))]);
    let head = format!(
        "POST /room/{room}/gif HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\
         content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        chat.address(),
        ada.cookie,
        body.len(),
    );
    let mut tcp = TcpStream::connect(chat.address()).await.expect("it listens");
    tcp.write_all(head.as_bytes()).await.expect("it reads");
    tcp.write_all(&body[..30_000]).await.expect("it reads");
    // It has begun.
    let start = std::time::Instant::now();
    while files(&chat).len() < 2 {
        assert!(start.elapsed() < deadline(), "{:?}", files(&chat));
        http::get(&chat, "/").await;
    }
    let chat = chat.restart_elsewhere("TERM").await;
    assert_eq!(files(&chat), [kept.clone()].into());
    assert_eq!(fetch(&chat, &kept).await.body, small(1));
}

#[tokio::test]
async fn a_gif_that_races_with_the_end_of_its_room_leaves_no_file() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let mut crowd = vec![];
    for _ in 0..6 {
        crowd.push(Visitor::new(&chat).await);
    }
    let gif = small(1);
    let send =
        async |visitor: Visitor, room: String| visitor.send_gif(&chat, &room, &gif).await;
    races_with_the_end(&chat, &crowd, 8, send).await;
    holds(&chat, &BTreeSet::new()).await;
    assert_eq!(rows(&chat, "message"), 0);
}

#[tokio::test]
async fn an_upload_whose_client_hangs_up_leaves_no_file() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let (mut whole, mut crowd) = (0, vec![]);
    for _ in 0..5 {
        let visitor = Visitor::new(&chat).await;
        crowd.push((visitor.join(&chat, &room).await, visitor));
    }
    for round in 0..100_usize {
        let (_, visitor) = &crowd[round % crowd.len()];
        let (kind, body) = multipart(&[(FILE, &pictures::of_size(60_000))]);
        let head = format!(
            "POST /room/{room}/gif HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            chat.address(),
            visitor.cookie,
            body.len(),
        );
        let request = [head.as_bytes(), &body].concat();
        // Right after the head, somewhere in the file, and after the last byte.
        let end = match round % 10 {
            0 => request.len(),
            1 => head.len(),
            n => head.len() + body.len() * n / 10,
        };
        whole += usize::from(end == request.len());
        let mut tcp = TcpStream::connect(chat.address()).await.expect("it listens");
        tcp.write_all(&request[..end]).await.expect("it reads");
        if round % 3 == 0 {
            tcp.set_zero_linger().expect("a TCP socket");
        }
        drop(tcp);
    }
    // Those that were whole are a message with a file, or neither.
    let start = std::time::Instant::now();
    loop {
        let stored = ada.everything(&chat, &room).await;
        let stored: BTreeSet<_> = stored.iter().map(name).collect();
        assert!(stored.len() <= whole, "{} of {whole}", stored.len());
        let files = files(&chat);
        if files == stored {
            break;
        }
        assert!(start.elapsed() < deadline(), "{files:?}, not {stored:?}");
    }
    ada.delete(&chat, &format!("/room/{room}")).await;
    holds(&chat, &BTreeSet::new()).await;
}

#[tokio::test]
async fn a_gif_that_cannot_be_stored_is_told_to_nobody_and_leaves_no_file() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, mut tab) = one_in_a_room(&chat).await;
    let database = database(&chat);
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON message WHEN NEW.gif NOTNULL
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        )
        .expect("a trigger");
    let sentence = json!({ "error": "Something went wrong here. It is not your fault." });
    let answer = ada.send_gif(&chat, &room, &small(1)).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (500, sentence.clone()));
    holds(&chat, &BTreeSet::new()).await;
    database.execute_batch("DROP TRIGGER full").expect("it was there");
    // And the other half: there is no room for the file.
    let (folder, away) = (folder(&chat), chat.data().join("away"));
    fs::rename(&folder, &away).expect("a folder");
    fs::write(&folder, "no folder").expect("a file");
    let answer = ada.send_gif(&chat, &room, &small(1)).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (500, sentence));
    fs::remove_file(&folder).expect("a file");
    fs::rename(&away, &folder).expect("a folder");
    assert_eq!(ada.sent_gif(&chat, &room, &small(2)).await["seq"], 1);
    assert_eq!(message(&mut tab).await["seq"], 1);
    // The log says what happened, and not where.
    chat.logged("the disk is full", 1).await;
    let log = chat.log();
    assert!(!log.contains(chat.data().to_str().expect("a text")), "{log}");
}
