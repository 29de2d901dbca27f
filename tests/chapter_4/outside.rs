//! Rooms from outside: move, disconnect and kick by HTTP.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;
use support::{
    Server,
    effort::times,
    http,
    official::{self, Official},
    own_name,
    socket_io::SocketIo,
};

use crate::{CHAPTER, Member, join, set, who};

async fn move_room(server: &Server, from: &str, body: &str) -> u16 {
    let headers = [("content-type", "application/json")];
    let path = format!("/rooms/{from}/move");
    http::send(server, "POST", &path, &headers, body.to_owned()).await.status.as_u16()
}

/// The body of a request to move a room.
fn to(room: &str) -> String {
    json!({ "to": room }).to_string()
}

async fn delete_room(server: &Server, room: &str) -> u16 {
    let path = format!("/rooms/{room}");
    http::send(server, "DELETE", &path, &[], "").await.status.as_u16()
}

async fn kick(server: &Server, room: &str, id: &str) -> u16 {
    let path = format!("/rooms/{room}/members/{id}");
    http::send(server, "DELETE", &path, &[], "").await.status.as_u16()
}

#[tokio::test]
async fn the_wrong_method_is_405() {
    let server = Server::start(CHAPTER).await;
    for path in ["/rooms/red", "/rooms/red/move", "/rooms/red/members/7"] {
        assert_eq!(http::get(&server, path).await.status, 405, "{path}");
    }
}

#[tokio::test]
async fn everybody_in_a_room_is_moved_to_another_and_told() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let mut two = Member::of(&server, &red).await;
    let mut three = Member::of(&server, &blue).await;
    let mut green = Member::of(&server, &own_name("green")).await;
    assert_eq!(move_room(&server, &red, &to(&blue)).await, 204);
    for moved in [&mut one, &mut two] {
        assert_eq!(moved.client.event("moved").await, json!([{ "room": blue }]));
    }
    assert_eq!(who(&mut green.client, &red).await, HashSet::new());
    assert_eq!(who(&mut green.client, &blue).await, set([&one, &two, &three]));
    one.client.ask("chatInput", json!([{ "nick": "o", "msg": "hello, blue" }])).await;
    for member in [&mut one, &mut two, &mut three] {
        assert_eq!(member.client.event("chatMessage").await[0]["msg"], "hello, blue");
        assert_eq!(member.heard().await, [""; 0]);
    }
    assert_eq!(green.heard().await, [""; 0]);
}

#[tokio::test]
async fn moving_a_room_to_itself_or_an_empty_one_changes_nothing() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let nobody = own_name("nobody");
    assert_eq!(move_room(&server, &red, &to(&red)).await, 204);
    assert_eq!(move_room(&server, &nobody, &to(&red)).await, 204);
    assert_eq!(delete_room(&server, &nobody).await, 204);
    assert_eq!(who(&mut one.client, &red).await, set([&one]));
    assert_eq!(one.heard().await, [""; 0]);
}

#[tokio::test]
async fn a_room_is_named_in_a_path_as_every_other_text() {
    let server = Server::start(CHAPTER).await;
    let own = own_name("");
    let (from, next) = (format!("방 1/2?{own}"), format!("방 3{own}"));
    let mut one = Member::of(&server, &from).await;
    let path = format!("%EB%B0%A9%201%2F2%3F{own}");
    assert_eq!(move_room(&server, &path, &to(&next)).await, 204);
    assert_eq!(one.client.event("moved").await, json!([{ "room": next }]));
    assert_eq!(delete_room(&server, &format!("%EB%B0%A9%203{own}")).await, 204);
    assert_eq!(one.client.packet("41").await, "41");
    for bad in ["%FF", &"x".repeat(51)] {
        assert_eq!(move_room(&server, bad, r#"{"to":"red"}"#).await, 400, "{bad}");
        assert_eq!(delete_room(&server, bad).await, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_move_that_is_not_as_it_should_be_is_400_and_moves_nobody() {
    let red = own_name("red");
    let server = Server::start(CHAPTER).await;
    let mut one = Member::of(&server, &red).await;
    let too_long = json!({ "to": "x".repeat(51) }).to_string();
    for body in [
        "",
        "{",
        "7",
        "[]",
        "{}",
        r#"{"to":7}"#,
        r#"{"to":null}"#,
        r#"{"to":""}"#,
        &too_long,
    ] {
        assert_eq!(move_room(&server, &red, body).await, 400, "{body}");
    }
    // What a form of another site could send.
    let headers = [("content-type", "text/plain")];
    let path = format!("/rooms/{red}/move");
    let answer = http::send(&server, "POST", &path, &headers, r#"{"to":"b"}"#).await;
    assert_eq!(answer.status, 400);
    let huge = json!({ "to": "x".repeat(3_000_000) }).to_string();
    assert_eq!(move_room(&server, &red, &huge).await, 413);
    assert_eq!(who(&mut one.client, &red).await, set([&one]));
}

#[tokio::test]
async fn everybody_in_a_deleted_room_is_disconnected_and_nobody_else() {
    if official::skip() {
        return;
    }
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut official = Official::connect(&server, 4).await;
    official.ask("joinRoom", json!([{ "room": red }])).await;
    let mut red_one = Member::of(&server, &red).await;
    let mut other = Member::of(&server, &blue).await;
    assert_eq!(delete_room(&server, &red).await, 204);
    assert_eq!(official.on("disconnect").await["reason"], "io server disconnect");
    assert_eq!(red_one.client.packet("41").await, "41");
    assert_eq!(who(&mut other.client, &red).await, HashSet::new());
    assert_eq!(other.heard().await, [""; 0]);
    // It is the room that was closed, not the door.
    official.reconnect().await;
    official.on("connect").await;
    let answer = official.ask("joinRoom", json!([{ "room": red }])).await;
    assert_eq!(answer[0]["members"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn one_member_is_kicked_and_the_others_hear_it() {
    let (red, blue) = (own_name("red"), own_name("blue"));
    let server = Server::start(CHAPTER).await;
    let mut stays = Member::of(&server, &red).await;
    let mut goes = Member::of(&server, &red).await;
    let elsewhere = Member::of(&server, &blue).await;
    assert_eq!(kick(&server, &red, &goes.id).await, 204);
    assert_eq!(goes.client.packet("41").await, "41");
    assert_eq!(stays.client.event("user has left").await, json!([{ "id": goes.id }]));
    assert_eq!(who(&mut stays.client, &red).await, set([&stays]));
    // Gone, in another room, nobody, and no id at all.
    let nobody = "00000000-0000-4000-8000-000000000000";
    for (id, status) in
        [(&*goes.id, 404), (&elsewhere.id, 404), (nobody, 404), ("red", 400)]
    {
        assert_eq!(kick(&server, &red, id).await, status, "{id}");
    }
    assert_eq!(who(&mut stays.client, &blue).await, set([&elsewhere]));
}

#[tokio::test]
async fn moves_and_joins_at_once_lose_nobody_and_double_nobody() {
    let server = Server::start(CHAPTER).await;
    let mut watcher = SocketIo::connect(&server).await;
    for round in 0..times(100) {
        let rooms: Vec<_> = (0..3).map(|_| own_name("mixed")).collect();
        let guests = (0..10).map(async |n| {
            let mut guest = Member::of(&server, &rooms[n % 3]).await;
            for step in 0..10 {
                join(&mut guest.client, &rooms[(n + step) % 3]).await;
            }
            guest
        });
        let moves = async {
            for n in 0..15 {
                let body = json!({ "to": rooms[(n + 1) % 3] }).to_string();
                assert_eq!(move_room(&server, &rooms[n % 3], &body).await, 204);
            }
        };
        let (guests, ()) = tokio::join!(join_all(guests), moves);
        let mut found = Vec::new();
        for room in &rooms {
            found.extend(who(&mut watcher, room).await);
        }
        let everybody: HashSet<_> = guests.iter().map(|guest| guest.id.clone()).collect();
        assert_eq!(found.len(), 10, "round {round}");
        assert_eq!(HashSet::from_iter(found), everybody);
    }
}
