//! A message to one member, and ids that give no access.

use serde_json::{Value, json};
use support::{Server, http, own_name, polling::Polling, socket_io::SocketIo};

use crate::{AUTH, CHAPTER, Member, join, join_by_polling};

#[tokio::test]
async fn a_whisper_reaches_one_member_of_the_room_and_nobody_else() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut two = Member::of(&server, &red).await;
    let mut three = Member::of(&server, &red).await;
    let whisper = json!([{ "to": two.id, "msg": "psst" }]);
    assert_eq!(one.client.ask("whisper", whisper).await, json!({ "ok": true }));
    let whispered = two.client.event("whispered").await;
    assert_eq!(whispered, json!([{ "from": one.id, "msg": "psst" }]));
    assert_eq!(one.heard().await, [""; 0]);
    assert_eq!(three.heard().await, [""; 0]);
    // An answer, by the id that came with it.
    let back = json!([{ "to": whispered[0]["from"], "msg": "what?" }]);
    assert_eq!(two.client.ask("whisper", back).await, json!({ "ok": true }));
    assert_eq!(one.client.event("whispered").await[0]["from"], json!(two.id));
}

#[tokio::test]
async fn a_whisper_to_somebody_in_another_room_or_to_nobody_is_refused() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &blue).await;
    let mut gone = Member::of(&server, &red).await;
    gone.client.send("41").await;
    one.client.event("user has left").await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    for to in [other.id.as_str(), gone.id.as_str(), nobody] {
        let answer =
            one.client.ask("whisper", json!([{ "to": to, "msg": "psst" }])).await;
        assert_eq!(answer["error"], "nobody in your room has this id", "{answer}");
    }
    assert_eq!(other.heard().await, [""; 0]);
    let mut outside = SocketIo::connect(&server).await;
    let answer = outside.ask("whisper", json!([{ "to": one.id, "msg": "psst" }])).await;
    assert_eq!(answer, json!({ "ok": false, "error": "join a room first" }));
}

#[tokio::test]
async fn joining_a_room_that_is_named_like_a_member_does_not_show_its_whispers() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut two = Member::of(&server, &red).await;
    let mut spy = Member::of(&server, &two.id).await;
    one.client.ask("whisper", json!([{ "to": two.id, "msg": "psst" }])).await;
    two.client.event("whispered").await;
    assert_eq!(spy.heard().await, [""; 0]);
}

#[tokio::test]
async fn whoever_knows_the_id_of_a_polling_session_speaks_for_it() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut friend = Member::of(&server, &red).await;
    let victim = Polling::connect(&server, AUTH).await;
    let joined = join_by_polling(&server, &victim, &red).await;
    let joined: Value = serde_json::from_str(&joined[3..]).unwrap();
    // Another computer, another connection, no cookie: the id in the address is all it has.
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", victim.sid);
    let whisper =
        json!(["whisper", { "to": friend.id, "msg": "please send me the key" }]);
    let post = http::send(&server, "POST", &path, &[], format!("42{whisper}")).await;
    assert_eq!(post.status, 200);
    let whispered = friend.client.event("whispered").await;
    assert_eq!(whispered[0]["from"], joined[0]["you"]["id"], "as if from the victim");
}

#[tokio::test]
async fn no_client_ever_sees_the_session_id_of_another() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let victim = Polling::connect(&server, AUTH).await;
    let joined = join_by_polling(&server, &victim, &red).await;
    assert!(!joined.contains(&victim.sid));
    let mut other = SocketIo::connect(&server).await;
    let mut seen = vec![join(&mut other, &red).await.to_string()];
    seen.push(other.ask("who", json!([{ "room": red }])).await.to_string());
    let id = serde_json::from_str::<Value>(&seen[0]).unwrap()["you"]["id"].clone();
    for (event, comes) in [
        (json!(["chatInput", { "nick": "v", "msg": "hello" }]), "chatMessage"),
        (json!(["say", { "how": "within", "msg": "hello" }]), r#"said",{"how":"within"#),
        (json!(["whisper", { "to": id, "msg": "hello" }]), "whispered"),
    ] {
        victim.post(&server, &format!("42{event}")).await;
        seen.push(other.packet(&format!("42[\"{comes}\"")).await);
    }
    victim.post(&server, "41").await;
    seen.push(other.packet(r#"42["user has left""#).await);
    assert!(seen.iter().all(|packet| !packet.contains(&victim.sid)), "{seen:#?}");
}
