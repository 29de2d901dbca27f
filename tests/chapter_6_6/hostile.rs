//! What is sent as a GIF, and is none. These promises hold from chapter 6-6 to the end of
//! chapter 6.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{
    Server,
    chat::{Chat, FILE, Visitor, message, multipart},
    crooked::Rng,
    effort,
    http::{self, Response},
    within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    CHAPTER,
    gifs::{self, one_in_a_room},
    pictures::{self, bomb, gif, raw, small, with_comment},
};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// A refusal for a script, which gives nothing away.
fn refused(answer: &Response, status: u16) -> String {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    let json: Value = answer.json();
    assert_eq!(json.as_object().map(|it| it.len()), Some(1), "{text}");
    for told in
        ["panicked", "SQL", "/src/", ".rs", "/gifs", ".part", "os error", "cat.gif"]
    {
        assert!(!text.contains(told), "{text}");
    }
    json["error"].as_str().expect("a sentence").to_owned()
}

/// Sends what may be a GIF as soon as it is allowed.
async fn send(chat: &Server, who: &Visitor, room: &str, gif: &[u8]) -> Response {
    loop {
        let answer = who.send_gif(chat, room, gif).await;
        if answer.status != 429 {
            return answer;
        }
    }
}

// --- Files ---

#[tokio::test]
async fn a_file_that_only_says_it_is_a_gif_is_415() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, mut tab) = one_in_a_room(&chat).await;
    let whole = small(1);
    let files: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"\0".to_vec(),
        vec![0; 1000],
        b"GIF".to_vec(),
        b"GIF89a".to_vec(),
        b"GIF89a;".to_vec(),
        b"GIF89a/*\x01\x00\x01\x00*/=1;alert(1);//;".to_vec(),
        b"GIF87a<script>alert(1)</script>".to_vec(),
        b"<!doctype html><script>alert(1)</script>".to_vec(),
        b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".to_vec(),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0".to_vec(),
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01".to_vec(),
        b"RIFF\x24\0\0\0WEBPVP8 ".to_vec(),
        b"PK\x03\x04\x14\0\0\0\0\0".to_vec(),
        b"\x7fELF\x02\x01\x01\0".to_vec(),
        b"%PDF-1.7".to_vec(),
        // A whole GIF, and something before or behind it.
        [b"\n", &*whole].concat(),
        [&*whole, b"\n"].concat(),
        [&*whole, b"\0"].concat(),
        [&*whole, b";"].concat(),
        [&*whole, b"<script>alert(1)</script>"].concat(),
        [&*whole, b"PK\x05\x06", &[0; 18]].concat(),
        [&*whole, &*whole].concat(),
        // Without its end.
        whole[..whole.len() - 1].to_vec(),
    ];
    for file in &files {
        let answer = ada.send_gif(&chat, &room, file).await;
        refused(&answer, 415);
    }
    assert_eq!(ada.sent_gif(&chat, &room, &whole).await["seq"], 1);
    assert_eq!(message(&mut tab).await["seq"], 1);
    gifs::holds(&chat, &[stored(&ada, &chat, &room).await].into()).await;
}

async fn stored(who: &Visitor, chat: &Server, room: &str) -> String {
    let history = who.history(chat, room, "").await.json();
    history[0]["gif"].as_str().expect("a name").to_owned()
}

#[tokio::test]
async fn a_gif_that_is_cut_off_anywhere_is_415() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let whole = with_comment(&gif(5, 3, 3), b"miaow");
    for end in 0..whole.len() {
        refused(&ada.send_gif(&chat, &room, &whole[..end]).await, 415);
    }
    assert_eq!(ada.sent_gif(&chat, &room, &whole).await["seq"], 1);
    gifs::holds(&chat, &[stored(&ada, &chat, &room).await].into()).await;
}

#[tokio::test]
async fn a_gif_with_any_bytes_changed_is_a_gif_or_415() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, _ada, _tab) = one_in_a_room(&chat).await;
    let whole = gif(9, 7, 3);
    let mut crowd = vec![];
    for _ in 0..9 {
        let visitor = Visitor::new(&chat).await;
        crowd.push((visitor.join(&chat, &room).await, visitor));
    }
    let mut random = Rng::with_seed(1);
    let mut roll = |sides| random.usize(..sides);
    let (mut taken, mut others) = (BTreeSet::new(), 0);
    for round in 0..effort::times(4000) {
        let (_, ada) = &crowd[round % crowd.len()];
        let mut gif = whole.clone();
        for _ in 0..1 + roll(4) {
            let at = roll(gif.len());
            match roll(4) {
                0 => drop(gif.remove(at)),
                1 => gif.insert(at, roll(256) as u8),
                2 => gif[at] ^= 1 << roll(8),
                _ => gif[at] = roll(256) as u8,
            }
        }
        let answer = send(&chat, ada, &room, &gif).await;
        if answer.status == 201 {
            let name = answer.json()["gif"].as_str().expect("a name").to_owned();
            assert_eq!(http::get(&chat, &format!("/gif/{name}")).await.body, gif);
            taken.insert(name);
        } else {
            refused(&answer, 415);
            others += 1;
        }
    }
    assert!(!taken.is_empty() && others > 0, "{} taken, {others} not", taken.len());
    gifs::holds(&chat, &taken).await;
    assert!(!chat.log().contains("ERROR"), "{}", chat.log());
}

#[tokio::test]
async fn a_small_file_that_means_a_lot_of_work_is_refused_or_done_quickly() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let frames = vec![bomb(2400); 2000];
    let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let five_megabytes = bomb(5_000_000);
    for bomb in [
        // Thirteen thousand million pixels for a frame of one, and for the largest.
        raw(1, 1, &[&five_megabytes]),
        raw(4096, 4096, &[&five_megabytes]),
        // Two thousand frames that together are too many, and as many of one pixel.
        raw(4096, 4096, &frames),
        raw(1, 1, &frames),
        // Comments without an end.
        with_comment(&gif(1, 1, 1), &vec![b'.'; 5_100_000]),
        // A picture within nothing.
        raw(0, 0, &[&bomb(1000)]),
        raw(4096, 0, &frames),
    ] {
        // Twice at once, so that every turn is taken.
        let (one, two, said) = tokio::join!(
            send(&chat, &ada, &room, &bomb),
            send(&chat, &ada, &room, &bomb),
            ada.history(&chat, &room, ""),
        );
        assert_eq!(said.status, 200);
        for answer in [one, two] {
            if answer.status != 201 {
                refused(&answer, 415);
            }
        }
    }
    ada.sent_gif(&chat, &room, &small(1)).await;
}

// --- Forms ---

#[tokio::test]
async fn a_form_without_exactly_one_file_in_its_field_is_400() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, mut tab) = one_in_a_room(&chat).await;
    let gif = small(1);
    let text = "form-data; name=\"gif\"";
    let other = "form-data; name=\"file\"; filename=\"cat.gif\"";
    let none = "form-data; filename=\"cat.gif\"";
    let cases: [&[(&str, &[u8])]; 10] = [
        &[],
        &[(text, &gif)],
        &[(text, b"")],
        &[(other, &gif)],
        &[(none, &gif)],
        &[("attachment", &gif)],
        &[(FILE, &gif), (FILE, &gif)],
        &[(FILE, &gif), (other, &gif)],
        &[(text, b"text"), (FILE, &gif)],
        &[(FILE, &gif), (text, b"text")],
    ];
    for parts in cases {
        let answer = ada.send_form(&chat, &room, parts).await;
        let sentence = refused(&answer, 400);
        assert_eq!(sentence, "Send one file, in a form's field named gif.", "{parts:?}");
    }
    ada.said(&chat, &room, "the last").await;
    assert_eq!(message(&mut tab).await["seq"], 1);
    gifs::holds(&chat, &BTreeSet::new()).await;
}

#[tokio::test]
async fn a_body_that_is_no_form_or_a_broken_one_is_400() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let path = format!("/room/{room}/gif");
    let (kind, whole) = multipart(&[(FILE, &small(1))]);
    let cut = |end: usize| whole[..whole.len() - end].to_vec();
    let json = json!({ "gif": "cat.gif" }).to_string().into_bytes();
    for (kind, body) in [
        ("", whole.clone()),
        ("image/gif", small(1)),
        ("application/json", json),
        ("application/x-www-form-urlencoded", b"gif=cat.gif".to_vec()),
        ("text/plain", whole.clone()),
        ("multipart/form-data", whole.clone()),
        ("multipart/form-data; boundary=", whole.clone()),
        ("multipart/form-data; boundary=other", whole.clone()),
        ("multipart/mixed; boundary=----workbook7MA4YWxkTrZu0gW", whole.clone()),
        (&kind, vec![]),
        (&kind, b"--".to_vec()),
        (&kind, b"nothing like a form".to_vec()),
        (&kind, cut(40)),
        (&kind, cut(60)),
        (&kind, whole[..20].to_vec()),
        (&kind, whole[..60].to_vec()),
        (&kind, [0xff; 100].to_vec()),
    ] {
        let headers: &[_] = if kind.is_empty() { &[] } else { &[("content-type", kind)] };
        let answer = ada.send(&chat, "POST", &path, headers, body).await;
        // Also where nothing says that a script asks.
        let sentence = refused(&answer, 400);
        assert!(sentence.ends_with('.'), "{kind}: {sentence}");
    }
    assert_eq!(ada.sent_gif(&chat, &room, &small(1)).await["seq"], 1);
    gifs::holds(&chat, &[stored(&ada, &chat, &room).await].into()).await;
}

#[tokio::test]
async fn a_form_that_never_begins_is_not_kept_in_memory() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let (kind, _) = multipart(&[]);
    let head = format!(
        "POST /room/{room}/gif HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\
         content-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n",
        chat.address(),
        ada.cookie,
    );
    let mut tcp = TcpStream::connect(chat.address()).await.expect("it listens");
    tcp.write_all(head.as_bytes()).await.expect("it reads");
    let (mut reader, mut writer) = tcp.split();
    let chunk =
        [b"100000\r\n".to_vec(), vec![b'.'; 0x10_0000], b"\r\n".to_vec()].concat();
    let write = async {
        let mut sent = 0;
        // Without an end, as long as anybody reads.
        while sent < 200 && writer.write_all(&chunk).await.is_ok() {
            sent += 1;
        }
        sent
    };
    let read = async {
        let mut answer = vec![0; 12];
        reader.read_exact(&mut answer).await.map(|_| answer)
    };
    let (sent, answer) = within("an answer", async { tokio::join!(write, read) }).await;
    assert_eq!(answer.expect("an answer"), b"HTTP/1.1 413");
    assert!(sent < 200, "{sent} MiB were read");
}

#[tokio::test]
async fn a_gifs_first_thing_that_is_wrong_is_the_one_that_is_named() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let eve = Visitor::new(&chat).await;
    let huge = vec![b'.'; pictures::MAX + 1];
    for unknown in [UNKNOWN, "x", "%ff"] {
        refused(&ada.send_gif(&chat, unknown, &huge).await, 404);
        refused(&Visitor::nobody().send_gif(&chat, unknown, b"").await, 404);
    }
    let nobody = Visitor::nobody().send_gif(&chat, &room, &huge).await;
    assert_eq!(refused(&nobody, 403), "no visitor");
    refused(&eve.send_gif(&chat, &room, &huge).await, 403);
    refused(&ada.send_gif(&chat, &room, &huge).await, 413);
    refused(&ada.send_gif(&chat, &room, &huge[..100]).await, 415);
    let (kind, body) = multipart(&[(FILE, &small(1))]);
    let headers = [("content-type", &*kind), ("sec-fetch-site", "cross-site")];
    let path = format!("/room/{room}/gif");
    refused(&ada.send(&chat, "POST", &path, &headers, body).await, 403);
    for _ in 0..200 {
        if ada.say(&chat, &room, "again").await.status == 429 {
            break;
        }
    }
    let answer = ada.send_gif(&chat, &room, b"no GIF").await;
    assert!([429, 415].contains(&answer.status.as_u16()), "{}", answer.text());
    assert_eq!(ada.get(&chat, &path).await.status, 405);
}

// --- Names ---

#[tokio::test]
async fn what_the_file_was_called_elsewhere_is_never_looked_at() {
    let Some(chat) = Chat::own(CHAPTER).await else { return };
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let mut names = BTreeSet::new();
    for name in [
        "../../evil.gif",
        "/etc/passwd",
        "..\\\\..\\\\evil.gif",
        "%2e%2e%2fevil.gif",
        "evil.html",
        "<script>alert(1)</script>.gif",
        "",
        ".",
        "con.gif",
        "\u{202e}fig.exe",
    ] {
        let file = format!("form-data; name=\"gif\"; filename=\"{name}\"");
        let answer = ada.send_form(&chat, &room, &[(&*file, &small(1))]).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
        let text = answer.text();
        assert!(!text.contains("evil") && !text.contains("passwd"), "{text}");
        names.insert(answer.json()["gif"].as_str().expect("a name").to_owned());
    }
    assert_eq!(names.len(), 10);
    assert_eq!(gifs::files(&chat), names);
    let mut around: Vec<_> =
        std::fs::read_dir(chat.folder()).expect("a folder").collect();
    assert_eq!(around.len(), 1, "the data and nothing else");
    around.clear();
    assert!(!chat.log().contains("evil"), "{}", chat.log());
}

#[tokio::test]
async fn a_name_that_is_not_one_of_ours_is_404() {
    let chat = Chat::start(CHAPTER).await;
    let (room, ada, _tab) = one_in_a_room(&chat).await;
    let known = ada.sent_gif(&chat, &room, &small(1)).await;
    let known = known["gif"].as_str().expect("a name");
    let id = known.strip_suffix(".gif").expect("a GIF's name");
    for name in [
        "00000000000000000000000000000000.gif",
        "cat.gif",
        id,
        &known.to_uppercase(),
        &format!("{id}.GIF"),
        &format!("{id}.png"),
        &format!("{known}/"),
        &format!("{known}%00"),
        &format!("{known}.gif"),
        &format!("./{known}"),
        &format!(".%2f{known}"),
        &format!("../gifs/{known}"),
        "../gif-chat.db",
        "..%2fgif-chat.db",
        "..%2Fcookie-secret",
        "%2e%2e%2fcookie-secret",
        "..%5c..%5ccookie-secret",
        "....//cookie-secret",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "%ff",
        "%",
        "%00",
        ".",
        "..",
        "",
        "*",
        "con.gif",
    ] {
        for who in [&ada, &Visitor::nobody()] {
            let answer = who.get(&chat, &format!("/gif/{name}")).await;
            assert_eq!(answer.status, 404, "{name}: {}", answer.text());
            assert_eq!(
                answer.header("content-type"),
                "text/html; charset=utf-8",
                "{name}"
            );
        }
    }
    assert_eq!(ada.get(&chat, &format!("/gif/{known}")).await.status, 200);
}
