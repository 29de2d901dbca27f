//! What chapter 6-3's pages show: who is in a room, to two visitors at once.

use browser::Browser;
use support::chat::{Chat, Visitor};

use crate::gif_chat::{LIVE, own};

const PACKAGE: &str = "chapter-6-3";
const IN_THE_ROOM: &str =
    "document.querySelector('#status').textContent === 'in the room'";

/// Opens a room, and waits until the page is in it.
async fn open(chat: &Chat, room: &str) -> Option<Browser> {
    let browser = Browser::open(chat, &format!("/room/{room}")).await?;
    browser.until(IN_THE_ROOM).await;
    Some(browser)
}

fn people(count: usize) -> String {
    format!(
        "document.querySelectorAll('#people li').length === {count} && \
         document.querySelector('#count').textContent === '{count}'"
    )
}

/// How often the log of a room says something.
fn notices(text: &str, count: usize) -> String {
    format!(
        "[...document.querySelectorAll('#messages .notice')]\
         .filter((it) => it.textContent.includes({text:?})).length === {count}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn two_visitors_see_each_other_come_and_go() {
    let Some(chat) = own(PACKAGE, &[("LEAVE_GRACE_MS", "200")]).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let Some(ada) = open(&chat, &room).await else { return };
    ada.until(&people(1)).await;
    ada.until("document.querySelector('#people').textContent.includes('(you)')").await;
    let Some(bob) = open(&chat, &room).await else { return };
    for page in [&ada, &bob] {
        page.until(&people(2)).await;
    }
    ada.until(&notices("has joined the room", 1)).await;
    bob.until(&notices("has joined the room", 0)).await;
    bob.visit(&chat.url("/")).await;
    ada.until(&notices("has left the room", 1)).await;
    ada.until(&people(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_is_not_seen_by_the_other() {
    let Some(chat) = own(PACKAGE, &[("LEAVE_GRACE_MS", "20000")]).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let Some(ada) = open(&chat, &room).await else { return };
    let Some(bob) = open(&chat, &room).await else { return };
    for _ in 0..3 {
        bob.run("location.reload()").await;
        bob.until(IN_THE_ROOM).await;
        bob.until(&people(2)).await;
    }
    // Somebody who comes after all that is the next that is noticed.
    let carol = Visitor::new(&chat).await.join(&chat, &room).await;
    ada.until(&people(3)).await;
    ada.until(&notices("has joined the room", 2)).await;
    ada.until(&notices("has left the room", 0)).await;
    drop(carol);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_the_server_the_page_is_back_in_its_room() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let Some(ada) = open(&chat, &room).await else { return };
    let Some(bob) = open(&chat, &room).await else { return };
    ada.until(&people(2)).await;
    let chat = chat.restart("KILL").await;
    // Both come back by themselves, and each finds the other.
    for page in [&ada, &bob] {
        page.until(IN_THE_ROOM).await;
        page.until(&people(2)).await;
    }
    let (_tab, answer) = Visitor::new(&chat).await.join(&chat, &room).await;
    assert_eq!(answer["room"]["members"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_lost_its_cookie_is_a_new_visitor_after_one_reload() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let Some(ada) = open(&chat, &room).await else { return };
    ada.delete_all_cookies().await.expect("no cookies");
    // Not by a reload, which would bring a cookie: the connection is lost.
    let chat = chat.restart("KILL").await;
    ada.until(
        "sessionStorage.getItem('reloaded') === null && performance\
        .getEntriesByType('navigation')[0].type === 'reload'",
    )
    .await;
    ada.until(IN_THE_ROOM).await;
    drop(chat);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lobby_counts_along_and_forgets_a_room_that_ends() {
    let times = [("LEAVE_GRACE_MS", "0"), ("EMPTY_ROOM_MS", "300")];
    let Some(chat) = own(PACKAGE, &times).await else { return };
    let Some(lobby) = Browser::open(&chat, "/").await else { return };
    lobby.until(LIVE).await;
    let ada = Visitor::new(&chat).await;
    let room = ada.create(&chat, "Cats").await;
    let tab = ada.join(&chat, &room).await;
    let members = "document.querySelector('#rooms .room-members').textContent";
    lobby.until(&format!("{members} === '1'")).await;
    drop(tab);
    lobby.until("!document.querySelector('#rooms .room-card')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_no_seat_or_loses_the_room_is_told_so() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = ada.create_with(&chat, &[("title", "Cats"), ("max", "2")]).await;
    let tabs = (ada.join(&chat, &room).await, Visitor::new(&chat).await);
    let Some(bob) = open(&chat, &room).await else { return };
    let Some(late) = Browser::open(&chat, &format!("/room/{room}")).await else { return };
    late.until("document.querySelector('#status').textContent === 'this room is full'")
        .await;
    late.is_for_everybody().await;
    assert_eq!(ada.delete(&chat, &format!("/room/{room}")).await.status, 204);
    bob.until("document.querySelector('#status').textContent === 'this room is gone'")
        .await;
    bob.until(&notices("The room has been deleted.", 1)).await;
    drop(tabs);
}

/// What comes in one response is handed out in one go: the answer to a join, and somebody
/// else's join right behind it. The second must not be lost.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_right_behind_the_answer_is_on_the_list() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let Some(ada) = open(&chat, &room).await else { return };
    ada.until(&people(1)).await;
    // The page's own script once more, with a client that is a puppet.
    let script = "
        const handlers = {};
        window.puppet = { handlers };
        const socket = {
            on: (name, handler) => { handlers[name] = handler; },
            emit: (name, payload, done) => { window.puppet.done = done; },
            emitWithAck: () => new Promise((done) => { window.puppet.done = done; }),
            disconnect: () => {},
        };
        window.io = () => socket;
        document.querySelector('wire-panel').watch = () => {};
        const source = document.createElement('script');
        source.src = '/assets/room.js?again';
        source.onload = () => { window.puppet.loaded = true; };
        document.head.append(source);";
    ada.run(script).await;
    ada.until("window.puppet.loaded").await;
    let script = "
        const member = (id) => ({ id, user: '#aabbcc', owner: false });
        puppet.handlers.connect();
        queueMicrotask(() => puppet.done({
            ok: true, room: {}, you: member('a'), members: [member('a')], seq: 0,
        }));
        queueMicrotask(() => puppet.handlers.join({
            ...member('b'), members: 2, chat: 'Somebody came.',
        }));";
    ada.run(script).await;
    ada.until(&notices("Somebody came.", 1)).await;
    ada.until(&people(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_for_everybody() {
    let Some(chat) = own(PACKAGE, &[("LEAVE_GRACE_MS", "0")]).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = ada.create(&chat, "People who post GIFs at four in the morning").await;
    let Some(page) = open(&chat, &room).await else { return };
    let mut tabs = vec![ada.join(&chat, &room).await];
    for _ in 0..3 {
        tabs.push(Visitor::new(&chat).await.join(&chat, &room).await);
    }
    page.until(&people(5)).await;
    tabs.pop();
    page.until(&notices("has left the room", 1)).await;
    page.is_for_everybody().await;
    page.picture("chapter-6-3", "6.3-presence").await;
}
