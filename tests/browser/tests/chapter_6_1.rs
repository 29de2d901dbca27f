//! What chapter 6-1's pages show, to two people at once.

use browser::{Browser, NOTHING};
use support::chat::Visitor;

use crate::gif_chat::{lists, lobby, own, start};

const PACKAGE: &str = "chapter-6-1";

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_one_person_makes_appears_on_anothers_page() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    let Some(bob) = lobby(&chat).await else { return };
    ada.click("a.button.primary").await;
    ada.write("#title", "Cats, mostly").await;
    ada.write("#max", "7").await;
    ada.click("form button").await;
    ada.until("document.querySelector('h1').textContent === 'Cats, mostly'").await;
    bob.until(&lists("Cats, mostly")).await;
    let count = "document.querySelector('.room-count').textContent === '0/7 people'";
    bob.until(count).await;
    bob.click(".room-card").await;
    bob.until("document.querySelector('h1').textContent === 'Cats, mostly'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_came_by_an_event_looks_like_one_that_came_with_the_page() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    Visitor::new(&chat).await.create(&chat, "<b>Cats</b> & \"dogs\"").await;
    ada.until(&lists("<b>Cats</b> & \"dogs\"")).await;
    let card = "return document.querySelector('#rooms li:last-child').outerHTML";
    let by_event = ada.run(card).await;
    let by_page = "const html = await (await fetch('/')).text();
        const page = new DOMParser().parseFromString(html, 'text/html');
        return page.querySelector('#rooms li:last-child').outerHTML";
    assert_eq!(ada.run(by_page).await, by_event);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_empty_list_says_so_until_there_is_a_room() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    let empty = "document.querySelector('.empty').checkVisibility()";
    ada.until(&format!("{empty} && !document.querySelector('.room-card')")).await;
    Visitor::new(&chat).await.create(&chat, "Cats").await;
    ada.until(&format!("!{empty} && {}", lists("Cats"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_title_stays_text() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    let title = "<img src=x onerror='window.hurt = true'><script>";
    let id = Visitor::new(&chat).await.create(&chat, title).await;
    ada.until(&lists(title)).await;
    ada.visit(&chat.url(&format!("/room/{id}"))).await;
    let text = format!("document.querySelector('h1').textContent === {title:?}");
    ada.until(&text).await;
    ada.until("window.hurt === undefined && !document.querySelector('h1 *')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_says_what_is_wrong_where_it_is_and_keeps_what_was_typed() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = Browser::open(&chat, "/room").await else { return };
    ada.until("document.querySelector('#max').value === '10'").await;
    ada.write("#title", &"x".repeat(51)).await;
    ada.write("#max", "1").await;
    ada.click("form button").await;
    ada.until("document.querySelectorAll('.fault').length === 2").await;
    ada.until("document.querySelector('#title').value === 'x'.repeat(51)").await;
    ada.until("document.querySelector('#max').value === '1'").await;
    let beside = "['title', 'max'].every((id) => document.getElementById(
        document.getElementById(id).getAttribute('aria-describedby')).checkVisibility())";
    ada.until(beside).await;
    ada.is_for_everybody().await;
    // Fifty characters of two UTF-16 units each.
    ada.run("document.querySelector('#title').value = '😀'.repeat(50)").await;
    ada.write("#max", "2").await;
    ada.click("form button").await;
    ada.until("document.querySelector('h1').textContent === '😀'.repeat(50)").await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_lobby_says_when_it_is_not_live_and_is_current_when_it_is_again() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let visitor = Visitor::new(&chat).await;
    visitor.create(&chat, "Before").await;
    let Some(ada) = lobby(&chat).await else { return };
    let watch = "window.states = [];
        const status = document.querySelector('#status');
        const note = () => states.push(status.textContent);
        new MutationObserver(note).observe(status, { childList: true })";
    ada.run(watch).await;
    let chat = chat.restart("KILL").await;
    visitor.create(&chat, "After").await;
    ada.until("states.includes('reconnecting') && states.at(-1) === 'live'").await;
    ada.until(&lists("Before")).await;
    ada.until(&lists("After")).await;
    visitor.create(&chat, "Later").await;
    ada.until(&lists("Later")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_is_enough() {
    let Some(chat) = start(PACKAGE).await else { return };
    let title = "Cats";
    Visitor::new(&chat).await.create(&chat, title).await;
    let Some(ada) = lobby(&chat).await else { return };
    ada.press(thirtyfour::Key::Tab).await;
    ada.until("document.activeElement.textContent === 'New room'").await;
    ada.press(thirtyfour::Key::Tab).await;
    ada.until("document.activeElement.className === 'room-title'").await;
    ada.press(thirtyfour::Key::Enter).await;
    ada.until("document.querySelector('h1').textContent === 'Cats'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_asks_for_what_its_policy_forbids() {
    let Some(chat) = start(PACKAGE).await else { return };
    let id = Visitor::new(&chat).await.create(&chat, "Cats").await;
    let Some(ada) = lobby(&chat).await else { return };
    for path in ["/", "/room", &format!("/room/{id}"), "/nowhere"] {
        ada.visit(&chat.url(path)).await;
        assert_eq!(ada.faults().await, NOTHING, "{path}");
    }
    // A violation would have been seen.
    ada.run("document.body.innerHTML = '<img src=\"data:,\">'").await;
    let forbidden = "window.faults.some((fault) => fault.startsWith('img-src'))";
    ada.until(forbidden).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_for_everybody() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    ada.is_for_everybody().await;
    let id = Visitor::new(&chat).await.create(&chat, &"x".repeat(50)).await;
    ada.until(&lists(&"x".repeat(50))).await;
    ada.is_for_everybody().await;
    for path in ["/room", "/nowhere", &format!("/room/{id}")] {
        ada.visit(&chat.url(path)).await;
        ada.is_for_everybody().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lobby_is_for_everybody() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    let visitor = Visitor::new(&chat).await;
    for title in ["Cats", "People who post GIFs at four in the morning", "Rust, slowly"] {
        visitor.create(&chat, title).await;
    }
    ada.until(&lists("Rust, slowly")).await;
    ada.is_for_everybody().await;
    ada.picture("chapter-6-1", "6.1-lobby").await;
}
