//! What the GIF chat shows, to several visitors at once.

use browser::{Browser, NOTHING, program};
use serde_json::{Value, json};
use support::{
    chat::{Chat, Visitor},
    socket_io::SocketIo,
};
use thirtyfour::Key;

use crate::gif_chat::{LIVE, enter, own, start};

const PACKAGE: &str = "chapter-6";
const AWAY: &str = "document.querySelector('#status').dataset.state === 'disconnected'";
const NUMBERS: &str =
    "[...document.querySelectorAll('.message')].map((line) => Number(line.dataset.seq))";
const TEXT: &str = "document.querySelector('#chat').value";
const FAULT: &str = "document.querySelector('#fault').textContent";
const BANNER: &str = "document.querySelector('#banner').textContent";
const NOTICES: &str =
    "[...document.querySelectorAll('.notice')].map((line) => line.textContent)";
const PREVIEW: &str = "document.querySelector('#preview').checkVisibility()";
const SEND_GIF: &str = "document.querySelector('#send-gif').textContent";
const TO_THE_END: &str = "document.querySelector('#talk').scrollHeight \
    - document.querySelector('#talk').scrollTop \
    - document.querySelector('#talk').clientHeight";
/// A GIF of one pixel, as a file of a page.
const A_GIF: &str =
    "new File([Uint8Array.of(71, 73, 70, 56, 57, 97, 1, 0, 1, 0, 128, 0, 0,
    0, 0, 0, 255, 255, 255, 44, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 68, 1, 0, 59)],
    'cat.gif', { type: 'image/gif' })";

/// Somebody who is in the room, and has no page.
struct Talker {
    visitor: Visitor,
    _tab: SocketIo,
}

impl Talker {
    async fn new(chat: &Chat, room: &str) -> Self {
        let visitor = Visitor::new(chat).await;
        let (tab, _) = visitor.join(chat, room).await;
        Self { visitor, _tab: tab }
    }

    async fn say(&self, chat: &Chat, room: &str, text: &str) {
        self.visitor.said(chat, room, text).await;
    }
}

/// Has `count` messages said. Nobody may say more than ten in a second, so many do.
async fn say_many(chat: &Chat, room: &str, count: usize) {
    let mut talker = Talker::new(chat, room).await;
    for number in 1..=count {
        if number % 10 == 0 {
            talker = Talker::new(chat, room).await;
        }
        talker.say(chat, room, &format!("Message {number}")).await;
    }
}

/// A new room for many.
async fn room(chat: &Chat) -> String {
    let fields = [("title", "Cats"), ("max", "100")];
    Visitor::new(chat).await.create_with(chat, &fields).await
}

async fn say(browser: &Browser, text: &str) {
    browser.write("#chat", text).await;
    browser.press(Key::Enter).await;
    browser.until(&format!("{TEXT} === ''")).await;
}

fn shows(text: &str) -> String {
    format!(
        "[...document.querySelectorAll('.message .text')].filter(\
         (it) => it.textContent === {text:?}).length === 1"
    )
}

/// Chooses a file (a JavaScript expression) as a click on the button does.
async fn choose(browser: &Browser, file: &str) {
    let script = format!(
        "const files = new DataTransfer();
        files.items.add({file});
        const input = document.querySelector('#gif');
        input.files = files.files;
        input.dispatchEvent(new Event('change'))"
    );
    browser.run(&script).await;
}

fn is(script: &str, value: impl Into<Value>) -> String {
    format!("JSON.stringify({script}) === JSON.stringify({})", value.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_meet_in_a_secret_room_and_it_goes_when_both_have_left() {
    let short = [("EMPTY_ROOM_MS", "300"), ("LEAVE_GRACE_MS", "10000")];
    let Some(chat) = own(PACKAGE, &short).await else { return };
    let Some(ada) = Browser::open(&chat, "/room").await else { return };
    let Some(bob) = Browser::open(&chat, "/").await else { return };
    // She makes the room, he finds it in the lobby.
    ada.write("#title", "Cats").await;
    ada.write("#password", "sesame").await;
    ada.click("form button").await;
    ada.until(LIVE).await;
    bob.until("document.querySelector('.room-card .room-secret').checkVisibility()")
        .await;
    bob.until("document.querySelector('.room-count').textContent === '1/10 people'")
        .await;
    bob.click(".room-card").await;
    bob.write("#password", "open").await;
    bob.click("form button").await;
    bob.until("document.querySelector('#password-fault').checkVisibility()").await;
    bob.write("#password", "sesame").await;
    bob.press(Key::Enter).await;
    bob.until(LIVE).await;
    for browser in [&ada, &bob] {
        browser.until("document.querySelectorAll('#people li').length === 2").await;
        browser.until("document.querySelector('#count').textContent === '2'").await;
    }
    // They talk, and send a GIF.
    say(&ada, "Good morning").await;
    bob.until(&shows("Good morning")).await;
    bob.until("!document.querySelector('.message').matches('.mine')").await;
    say(&bob, "Good morning, Ada").await;
    choose(&bob, A_GIF).await;
    bob.click("#send-gif").await;
    for browser in [&ada, &bob] {
        let gif = "document.querySelector('.message .gif').naturalWidth === 1";
        browser.until(gif).await;
    }
    ada.until("document.querySelectorAll('.mine').length === 1").await;
    bob.until("document.querySelectorAll('.mine').length === 2").await;
    // He refreshes, and nobody notices.
    bob.refresh().await.expect("a page that loads again");
    bob.until(&format!("{LIVE} && {}", is(NUMBERS, json!([1, 2, 3])))).await;
    bob.until("document.querySelectorAll('.mine').length === 2").await;
    say(&bob, "Still here").await;
    ada.until(&shows("Still here")).await;
    assert_eq!(ada.run(&format!("return {NOTICES}.length")).await, 1, "his first coming");
    // They leave, and so does the room.
    bob.click("header a").await;
    bob.until("document.querySelector('.room-title').textContent === 'Cats'").await;
    ada.click("header a").await;
    for browser in [&ada, &bob] {
        browser.until("document.querySelector('.empty').checkVisibility()").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_while_the_network_was_gone_is_there_once_and_in_order() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    say(&bob, "One").await;
    bob.offline(true).await;
    bob.until(AWAY).await;
    bob.until(&is(BANNER, "The connection is lost. Trying again …")).await;
    bob.until("document.querySelector('#banner').checkVisibility()").await;
    // More than one answer holds.
    say_many(&chat, &id, 120).await;
    bob.offline(false).await;
    let all: Vec<u32> = (1..=121).collect();
    bob.until(&format!("{LIVE} && {}", is(NUMBERS, all))).await;
    bob.until("!document.querySelector('#banner').checkVisibility()").await;
    say(&bob, "Last").await;
    let all: Vec<u32> = (1..=122).collect();
    bob.until(&is(NUMBERS, all)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_without_a_network_stays_and_can_be_sent_again() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    bob.offline(true).await;
    bob.until(AWAY).await;
    bob.write("#chat", "Hello").await;
    bob.press(Key::Enter).await;
    bob.until(&is(FAULT, "No answer. If it does not appear, try again.")).await;
    bob.until(&is(TEXT, "Hello")).await;
    choose(&bob, A_GIF).await;
    bob.click("#send-gif").await;
    bob.until(&format!("{PREVIEW} && {}", is(SEND_GIF, "Try again"))).await;
    bob.is_for_everybody().await;
    bob.offline(false).await;
    bob.until(LIVE).await;
    bob.click("#send-gif").await;
    bob.until(&format!("!{PREVIEW} && {}", is(NUMBERS, json!([1])))).await;
    bob.until(&is(FAULT, "")).await;
    bob.click("#composer button").await;
    bob.until(&format!("{} && {}", is(TEXT, ""), shows("Hello"))).await;
    bob.until(&is(NUMBERS, json!([1, 2]))).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_page_outlives_its_server_and_misses_nothing() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    say(&bob, "Before").await;
    let chat = chat.restart("KILL").await;
    Talker::new(&chat, &id).await.say(&chat, &id, "After").await;
    bob.until(&format!("{LIVE} && {}", is(NUMBERS, json!([1, 2])))).await;
    say(&bob, "Later").await;
    bob.until(&shows("Later")).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_does_not_stop_the_page_for_ever() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    chat.signal("STOP").await;
    bob.write("#chat", "Hello").await;
    bob.press(Key::Enter).await;
    bob.until("document.querySelector('#composer').ariaBusy === 'true'").await;
    bob.until(&is(FAULT, "No answer. If it does not appear, try again.")).await;
    bob.until(&is(TEXT, "Hello")).await;
    // It may have arrived, or not. The page goes on, and its reader can see which.
    chat.signal("CONT").await;
    bob.until(LIVE).await;
    bob.press(Key::Enter).await;
    bob.until(&is(TEXT, "")).await;
    bob.until("document.querySelectorAll('.message').length >= 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_follows_at_its_end_and_stays_where_somebody_reads() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    say_many(&chat, &id, 40).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let pill = "document.querySelector('#pill').checkVisibility()";
    bob.until(&format!("{TO_THE_END} < 2 && !{pill}")).await;
    let ada = Talker::new(&chat, &id).await;
    ada.say(&chat, &id, "Seen at once").await;
    bob.until(&format!("{} && {TO_THE_END} < 2 && !{pill}", shows("Seen at once"))).await;
    bob.run("document.querySelector('#talk').scrollTop = 100").await;
    bob.until(&format!("{TO_THE_END} > 100")).await;
    ada.say(&chat, &id, "Not seen").await;
    bob.until(&format!("{pill} && document.title.startsWith('(1) ')")).await;
    bob.until(&is("document.querySelector('#pill').textContent", "1 new message")).await;
    ada.say(&chat, &id, "Not seen either").await;
    bob.until(&is("document.querySelector('#pill').textContent", "2 new messages")).await;
    bob.until(&is("document.querySelector('#talk').scrollTop", 100)).await;
    bob.is_for_everybody().await;
    bob.click("#pill").await;
    bob.until(&format!("{TO_THE_END} < 2 && !{pill}")).await;
    bob.until(
        "document.title.startsWith('Cats') && document.activeElement.id === 'talk'",
    )
    .await;
    // Whoever says something wants to see it.
    bob.run("document.querySelector('#talk').scrollTop = 100").await;
    bob.until(&format!("{TO_THE_END} > 100")).await;
    say(&bob, "Mine").await;
    bob.until(&format!("{} && {TO_THE_END} < 2", shows("Mine"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_before_the_scrolling_is_reported_does_not_pull_the_reader_down() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    say_many(&chat, &id, 40).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    bob.until(&format!("{TO_THE_END} < 2")).await;
    // The browser reports the scrolling with the next frame; the notice comes before.
    let script = "const { addNotice } = await import('/assets/messages.js');
        document.querySelector('#talk').scrollTop = 100;
        addNotice('A notice');
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        return document.querySelector('#talk').scrollTop;";
    let top = bob.run(&format!("return (async () => {{ {script} }})()")).await;
    assert_eq!(top, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gif_that_grows_when_it_arrives_does_not_push_the_end_away() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    say_many(&chat, &id, 40).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    // The list is scrolled to its end and grows, before the scroll event is heard.
    let script = "const { addNotice } = await import('/assets/messages.js');
        for (let round = 0; round < 20; round += 1) {
            addNotice('A notice');
            document.querySelector('.notice:last-child').style.minBlockSize = '150px';
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        }";
    bob.run(&format!("return (async () => {{ {script} }})()")).await;
    bob.until(&format!("{TO_THE_END} < 2")).await;
    // The preview goes, so the list has more room and moves; and then the GIF grows.
    let script = "const frame = () => new Promise((done) =>
            requestAnimationFrame(() => setTimeout(done)));
        const preview = document.querySelector('#preview');
        preview.hidden = false;
        await frame();
        preview.hidden = true;
        document.querySelector('#talk').getBoundingClientRect();
        document.querySelector('.notice:last-child').style.minBlockSize = '600px';
        await frame();";
    bob.run(&format!("return (async () => {{ {script} }})()")).await;
    bob.until(&format!("{TO_THE_END} < 2")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_messages_come_above_what_is_read_and_do_not_move_it() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    say_many(&chat, &id, 120).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let shown: Vec<u32> = (71..=120).collect();
    bob.until(&is(NUMBERS, shown)).await;
    let place = "document.querySelector('[data-seq=\"71\"]').getBoundingClientRect().top";
    bob.run("document.querySelector('#earlier').scrollIntoView()").await;
    bob.until("document.querySelector('#talk').scrollTop === 0").await;
    let before = bob.run(&format!("return {place}")).await.as_f64().expect("a place");
    bob.click("#earlier").await;
    let shown: Vec<u32> = (21..=120).collect();
    bob.until(&is(NUMBERS, shown)).await;
    bob.until(&format!("Math.abs({place} - {before}) < 2")).await;
    // A network that is gone: the button says so, and works again.
    let button = "document.querySelector('#earlier')";
    bob.offline(true).await;
    bob.run(&format!("{button}.click()")).await;
    bob.until(&is(&format!("{button}.textContent"), "That failed. Try again")).await;
    bob.offline(false).await;
    bob.until(LIVE).await;
    bob.run(&format!("{button}.focus()")).await;
    bob.press(Key::Enter).await;
    let shown: Vec<u32> = (1..=120).collect();
    bob.until(&is(NUMBERS, shown)).await;
    bob.until(&format!("{button}.hidden && document.activeElement.id === 'talk'")).await;
    bob.until("document.querySelectorAll('.day').length === 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_day_begins_with_a_line_that_names_it() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let script = "const { add } = await import('/assets/messages.js');
        const say = (seq, createdAt) =>
            add({ seq, user: '#112233', chat: `${seq}`, createdAt }, false, () => {});
        say(3, '2026-03-02T11:40:00Z');
        say(4, '2026-03-02T11:45:00Z');
        say(6, '2026-03-04T11:40:00Z');
        say(2, '2026-03-01T11:40:00Z');
        say(1, '2026-03-01T11:35:00Z');
        say(5, '2026-03-04T11:35:00Z');
        say(5, '2026-03-09T11:35:00Z');
        const days = [...document.querySelectorAll('.day')].map((line) => line.textContent);
        const lines = [...document.querySelectorAll('.day, .message .text')];
        return [new Set(days).size, ...lines.map(({ textContent: text }) =>
            days.includes(text) ? 'day' : text)]";
    let lines = bob.run(&format!("return (async () => {{ {script} }})()")).await;
    // Three days, whichever they are where this runs.
    let expected = json!([3, "day", "1", "2", "day", "3", "4", "day", "5", "6"]);
    assert_eq!(lines, expected);
    let time = "document.querySelector('.message time')";
    bob.until(&format!("/\\d:\\d\\d/.test({time}.textContent) && {time}.dateTime")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_in_the_room_are_listed_and_what_they_do_is_said() {
    let Some(chat) = own(PACKAGE, &[("LEAVE_GRACE_MS", "100")]).await else {
        return;
    };
    let owner = Visitor::new(&chat).await;
    let id = owner.create(&chat, "Cats").await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let people =
        "[...document.querySelectorAll('#people .user')].map((it) => it.textContent)";
    bob.until(&format!("{people}.length === 1 && {people}[0].endsWith(' (you)')")).await;
    let colour = owner.colour(&chat).await;
    let (tab, _) = owner.join(&chat, &id).await;
    bob.until(&is(&format!("{people}[1]"), format!("{colour} · made this room"))).await;
    bob.until(&format!("{NOTICES}.length === 1")).await;
    tab.vanish();
    bob.until(&format!("{people}.length === 1 && {NOTICES}.length === 2")).await;
    bob.until("document.querySelector('#count').textContent === '1'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gif_can_be_chosen_dropped_or_pasted_and_is_looked_at_before_it_is_sent() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let drop = format!(
        "const dataTransfer = new DataTransfer();
        dataTransfer.items.add({A_GIF});
        const talk = document.querySelector('#talk');
        for (const type of ['dragover', 'drop']) talk.dispatchEvent(
            new DragEvent(type, {{ dataTransfer, bubbles: true, cancelable: true }}))"
    );
    let paste = format!(
        "const clipboardData = new DataTransfer();
        clipboardData.items.add({A_GIF});
        document.querySelector('#chat').dispatchEvent(
            new ClipboardEvent('paste', {{ clipboardData, bubbles: true }}))"
    );
    for (number, how) in [&drop, &paste].into_iter().enumerate() {
        bob.run(how).await;
        bob.until(&format!("{PREVIEW} && document.activeElement.id === 'send-gif'"))
            .await;
        let looked_at = "document.querySelector('#preview .gif').naturalWidth === 1";
        bob.until(looked_at).await;
        bob.until(&is(
            "document.querySelector('#preview .size').textContent",
            "cat.gif, 1 KiB",
        ))
        .await;
        assert_eq!(bob.run(&format!("return {NUMBERS}.length")).await, number);
        bob.press(Key::Enter).await;
        bob.until(&format!("!{PREVIEW} && {NUMBERS}.length === {}", number + 1)).await;
        bob.until("document.activeElement.id === 'chat'").await;
    }
    // The same file twice: chosen, given up in two ways, and chosen again.
    choose(&bob, A_GIF).await;
    bob.until(PREVIEW).await;
    bob.is_for_everybody().await;
    bob.click("#cancel-gif").await;
    bob.until(&format!("!{PREVIEW}")).await;
    choose(&bob, A_GIF).await;
    bob.until("document.activeElement.id === 'send-gif'").await;
    bob.press(Key::Escape).await;
    bob.until(&format!("!{PREVIEW} && document.activeElement.id === 'chat'")).await;
    choose(&bob, A_GIF).await;
    bob.click("#send-gif").await;
    bob.until(&is(NUMBERS, json!([1, 2, 3]))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_pasted_stays_a_text_though_a_picture_comes_with_it() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let paste = "const clipboardData = new DataTransfer();
        clipboardData.items.add(new File([], 'cells.png', { type: 'image/png' }));
        clipboardData.setData('text/plain', 'one\\ttwo');
        document.querySelector('#chat').dispatchEvent(
            new ClipboardEvent('paste', { clipboardData, bubbles: true }))";
    bob.run(paste).await;
    assert_eq!(bob.run(&format!("return {FAULT}")).await, "");
    assert_eq!(bob.run(&format!("return {PREVIEW}")).await, false);
}

/// A GIF of many bytes: one pixel, and a long comment.
const A_LARGE_GIF: &str = "(() => {
    const start = [71, 73, 70, 56, 57, 97, 1, 0, 1, 0, 128, 0, 0, 0, 0, 0, 255, 255, 255];
    const comment = new Uint8Array(2 + 15000 * 256 + 1);
    comment.set([33, 254]);
    for (let at = 0; at < 15000; at += 1) comment[2 + at * 256] = 255;
    const end = [44, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 68, 1, 0, 59];
    const parts = [Uint8Array.from(start), comment, Uint8Array.from(end)];
    return new File(parts, 'large.gif', { type: 'image/gif' });
})()";

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_upload_shows_how_far_it_is_and_can_be_cancelled() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    bob.slow_upload(400_000).await;
    choose(&bob, A_LARGE_GIF).await;
    bob.click("#send-gif").await;
    let progress = "document.querySelector('#preview progress')";
    bob.until(&format!("{progress}.value > 0.05 && {progress}.value < 0.95")).await;
    bob.until("document.querySelector('#send-gif').disabled").await;
    bob.click("#cancel-gif").await;
    bob.until(&format!("!{PREVIEW} && {FAULT} === ''")).await;
    // Another one can be sent at once, and the first one does not come.
    bob.slow_upload(-1).await;
    choose(&bob, A_GIF).await;
    bob.click("#send-gif").await;
    bob.until(&format!("!{PREVIEW} && {}", is(NUMBERS, json!([1])))).await;
    assert_eq!(bob.run(&format!("return {FAULT}")).await, "");
    choose(&bob, A_LARGE_GIF).await;
    bob.click("#send-gif").await;
    bob.until(&format!("!{PREVIEW} && {}", is(NUMBERS, json!([1, 2])))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_told_where_it_happens_and_nothing_typed_is_lost() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    // The page knows at once what is no GIF, or too large.
    let png = "new File(['x'], 'cat.png', { type: 'image/png' })";
    choose(&bob, png).await;
    bob.until(&format!("!{PREVIEW} && {}", is(FAULT, "Only GIFs can be sent here.")))
        .await;
    let large = "new File([new Uint8Array(5 * 1024 * 1024 + 1)], 'cat.gif',
        { type: 'image/gif' })";
    choose(&bob, large).await;
    bob.until(&format!("!{PREVIEW} && {}", is(FAULT, "A GIF has at most 5 MiB."))).await;
    let two = format!(
        "const dataTransfer = new DataTransfer();
        for (let count = 0; count < 2; count += 1) dataTransfer.items.add({A_GIF});
        const drop = {{ dataTransfer, cancelable: true }};
        document.dispatchEvent(new DragEvent('drop', drop))"
    );
    bob.run(&two).await;
    bob.until(&format!("!{PREVIEW} && {}", is(FAULT, "One GIF at a time, please.")))
        .await;
    // The server looks inside: 415. The GIF stays, and can be given up.
    let broken =
        "new File(['GIF89a is how it begins'], 'cat.gif', { type: 'image/gif' })";
    choose(&bob, broken).await;
    bob.click("#send-gif").await;
    bob.until(&format!("{PREVIEW} && {} && {FAULT} !== ''", is(SEND_GIF, "Try again")))
        .await;
    bob.click("#cancel-gif").await;
    bob.until(&format!("!{PREVIEW} && {FAULT} === ''")).await;
    // 400 and 413, by their length.
    for (length, fault) in
        [(1001, "A message has at most 1000 characters."), (20_000, "That is too long.")]
    {
        bob.run(&format!("{TEXT} = 'x'.repeat({length})")).await;
        bob.click("#composer button").await;
        bob.until(&is(FAULT, fault)).await;
        bob.until(&format!("{TEXT}.length === {length}")).await;
    }
    bob.is_for_everybody().await;
    // 429: ten in a second is what anybody can say. A slow machine may need another try.
    let flood = format!(
        "return (async () => {{
            const fetched = () => fetch('/room/{id}/chat', {{
                method: 'POST', headers: {{ 'content-type': 'application/json' }},
                body: '{{\"chat\": \"Quick\"}}' }});
            const form = document.querySelector('#composer');
            const busy = () => form.ariaBusy === 'true';
            for (let round = 1; ; round += 1) {{
                await Promise.all(Array.from({{ length: 10 }}, fetched));
                {TEXT} = `Too quick ${{round}}`;
                form.requestSubmit();
                while (busy()) await new Promise((done) => setTimeout(done, 5));
                if ({FAULT} !== '') return `Too quick ${{round}}`;
            }}
        }})()"
    );
    let text = bob.run(&flood).await;
    let text = text.as_str().expect("a text");
    let too_often = "That was too often. Wait a moment, then try again.";
    bob.until(&format!("{} && {}", is(FAULT, too_often), is(TEXT, text))).await;
    let again =
        format!("document.querySelector('#composer').requestSubmit() || {TEXT} === ''");
    bob.until(&again).await;
    bob.until(&format!("{} && {FAULT} === ''", shows(text))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enter_that_chooses_a_word_sends_nothing_and_shift_enter_begins_a_line() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    bob.write("#chat", "にほ").await;
    for how in ["isComposing: true", "keyCode: 229"] {
        let key = format!(
            "return document.querySelector('#chat').dispatchEvent(new KeyboardEvent(
            'keydown', {{ key: 'Enter', bubbles: true, cancelable: true, {how} }}))"
        );
        assert_eq!(bob.run(&key).await, true, "it is left to the browser");
    }
    bob.press(Key::Shift + Key::Enter).await;
    bob.press("two").await;
    bob.until(&is(TEXT, "にほ\ntwo")).await;
    bob.press(Key::Enter).await;
    bob.until(&format!("{} && {}", is(TEXT, ""), shows("にほ\ntwo"))).await;
    bob.until(&is(NUMBERS, json!([1]))).await;
    // Nothing, and nothing but spaces, is no message.
    bob.press(Key::Enter).await;
    bob.press("  ").await;
    bob.press(Key::Enter).await;
    say(&bob, "Last").await;
    bob.until(&format!("{} && {FAULT} === ''", is(NUMBERS, json!([1, 2])))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_while_a_message_is_on_its_way_stays() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let script = "const chat = document.querySelector('#chat');
        chat.value = 'Hello';
        document.querySelector('#composer').requestSubmit();
        document.querySelector('#composer').requestSubmit();
        chat.value = 'Hello, and';";
    bob.run(script).await;
    bob.until(&format!("{} && {}", shows("Hello"), is(TEXT, ", and"))).await;
    bob.until(&is(NUMBERS, json!([1]))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_for_less_motion_gets_gifs_that_stand_still_until_asked() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    choose(&bob, A_GIF).await;
    bob.click("#send-gif").await;
    bob.until(&format!("document.querySelector('.message img.gif') && !{PREVIEW}")).await;
    bob.less_motion().await;
    bob.refresh().await.expect("a page that loads again");
    bob.until(LIVE).await;
    // From the page, by an event, and before it is sent.
    choose(&bob, A_GIF).await;
    bob.until("document.querySelector('#preview canvas')").await;
    bob.click("#send-gif").await;
    let still = "[...document.querySelectorAll('.message .still canvas')].filter(
        (frame) => frame.width === 1).length === 2";
    bob.until(&format!("{still} && !document.querySelector('img')")).await;
    assert_eq!(bob.barriers(&[]).await, NOTHING);
    bob.run("document.querySelector('.still').focus()").await;
    let label = "document.activeElement.ariaLabel";
    bob.until(&format!("{label}.startsWith('Play: A GIF from #')")).await;
    bob.press(Key::Enter).await;
    bob.until(&format!("{label}.startsWith('Stop: ') && document.querySelector('.gif')"))
        .await;
    bob.press(Key::Enter).await;
    bob.until("!document.querySelector('.gif')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_is_enough() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    Talker::new(&chat, &id).await.say(&chat, &id, "Hello").await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let mut reached = vec![];
    for _ in 0..6 {
        bob.press(Key::Tab).await;
        let focus = "const it = document.activeElement;
            return it.id || it.className || it.textContent";
        reached.push(bob.run(focus).await.as_str().unwrap_or_default().to_owned());
        if reached.last().is_some_and(|reached| reached == "chat") {
            bob.press("By keyboard").await;
            bob.press(Key::Enter).await;
            bob.until(&shows("By keyboard")).await;
        }
    }
    let expected = ["All rooms", "people", "talk", "chat", "primary", "gif"];
    assert_eq!(reached, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_reader_is_told_what_is_what() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    bob.until("document.querySelector('[role=log] #messages')").await;
    bob.until("document.querySelector('#banner').getAttribute('role') === 'status'")
        .await;
    bob.until("document.querySelector('#fault').getAttribute('role') === 'alert'").await;
    for (id, label) in [("chat", "Message"), ("gif", "GIF")] {
        let element = format!("document.querySelector('#{id}')");
        bob.until(&is(&format!("{element}.labels[0].textContent"), label)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_its_owner_deletes_says_so_to_those_in_it() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = Browser::open(&chat, "/room").await else { return };
    ada.write("#title", "Cats").await;
    ada.click("form button").await;
    ada.until(LIVE).await;
    let path = ada.run("return location.pathname").await;
    let path = path.as_str().expect("a path");
    let Some(bob) = Browser::open(&chat, path).await else { return };
    bob.until(LIVE).await;
    bob.write("#chat", "Half a sen").await;
    choose(&bob, A_GIF).await;
    ada.click("#delete").await;
    ada.accept_alert().await.expect("a question first");
    ada.until("location.pathname === '/'").await;
    bob.until(&is(BANNER, "This room is gone.")).await;
    bob.until(&format!("{NOTICES}.at(-1) === 'The room has been deleted.'")).await;
    bob.until("document.querySelector('#status').dataset.state === 'refused'").await;
    // What was typed can still be copied, and nothing can be sent any more.
    bob.until(&format!("{} && !{PREVIEW}", is(TEXT, "Half a sen"))).await;
    bob.until("document.querySelector('#composer button').disabled").await;
    bob.until("document.querySelector('#chat').readOnly").await;
    choose(&bob, A_GIF).await;
    assert_eq!(bob.run(&format!("return {PREVIEW}")).await, false);
    bob.is_for_everybody().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_to_a_full_room_is_told_so() {
    let Some(chat) = own(PACKAGE, &[("LEAVE_GRACE_MS", "100")]).await else {
        return;
    };
    let owner = Visitor::new(&chat).await;
    let id = owner.create_with(&chat, &[("title", "Two"), ("max", "2")]).await;
    let ada = Talker::new(&chat, &id).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    bob.offline(true).await;
    bob.until(AWAY).await;
    let mut lobby = owner.watch(&chat).await.0;
    let mut rooms = owner.watch(&chat).await.1;
    while rooms[0]["members"] != 1 {
        rooms[0] = lobby.event_in("/room", "updateRoom").await[0].take();
    }
    let _carol = Talker::new(&chat, &id).await;
    bob.offline(false).await;
    bob.until(&format!("{BANNER}.startsWith('This room is full.')")).await;
    drop(ada);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_its_cookie_is_loaded_again_once() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = room(&chat).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let people = "document.querySelector('#people .user').textContent";
    let before = bob.run(&format!("return {people}")).await;
    bob.run("window.before = true").await;
    bob.forget().await;
    bob.offline(true).await;
    bob.until(AWAY).await;
    bob.offline(false).await;
    bob.until(&format!("window.before === undefined && {LIVE}")).await;
    bob.until(&format!("{} === false", is(people, before))).await;
    // A browser that keeps no cookies would load the page for ever.
    bob.run("window.before = true; sessionStorage.setItem('reloaded', 'yes')").await;
    bob.forget().await;
    bob.offline(true).await;
    bob.until(AWAY).await;
    bob.offline(false).await;
    bob.until(&format!("{BANNER}.startsWith('This page needs its cookie')")).await;
    bob.until("window.before").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_said_stays_text() {
    let Some(chat) = start(PACKAGE).await else { return };
    let hostile = "<img src=x onerror='window.hurt = 1'>";
    let owner = Visitor::new(&chat).await;
    let id = owner.create(&chat, hostile).await;
    let ada = Talker::new(&chat, &id).await;
    ada.say(&chat, &id, &format!("{hostile} from the page")).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    ada.say(&chat, &id, &format!("{hostile} by an event")).await;
    bob.until(&shows(&format!("{hostile} from the page"))).await;
    bob.until(&shows(&format!("{hostile} by an event"))).await;
    bob.until(&is("document.querySelector('h1').textContent", hostile)).await;
    bob.until("!document.querySelector('img') && window.hurt === undefined").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_does_what_its_policy_forbids_or_complains() {
    let Some(chat) = start(PACKAGE).await else { return };
    let visitor = Visitor::new(&chat).await;
    let public = visitor.create(&chat, "Cats").await;
    let fields = [("title", "Cats"), ("max", "2"), ("password", "sesame")];
    let secret = visitor.create_with(&chat, &fields).await;
    let Some(bob) = Browser::open(&chat, "/").await else { return };
    let (public, secret) = (format!("/room/{public}"), format!("/room/{secret}"));
    for path in ["/", "/room", &secret, "/nowhere", &public] {
        bob.visit(&chat.url(path)).await;
        assert_eq!(bob.faults().await, NOTHING, "{path}");
    }
    bob.until(LIVE).await;
    choose(&bob, A_GIF).await;
    bob.until("document.querySelector('#preview .gif').naturalWidth === 1").await;
    bob.click("#send-gif").await;
    bob.until("document.querySelector('.message .gif').naturalWidth === 1").await;
    say(&bob, "Hello").await;
    bob.until(&format!("{} && !{PREVIEW}", shows("Hello"))).await;
    assert_eq!(bob.faults().await, NOTHING);
    // A fault would have been seen.
    bob.run("document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\">')")
        .await;
    bob.until("window.faults.length > 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_full_of_everything_is_for_everybody() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let fields = [("title", &*"W".repeat(50)), ("max", "100")];
    let id = Visitor::new(&chat).await.create_with(&chat, &fields).await;
    let Some(bob) = enter(&chat, &id).await else { return };
    bob.is_for_everybody().await;
    let mut people = vec![];
    for _ in 0..40 {
        people.push(Talker::new(&chat, &id).await);
    }
    people[0].say(&chat, &id, &"long".repeat(250)).await;
    say(&bob, "Short").await;
    choose(&bob, A_GIF).await;
    bob.click("#send-gif").await;
    bob.until(&is(NUMBERS, json!([1, 2, 3]))).await;
    bob.until("document.querySelectorAll('#people li').length === 41").await;
    bob.is_for_everybody().await;
    // Whoever opens the page can write at once: the form is in sight.
    for (width, height) in
        [(320, 568), (360, 740), (768, 1024), (1200, 800), (1600, 1000)]
    {
        bob.look(width, height, "light").await;
        let form = "document.querySelector('#composer').getBoundingClientRect().bottom";
        bob.until(&format!("{form} <= {height} && {TO_THE_END} < 2")).await;
    }
}

/// Runs the body of an async function that has `catchUp`, and a room of `stored` messages
/// of which `fetchAfter` gets two at a time.
async fn catch_up(body: &str) -> Option<Value> {
    let chat = start(PACKAGE).await?;
    let browser = Browser::open(&chat, "/room").await?;
    let script = format!(
        "return (async () => {{
            const {{ catchUp }} = await import('/assets/catch-up.js');
            const shown = [], asked = [], fail = [];
            const last = () => Math.max(0, ...shown);
            const show = ({{ seq }}) => shown.includes(seq) || shown.push(seq);
            let stored = 0;
            const fetchAfter = async (seq) => {{
                asked.push(seq);
                const error = fail.shift();
                if (error !== undefined) throw error;
                await new Promise((done) => setTimeout(done));
                const all = Array.from({{ length: stored }}, (_, at) => at + 1);
                const found = all.filter((number) => number > seq).slice(0, 2);
                return found.map((seq) => ({{ seq }}));
            }};
            const room = catchUp({{ last, show, fetchAfter, pause: 1 }});
            const until = async (done) => {{
                while (!done()) await new Promise((next) => setTimeout(next, 1));
            }};
            {body}
            return {{ shown, asked }};
        }})()"
    );
    Some(browser.run(&script).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_at_joining_is_closed_by_as_many_requests_as_it_takes() {
    let body =
        "stored = 5; room.reach(5); room.reach(5); await until(() => last() === 5);";
    let Some(seen) = catch_up(body).await else { return };
    assert_eq!(seen, json!({ "shown": [1, 2, 3, 4, 5], "asked": [0, 2, 4] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_too_early_waits_for_those_before_it() {
    // Two gaps, and a duplicate of each kind.
    let body = "room.hear({ seq: 1 }); room.hear({ seq: 1 }); stored = 8;
        room.hear({ seq: 4 }); room.hear({ seq: 8 }); room.hear({ seq: 4 });
        await until(() => last() === 8); room.hear({ seq: 9 }); room.hear({ seq: 3 });";
    let Some(seen) = catch_up(body).await else { return };
    assert_eq!(seen["shown"], json!([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    assert_eq!(seen["asked"], json!([1, 4, 6]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_gap_nothing_is_asked() {
    let body =
        "room.reach(0); for (const seq of [1, 2, 3]) room.hear({ seq }); room.reach(3);";
    let Some(seen) = catch_up(body).await else { return };
    assert_eq!(seen, json!({ "shown": [1, 2, 3], "asked": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_fails_is_made_again_unless_there_is_no_point() {
    let body = "stored = 2; fail.push(new Error('503'), new Error('the network'));
        room.reach(2); await until(() => last() === 2);
        fail.push(Object.assign(new Error('404'), { final: true }));
        room.reach(5); await until(() => asked.length === 4);
        await new Promise((done) => setTimeout(done, 50));";
    let Some(seen) = catch_up(body).await else { return };
    assert_eq!(seen, json!({ "shown": [1, 2], "asked": [0, 0, 0, 2] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_messages_is_no_reason_to_ask_without_a_pause() {
    let body = "catchUp({ last, show, fetchAfter, pause: 100 }).reach(2);
        await new Promise((done) => setTimeout(done, 350)); stored = 2;
        await until(() => last() === 2);";
    let Some(seen) = catch_up(body).await else { return };
    let asked = seen["asked"].as_array().expect("a list").len();
    assert!((2..=6).contains(&asked), "{seen}");
}

/// A GIF to look at. With 128 colours every code takes one byte, as long as the table of
/// codes is cleared (128) before it is full.
const A_DRAWING: &str = "(() => {
    const width = 160, height = 100, codes = [], blocks = [];
    for (let at = 0; at < width * height; at += 1) {
        if (at % 100 === 0) codes.push(128);
        const x = at % width, y = (at - x) / width;
        const sun = (x - 60) ** 2 + (y - 50) ** 2 < 900;
        codes.push(sun ? 1 : (x + y) % 24 < 3 ? 2 : 0);
    }
    codes.push(129);
    for (let at = 0; at < codes.length; at += 255) {
        const block = codes.slice(at, at + 255);
        blocks.push(block.length, ...block);
    }
    const colours = new Array(384).fill(0);
    colours.splice(0, 9, 30, 40, 80, 250, 200, 80, 255, 255, 255);
    const start = [71, 73, 70, 56, 57, 97, width, 0, height, 0, 0xf6, 0, 0];
    const frame = [44, 0, 0, 0, 0, width, 0, height, 0, 0, 7, ...blocks, 0];
    const bytes = Uint8Array.from([...start, ...colours, ...frame, 59]);
    return new File([bytes], 'sun.gif', { type: 'image/gif' });
})()";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let Some(chat) = Chat::own(&program(PACKAGE)).await else { return };
    let id = Visitor::new(&chat).await.create(&chat, "Cats and their people").await;
    let Some(bob) = enter(&chat, &id).await else { return };
    let ada = Talker::new(&chat, &id).await;
    ada.say(&chat, &id, "Good morning. Which cat is yours?").await;
    say(&bob, "The grey one. It sleeps on the keyboard, when it does not draw.").await;
    ada.say(&chat, &id, "It draws?").await;
    choose(&bob, A_DRAWING).await;
    bob.click("#send-gif").await;
    let drawing = "document.querySelector('.message .gif').naturalWidth === 160";
    bob.until(&format!("{drawing} && !{PREVIEW} && {}", shows("It draws?"))).await;
    bob.is_for_everybody().await;
    assert_eq!(bob.faults().await, NOTHING);
    // The list takes what a window leaves; a picture has no window.
    bob.run("document.querySelector('#talk').style.flexBasis = '27rem'").await;
    bob.picture("chapter-6", "6.7-whole").await;
}
