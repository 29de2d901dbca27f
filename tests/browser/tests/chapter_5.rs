//! What chapter 5's page shows.

use browser::{Browser, NOTHING, broad_chapter, chapter};

fn log_shows(text: &str) -> String {
    format!("document.querySelector('#log').textContent.includes({text:?})")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_steps_are_in_order() {
    let Some(server) = broad_chapter("chapter-5").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&log_shows("/: welcome, guest")).await;
    browser.click("#walk").await;
    let done = "document.querySelector('#steps').textContent";
    browser.until(&format!("{done}.startsWith('100 steps so far')")).await;
    browser.until(&format!("{done}.endsWith('last hundred: 0.')")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_comes_once_and_a_guest_who_asks_for_the_secret_is_sent_away() {
    let Some(server) = broad_chapter("chapter-5").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&log_shows("/: welcome, guest")).await;
    browser.click("[data-event=gift]").await;
    browser.until(&log_shows("/: gift: a cookie")).await;
    browser.click("[data-event=gift]").await;
    browser.until(&log_shows("/: gift: there is no such event")).await;
    browser.click("[data-event=nonsense]").await;
    browser.until(&log_shows("nonsense was rejected: there is no such event")).await;
    browser.click("[data-event=secret]").await;
    browser.until(&log_shows("secret was rejected: unauthorized event")).await;
    browser
        .until("document.querySelector('#namespaces .status').dataset.state === 'disconnected'")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let server = chapter("chapter-5").await;
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&log_shows("/: welcome, guest")).await;
    browser.click("#walk").await;
    browser
        .until(
            "document.querySelector('#steps').textContent.startsWith('100 steps so far')",
        )
        .await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
    browser.picture("chapter-5", "5.3-packets").await;
}
