//! What the pages of chapter 4 show, to two visitors at once.

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

// --- 4.1 ---

#[tokio::test(flavor = "multi_thread")]
async fn the_first_steps_page_sends_a_message_to_its_room() {
    let server = chapter("chapter-4-1").await;
    let Some(ada) = visitor(&server).await else { return };
    let Some(bob) = visitor(&server).await else { return };
    ada.click("#chat button").await;
    ada.until(&log_shows("Ada: Hello")).await;
    bob.until(&log_shows("Ada: Hello")).await;
    ada.is_for_everybody().await;
    assert_eq!(ada.faults().await, NOTHING);
}

// --- 4.2 ---

#[tokio::test(flavor = "multi_thread")]
async fn the_second_steps_page_lists_members_and_shows_who_leaves_and_what_is_refused() {
    let server = chapter("chapter-4-2").await;
    let Some(ada) = visitor(&server).await else { return };
    let Some(bob) = visitor(&server).await else { return };
    ada.click("#who").await;
    ada.until("document.querySelector('#members').options.length === 2").await;
    drop(bob);
    ada.until(&log_shows("user has left")).await;
    ada.until("document.querySelector('#members').options.length === 1").await;
    ada.run("document.querySelector('#room').value = ''").await;
    ada.click("#join button").await;
    ada.until(&log_shows("joinRoom takes an object with a room")).await;
    ada.is_for_everybody().await;
    assert_eq!(ada.faults().await, NOTHING);
}

// --- 4.3 ---

#[tokio::test(flavor = "multi_thread")]
async fn the_third_steps_page_says_announces_and_asks() {
    let server = chapter("chapter-4-3").await;
    let Some(ada) = visitor(&server).await else { return };
    let Some(bob) = visitor(&server).await else { return };
    bob.write("#nick", "Bob").await;
    ada.click("[data-how=to]").await;
    bob.until(&log_shows("said (to): Hello")).await;
    ada.click("#announce button").await;
    ada.until(&log_shows("announced: Hello")).await;
    bob.until(&log_shows("announced: Hello")).await;
    ada.click("#ask").await;
    ada.until(&log_shows("says Bob; 0 silent")).await;
    ada.is_for_everybody().await;
    assert_eq!(ada.faults().await, NOTHING);
}

// --- 4.4 ---

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
async fn a_member_hears_a_whisper_and_is_kicked() {
    let Some(server) = broad_chapter("chapter-4").await else { return };
    let Some(ada) = visitor(&server).await else { return };
    let Some(bob) = visitor(&server).await else { return };
    ada.click("#who").await;
    ada.until("document.querySelector('#members').options.length === 2").await;
    let choose = "const list = document.querySelector('#members');
        const other = [...list.options].find(({ text }) => !text.includes('you'));
        list.value = other.value;";
    ada.run(choose).await;
    ada.click("#whisper").await;
    bob.until(&log_shows("whispered by")).await;
    ada.click("#kick").await;
    bob.until(&log_shows("disconnected: io server disconnect")).await;
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
    ada.picture("chapter-4", "4.4-whispers").await;
}
