//! What chapter 5-1's page shows.

use browser::{Browser, broad_chapter};

fn log_shows(text: &str) -> String {
    format!("document.querySelector('#log').textContent.includes({text:?})")
}

/// Whether the pane of the namespace at this place (`/`, `/admin`, `/busy`, `/slow`) is in
/// this state.
fn pane_is(place: usize, state: &str) -> String {
    format!(
        "document.querySelectorAll('#namespaces .status')[{place}].dataset.state === {state:?}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sees_who_lets_a_guest_in() {
    let Some(server) = broad_chapter("chapter-5-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&log_shows("/: welcome, guest")).await;
    browser.until(&log_shows("/admin: forbidden")).await;
    browser.until(&log_shows("/busy: not authorized. Please retry later")).await;
    browser.until(&log_shows("/slow: welcome, guest")).await;
    for (place, state) in
        [(0, "connected"), (1, "refused"), (2, "refused"), (3, "connected")]
    {
        browser.until(&pane_is(place, state)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_token_is_another_answer() {
    let Some(server) = broad_chapter("chapter-5-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&pane_is(0, "connected")).await;
    browser.click("input[value=admin-token]").await;
    browser.until(&log_shows("/admin: welcome, admin")).await;
    browser.click("#namespaces section:nth-child(2) .ask").await;
    browser.until(&log_shows("/admin: acknowledged: admin")).await;
    browser.click("input[value=guessed-token]").await;
    browser.until(&log_shows("/: invalid")).await;
    browser.until(&pane_is(0, "refused")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_leaves_comes_back_by_the_button() {
    let Some(server) = broad_chapter("chapter-5-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&pane_is(0, "connected")).await;
    browser.click("#namespaces section:nth-child(1) .toggle").await;
    browser.until(&pane_is(0, "disconnected")).await;
    browser.click("#namespaces section:nth-child(1) .toggle").await;
    browser.until(&pane_is(0, "connected")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let Some(server) = broad_chapter("chapter-5-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&log_shows("/slow: welcome, guest")).await;
    browser.is_for_everybody().await;
    browser.picture("chapter-5-1", "5.1-namespace-middleware").await;
}
