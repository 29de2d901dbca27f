//! What chapter 6-5's page shows: a conversation.

use browser::Browser;
use support::chat::Visitor;

use crate::gif_chat::{LIVE, enter, own, start};

const PACKAGE: &str = "chapter-6-5";
const FAULT: &str = "document.querySelector('#fault').textContent";
const TYPED: &str = "document.querySelector('#chat').value";

async fn say(browser: &Browser, text: &str) {
    browser.write("#chat", text).await;
    browser.press("\u{e007}").await;
}

/// A script's expression: the messages, one after the other.
fn shows(texts: &[&str]) -> String {
    let texts = serde_json::Value::from(texts.to_vec()).to_string();
    format!(
        "JSON.stringify([...document.querySelectorAll('#messages .message .text')]\
         .map((it) => it.textContent)) === JSON.stringify({texts})"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_talk_and_find_it_again_after_a_reload() {
    let Some(chat) = start(PACKAGE).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let Some(ada) = enter(&chat, &room).await else { return };
    let Some(bob) = enter(&chat, &room).await else { return };
    say(&ada, "Do cats purr at 25 Hz?").await;
    bob.until(&shows(&["Do cats purr at 25 Hz?"])).await;
    bob.write("#chat", "Mine does.").await;
    bob.click("#composer button").await;
    for browser in [&ada, &bob] {
        browser.until(&shows(&["Do cats purr at 25 Hz?", "Mine does."])).await;
        browser
            .until(&format!("{FAULT} === '' && !document.querySelector('.fault img')"))
            .await;
        browser.run("location.reload()").await;
        browser.until(LIVE).await;
        browser.until(&shows(&["Do cats purr at 25 Hz?", "Mine does."])).await;
        let times = "[...document.querySelectorAll('#messages time')]\
                     .every((it) => /\\d/.test(it.textContent))";
        browser.until(times).await;
        browser.until("document.querySelectorAll('.message.mine').length === 1").await;
    }
    ada.until(&format!("{TYPED} === ''")).await;
    let mine = "document.querySelector('.message.mine .text').textContent";
    ada.until(&format!("{mine} === 'Do cats purr at 25 Hz?'")).await;
    bob.until(&format!("{mine} === 'Mine does.'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_like_html_is_shown_as_it_was_typed() {
    let Some(chat) = start(PACKAGE).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let Some(ada) = enter(&chat, &room).await else { return };
    let text = "<img src=x onerror=\"document.title='gotcha'\"> & <b>bold</b>";
    say(&ada, text).await;
    ada.until(&shows(&[text])).await;
    // From an event, and from the page.
    ada.run("location.reload()").await;
    ada.until(&format!("{LIVE} && {}", shows(&[text]))).await;
    ada.until("!document.querySelector('#messages img, #messages b')").await;
    ada.until("document.title !== 'gotcha'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_stands_by_the_field_and_what_was_typed_stays() {
    let Some(chat) = start(PACKAGE).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let Some(ada) = enter(&chat, &room).await else { return };
    let long = "document.querySelector('#chat').value = 'x'.repeat(1001); \
                document.querySelector('#composer').requestSubmit()";
    ada.run(long).await;
    ada.until(&format!("{FAULT} === 'A message has at most 1000 characters.'")).await;
    ada.until(&format!("{TYPED}.length === 1001")).await;
    ada.is_for_everybody().await;
    ada.offline(true).await;
    say(&ada, "Is anybody here?").await;
    ada.until(&format!("{FAULT} === 'The server cannot be reached. Try again.'")).await;
    ada.until(&format!("{TYPED} === 'Is anybody here?'")).await;
    ada.offline(false).await;
    ada.until(LIVE).await;
    ada.click("#composer button").await;
    ada.until(&shows(&["Is anybody here?"])).await;
    ada.until(&format!("{FAULT} === ''")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let bob = Visitor::new(&chat).await;
    let room = bob.create(&chat, "Cats").await;
    let _tab = bob.join(&chat, &room).await;
    let Some(ada) = enter(&chat, &room).await else { return };
    bob.said(&chat, &room, "Do cats purr at 25 Hz?").await;
    ada.until(&shows(&["Do cats purr at 25 Hz?"])).await;
    say(&ada, "Mine does, when it is fed.").await;
    let both = ["Do cats purr at 25 Hz?", "Mine does, when it is fed."];
    ada.until(&shows(&both)).await;
    bob.said(&chat, &room, "Then it is 25 Hz of contentment.").await;
    ada.until(&shows(&[both[0], both[1], "Then it is 25 Hz of contentment."])).await;
    ada.is_for_everybody().await;
    ada.picture("chapter-6-5", "6.5-chat").await;
}
