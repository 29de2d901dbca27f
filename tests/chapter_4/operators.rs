//! Who hears what: the operators, several rooms at once, and answers from a whole room.

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    Server, own_name, polling::Polling, record::transcript, socket_io::SocketIo, within,
};

use crate::{ALOUD, AUTH, CHAPTER, Member, join_by_polling, so_far};

#[tokio::test]
async fn two_members_talk_and_one_leaves() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut ada = Member::of(&server, &red).await;
    let mut bob = SocketIo::connect(&server).await;
    let mut record = Vec::new();
    let join = json!(["joinRoom", { "room": red }]);
    for (what, packet, answers) in [
        ("Bob joins, after Ada", &*format!("420{join}"), &["430["][..]),
        (
            "and speaks: his own copy, then the answer",
            r#"421["chatInput",{"nick":"Bob","msg":"Hello"}]"#,
            &["42[", "431["],
        ),
        ("the others hear it", r#"422["say",{"how":"to","msg":"Hello"}]"#, &["432["]),
        ("a slip", r#"42["say",{"how":"at","msg":"Hello"}]"#, &["42["]),
    ] {
        record.extend([format!("# {what}"), format!("> {packet}")]);
        bob.send(packet).await;
        for answer in answers {
            record.push(format!("< {}", bob.packet(answer).await));
        }
    }
    bob.send("41").await;
    record.extend(["# Bob leaves".to_owned(), "> 41".to_owned()]);
    record.push("# all that Ada heard".to_owned());
    for event in ["chatMessage", r#"said",{"how":"to"#, "user has left"] {
        record.push(format!("< {}", ada.client.packet(&format!("42[\"{event}\"")).await));
    }
    let record = record.join("\n").replace(&red, "red");
    let mut record = record.replace(&ada.id, "<ada>");
    let bob = record.split(r#""you":{"id":""#).nth(1).and_then(|rest| rest.get(..36));
    record = record.replace(bob.expect("an id"), "<bob>");
    // The list is in no particular order.
    record = record.replace(
        r#"[{"id":"<ada>"},{"id":"<bob>"}]"#,
        r#"[{"id":"<bob>"},{"id":"<ada>"}]"#,
    );
    transcript("chapter-4", "room", &record);
}

/// Who hears what one member of a room says: itself, another one in its room, one in another
/// room, and one in no room.
async fn hears(how: &str, room: Meant) -> [bool; 4] {
    let server = Server::start(CHAPTER).await;
    let (red, blue) = (own_name("red"), own_name("blue"));
    let mut sender = Member::of(&server, &red).await;
    let mut one = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &blue).await;
    let mut nowhere =
        Member { client: SocketIo::connect(&server).await, id: String::new() };
    let text = own_name(ALOUD);
    let mut say = json!({ "how": how, "msg": text });
    match room {
        Meant::Own => say["room"] = red.into(),
        Meant::Other => say["room"] = blue.into(),
        Meant::Unnamed => {}
    }
    let answer = sender.client.ask("say", json!([say])).await;
    assert_eq!(answer, json!({ "ok": true }), "{say}");
    let said = format!("42{}", json!(["said", { "how": how, "msg": text }]));
    let mut heard = [false; 4];
    for (heard, member) in
        heard.iter_mut().zip([&mut sender, &mut one, &mut other, &mut nowhere])
    {
        // Two questions: a volatile packet has a way of its own and may come after one.
        let mut packets = so_far(&mut member.client).await;
        packets.extend(so_far(&mut member.client).await);
        packets.retain(|packet| packet.contains(&text) || !packet.contains(ALOUD));
        assert!(packets.len() <= 1 && packets.iter().all(|packet| *packet == said));
        *heard = !packets.is_empty();
    }
    heard
}

/// The room that a member names when it speaks.
#[derive(Clone, Copy)]
enum Meant {
    Own,
    Other,
    Unnamed,
}

#[tokio::test]
async fn to_reaches_the_others_in_a_room() {
    assert_eq!(hears("to", Meant::Own).await, [false, true, false, false]);
    assert_eq!(hears("to", Meant::Other).await, [false, false, true, false]);
}

#[tokio::test]
async fn within_reaches_a_room_and_its_sender_too() {
    assert_eq!(hears("within", Meant::Own).await, [true, true, false, false]);
    assert_eq!(hears("within", Meant::Other).await, [false, false, true, false]);
}

#[tokio::test]
async fn except_reaches_all_others_outside_a_room() {
    assert_eq!(hears("except", Meant::Own).await, [false, false, true, true]);
    assert_eq!(hears("except", Meant::Other).await, [false, true, false, true]);
}

#[tokio::test]
async fn broadcast_reaches_everybody_but_the_sender() {
    assert_eq!(hears("broadcast", Meant::Unnamed).await, [false, true, true, true]);
}

#[tokio::test]
async fn volatile_reaches_the_others_in_a_room_as_long_as_they_keep_up() {
    assert_eq!(hears("volatile", Meant::Own).await, [false, true, false, false]);
}

#[tokio::test]
async fn local_reaches_everybody_on_this_server_but_the_sender() {
    assert_eq!(hears("local", Meant::Unnamed).await, [false, true, true, true]);
}

#[tokio::test]
async fn without_a_room_the_senders_own_is_meant() {
    for (how, sender) in [("to", false), ("within", true), ("volatile", false)] {
        let heard = hears(how, Meant::Unnamed).await;
        assert_eq!(heard, [sender, true, false, false], "{how}");
    }
    assert_eq!(hears("except", Meant::Unnamed).await, [false, false, true, true]);
}

#[tokio::test]
async fn somebody_in_no_room_may_speak_to_one_but_has_to_name_it() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut red_one = Member::of(&server, &red).await;
    let mut client = SocketIo::connect(&server).await;
    for how in ["to", "within", "except", "volatile"] {
        let answer = client.ask("say", json!([{ "how": how, "msg": "hello" }])).await;
        assert_eq!(answer["ok"], false, "{how}");
    }
    let say = json!([{ "how": "within", "room": red, "msg": "from outside" }]);
    assert_eq!(client.ask("say", say).await, json!({ "ok": true }));
    let said = r#"42["said",{"how":"within","msg":"from outside"}]"#;
    red_one.client.packet(said).await;
    let say = json!([{ "how": "to", "room": "nobody is here", "msg": "hello" }]);
    assert_eq!(client.ask("say", say).await, json!({ "ok": true }));
}

#[tokio::test]
async fn of_many_volatile_messages_a_client_that_does_not_read_keeps_the_last() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut sender = Member::of(&server, &red).await;
    let slow = Polling::connect(&server, AUTH).await;
    join_by_polling(&server, &slow, &red).await;
    for n in 0..10 {
        let say = json!([{ "how": "volatile", "msg": format!("position {n}") }]);
        sender.client.ask("say", say).await;
    }
    let say = json!([{ "how": "to", "msg": "not volatile" }]);
    sender.client.ask("say", say).await;
    // Between two polls nobody reads: nine of the ten are gone, and nobody was told. Two
    // questions: a volatile packet has a way of its own and may come after one.
    let mut got = String::new();
    for id in 1..=2 {
        slow.post(&server, &format!(r#"42{id}["who",{{"room":"nowhere"}}]"#)).await;
        within("the answer", async {
            while !got.contains(&format!("43{id}[")) {
                got += &slow.get(&server).await.text();
            }
        })
        .await;
    }
    assert!(got.contains("not volatile"), "{got}");
    assert_eq!(got.matches("position").count(), 1, "{got}");
    assert!(got.contains("position 9"), "{got}");
}

/// Who hears an announcement: two members of a room, one of another, one of a third, and one
/// that is in no room. The first one sends it.
async fn hears_announced(to: &[usize], except: &[usize]) -> [bool; 5] {
    let server = Server::start(CHAPTER).await;
    let rooms = [own_name("red"), own_name("blue"), own_name("green")];
    let mut members = [
        Member::of(&server, &rooms[0]).await.client,
        Member::of(&server, &rooms[0]).await.client,
        Member::of(&server, &rooms[1]).await.client,
        Member::of(&server, &rooms[2]).await.client,
        SocketIo::connect(&server).await,
    ];
    let names = |chosen: &[usize]| chosen.iter().map(|&n| &rooms[n]).collect::<Vec<_>>();
    let text = own_name(ALOUD);
    let announcement = json!({ "to": names(to), "except": names(except), "msg": text });
    let answer = members[0].ask("announce", json!([announcement])).await;
    assert_eq!(answer, json!({ "ok": true }));
    let announced = format!("42{}", json!(["announced", { "msg": text }]));
    let mut hears = [false; 5];
    for (hears, member) in hears.iter_mut().zip(&mut members) {
        let mut packets = so_far(member).await;
        packets.retain(|packet| packet.contains(&text) || !packet.contains(ALOUD));
        assert!(packets.len() <= 1 && packets.iter().all(|packet| *packet == announced));
        *hears = !packets.is_empty();
    }
    hears
}

#[tokio::test]
async fn an_announcement_reaches_several_rooms_at_once() {
    assert_eq!(hears_announced(&[1], &[]).await, [false, false, true, false, false]);
    assert_eq!(hears_announced(&[0, 1], &[]).await, [true, true, true, false, false]);
    // A room that is named twice hears it once.
    assert_eq!(hears_announced(&[0, 0], &[]).await, [true, true, false, false, false]);
}

#[tokio::test]
async fn an_announcement_leaves_out_the_rooms_that_it_excepts() {
    assert_eq!(hears_announced(&[0, 1], &[1]).await, [true, true, false, false, false]);
    assert_eq!(hears_announced(&[0], &[0, 2]).await, [false; 5]);
}

#[tokio::test]
async fn an_announcement_without_rooms_reaches_everybody_but_those_it_excepts() {
    assert_eq!(hears_announced(&[], &[]).await, [true; 5]);
    assert_eq!(hears_announced(&[], &[0, 1]).await, [false, false, false, true, true]);
}

#[tokio::test]
async fn a_question_is_answered_by_every_other_member_of_the_room() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut asks = Member::of(&server, &red).await;
    let mut others = [Member::of(&server, &red).await, Member::of(&server, &red).await];
    let mut outside = Member::of(&server, &blue).await;
    asks.client.send(r#"42900["ask",{"msg":"Tea?"}]"#).await;
    for (n, other) in others.iter_mut().enumerate() {
        // A packet with an id wants an answer: 42, the id, the event.
        let asked = other.client.packet("42").await;
        let (id, event) = asked[2..].split_once('[').expect("an event");
        let from = &asks.id;
        assert_eq!(
            format!("[{event}"),
            json!(["asked", { "from": from, "msg": "Tea?" }]).to_string()
        );
        other.client.send(&format!("43{id}{}", json!([format!("yes, {n}")]))).await;
    }
    let answer = asks.client.packet("43900[").await;
    let mut answer: Value = serde_json::from_str(&answer[5..]).expect("JSON");
    let answers = answer[0]["answers"].as_array_mut().expect("a list");
    answers.sort_by_key(|answer| answer["msg"].to_string());
    let expected =
        [0, 1].map(|n| json!({ "id": others[n].id, "msg": format!("yes, {n}") }));
    assert_eq!(*answers, expected);
    assert_eq!(answer[0]["silent"], 0);
    assert_eq!(outside.heard().await, [""; 0]);
}

#[tokio::test]
async fn a_member_that_gives_no_answer_or_a_wrong_one_is_counted_as_silent() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut asks = Member::of(&server, &red).await;
    let _says_nothing = Member::of(&server, &red).await;
    let mut says_a_number = Member::of(&server, &red).await;
    let mut answers = Member::of(&server, &red).await;
    asks.client.send(r#"42900["ask",{"msg":"Tea?"}]"#).await;
    for (member, what) in
        [(&mut says_a_number, json!([7])), (&mut answers, json!(["yes"]))]
    {
        let asked = member.client.packet("42").await;
        let id = asked[2..].split('[').next().expect("an id");
        member.client.send(&format!("43{id}{what}")).await;
    }
    // The server waits two seconds for the silent ones.
    let answer = asks.client.packet_after(Duration::from_secs(2), "43900[").await;
    let answer: Value = serde_json::from_str(&answer[5..]).expect("JSON");
    let expected = json!({ "ok": true, "answers": [{ "id": answers.id, "msg": "yes" }], "silent": 2 });
    assert_eq!(answer[0], expected);
}

#[tokio::test]
async fn nobody_to_ask_is_no_answer_and_in_no_room_nobody_is_asked() {
    let server = Server::start(CHAPTER).await;
    let mut alone = Member::of(&server, &own_name("red")).await;
    let answer = alone.client.ask("ask", json!([{ "msg": "Tea?" }])).await;
    assert_eq!(answer, json!({ "ok": true, "answers": [], "silent": 0 }));
    let mut outside = SocketIo::connect(&server).await;
    let answer = outside.ask("ask", json!([{ "msg": "Tea?" }])).await;
    assert_eq!(answer, json!({ "ok": false, "error": "join a room first" }));
}
