//! What chapter 6-2's pages show: who is who, and whose room it is.

use browser::Browser;
use support::chat::Visitor;

use crate::gif_chat::{LIVE, lists, lobby, own, start};

const PACKAGE: &str = "chapter-6-2";
const NAME: &str = "document.querySelector('.user').textContent";

/// Makes a room by the form, and waits for its page.
async fn create(browser: &Browser, title: &str) {
    browser.click("a.button.primary").await;
    browser.write("#title", title).await;
    browser.click("form button").await;
    let heading = format!("document.querySelector('h1').textContent === {title:?}");
    browser.until(&heading).await;
}

/// A script's expression: what colour is painted, as `#rrggbb`.
fn painted(css: &str, pseudo: &str) -> String {
    format!(
        "'#' + getComputedStyle(document.querySelector({css:?}), {pseudo:?}).backgroundColor\
         .match(/\\d+/g).map((part) => Number(part).toString(16).padStart(2, '0')).join('')"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_their_own_colour_and_keeps_it() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    let colour = ada.run(&format!("return {NAME}")).await;
    assert_eq!(
        ada.run(&format!("return {}", painted(".user", "::before"))).await,
        colour
    );
    assert_eq!(ada.run("return document.cookie").await, "", "scripts cannot read it");
    ada.run("location.reload()").await;
    ada.until(LIVE).await;
    ada.until(&format!("{NAME} === {colour}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_bears_its_owners_colour_also_when_it_came_by_an_event() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    let Some(bob) = lobby(&chat).await else { return };
    let colour = ada.run(&format!("return {NAME}")).await;
    create(&ada, "Cats").await;
    bob.until(&lists("Cats")).await;
    bob.until(&format!("{} === {colour}", painted(".room-card .dot", ""))).await;
    bob.run("location.reload()").await;
    bob.until(&format!("{LIVE} && {}", lists("Cats"))).await;
    bob.until(&format!("{} === {colour}", painted(".room-card .dot", ""))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_deletes_a_room_and_it_goes_from_everybodys_list() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    let Some(bob) = lobby(&chat).await else { return };
    create(&ada, "Cats").await;
    bob.until(&lists("Cats")).await;
    bob.click(".room-card").await;
    bob.until("document.querySelector('h1').textContent === 'Cats'").await;
    bob.until("!document.querySelector('#delete')").await;
    bob.visit(&chat.url("/")).await;
    bob.until(&format!("{LIVE} && {}", lists("Cats"))).await;
    ada.click("#delete").await;
    ada.dismiss_alert().await.expect("a question first");
    ada.click("#delete").await;
    ada.accept_alert().await.expect("a question first");
    ada.until("location.pathname === '/' && !document.querySelector('.room-card')").await;
    bob.until("!document.querySelector('.room-card')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_that_deletes_too_late_is_told_so() {
    let Some(chat) = start(PACKAGE).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    create(&ada, "Cats").await;
    // What the button of another tab does.
    ada.run("return fetch(location.href, { method: 'DELETE' }).then(() => true)").await;
    ada.click("#delete").await;
    ada.accept_alert().await.expect("a question first");
    let fault = "document.querySelector('#delete-fault').textContent";
    ada.until(&format!("{fault} === 'There is no such room, or no longer.'")).await;
    ada.until("!document.querySelector('#delete').disabled").await;
    ada.is_for_everybody().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_for_everybody() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let Some(ada) = lobby(&chat).await else { return };
    for title in ["Cats", "People who post GIFs at four in the morning", "Rust, slowly"] {
        Visitor::new(&chat).await.create(&chat, title).await;
    }
    ada.until(&lists("Rust, slowly")).await;
    ada.is_for_everybody().await;
    ada.picture("chapter-6-2", "6.2-visitors").await;
    create(&ada, "Mine").await;
    ada.is_for_everybody().await;
}
