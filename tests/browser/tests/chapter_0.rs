//! What chapter 0's page shows.

use browser::{Browser, NOTHING, chapter};

/// Whether every client has shown at least so many items.
fn items(at_least: usize) -> String {
    format!(
        "document.querySelectorAll('[data-value=count]').length === 4 && \
         [...document.querySelectorAll('[data-value=count]')]\
         .every((it) => Number(it.textContent) >= {at_least})"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_clients_miss_nothing_while_the_network_is_away() {
    let server = chapter("chapter-0").await;
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&items(2)).await;
    browser.is_for_everybody().await;
    browser.click("#away").await;
    browser.until("document.querySelectorAll('section.away').length === 4").await;
    browser.until("!document.getElementById('away').disabled").await;
    // Some items were born meanwhile, and all four have them.
    browser.until(&items(6)).await;
    let numbers = "[...document.querySelectorAll('.items')].map((list) => \
                   [...list.children].map((it) => Number(it.textContent)))";
    let gaps = format!(
        "return {numbers}.flatMap((all) => \
         all.slice(1).filter((n, at) => all[at] - n !== 1)).length"
    );
    assert_eq!(browser.run(&gaps).await, 0, "an item is missing");
    assert_eq!(browser.run("return document.querySelectorAll('.gap').length").await, 0);
    assert_eq!(browser.faults().await, NOTHING);
    browser.picture("chapter-0", "0-before-websockets").await;
}
