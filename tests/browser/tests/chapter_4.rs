//! What chapter 4's page shows, to two visitors at once.

use browser::{Browser, NOTHING, broad_chapter, chapter};
use support::Server;

fn log_shows(text: &str) -> String {
    format!("document.querySelector('#log').textContent.includes({text:?})")
}

/// Opens the page and joins the room `red`.
async fn visitor(server: &Server) -> Option<Browser> {
    let browser = Browser::open(server, "/").await?;
    browser
        .until("document.querySelector('#status').dataset.state === 'connected'")
        .await;
    browser.click("#join button").await;
    browser
        .until("document.querySelector('#where').textContent === 'In the room red.'")
        .await;
    Some(browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_visitors_of_a_room_hear_each_other_and_the_one_who_speaks_too() {
    let Some(server) = broad_chapter("chapter-4").await else { return };
    let Some(ada) = visitor(&server).await else { return };
    let Some(bob) = visitor(&server).await else { return };
    ada.write("#msg", "Good morning").await;
    ada.click("#chat button").await;
    ada.until(&log_shows("Ada: Good morning")).await;
    bob.until(&log_shows("Ada: Good morning")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_reaches_the_others_and_within_the_speaker_too() {
    let Some(server) = broad_chapter("chapter-4").await else { return };
    let Some(ada) = visitor(&server).await else { return };
    let Some(bob) = visitor(&server).await else { return };
    ada.click("[data-how=to]").await;
    bob.until(&log_shows("said (to): Hello")).await;
    ada.click("[data-how=within]").await;
    bob.until(&log_shows("said (within): Hello")).await;
    ada.until(&log_shows("said (within): Hello")).await;
    assert_eq!(ada.run(&format!("return {}", log_shows("said (to)"))).await, false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_moved_takes_its_visitors_along_and_one_who_leaves_is_missed() {
    let Some(server) = broad_chapter("chapter-4").await else { return };
    let Some(ada) = visitor(&server).await else { return };
    let Some(bob) = visitor(&server).await else { return };
    ada.click("#move button").await;
    bob.until("document.querySelector('#where').textContent === 'In the room blue.'")
        .await;
    ada.until("document.querySelector('#where').textContent === 'In the room blue.'")
        .await;
    drop(bob);
    ada.until(&log_shows("user has left")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_messages_one_after_another_all_come_back() {
    let Some(server) = broad_chapter("chapter-4").await else { return };
    let Some(ada) = visitor(&server).await else { return };
    let result = "document.querySelector('#result').textContent";
    ada.click("#patient").await;
    ada.until(&format!("{result} === '500 sent, 500 answered, 500 came back.'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let server = chapter("chapter-4").await;
    let Some(ada) = visitor(&server).await else { return };
    let Some(bob) = visitor(&server).await else { return };
    bob.write("#nick", "Bob").await;
    bob.click("#chat button").await;
    bob.click("[data-how=to]").await;
    ada.until(&log_shows("said (to): Hello")).await;
    ada.click("#who").await;
    ada.until("document.querySelector('#members').options.length === 2").await;
    ada.is_for_everybody().await;
    assert_eq!(ada.faults().await, NOTHING);
    ada.picture("chapter-4", "4-rooms").await;
}
