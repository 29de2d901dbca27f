//! What the pages of chapter 5 show.

use browser::{Browser, NOTHING, broad_chapter, chapter};

const BY_HTTP: &str = "document.querySelector('#by-http').textContent";
const BY_SOCKET: &str = "document.querySelector('#by-socket').textContent";

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

// --- 5.1 A check ---

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_the_first_page_and_another_does_not() {
    let server = chapter("chapter-5-1").await;
    let Some(browser) = Browser::open(&server, "/").await else { return };
    let state = "document.querySelector('#status').dataset.state";
    browser.click("#form button").await;
    browser.until(&log_shows("welcome: You are in.")).await;
    browser.until(&format!("{state} === 'connected'")).await;
    browser.write("#token", "a guess").await;
    browser.click("#form button").await;
    browser.until(&log_shows("connect_error: invalid")).await;
    browser.until(&format!("{state} === 'refused'")).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
    browser.picture("chapter-5-1", "5.1-a-check").await;
}

// --- 5.2 Roles ---

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sees_who_lets_a_guest_in() {
    let Some(server) = broad_chapter("chapter-5-2").await else { return };
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
    let Some(server) = broad_chapter("chapter-5-2").await else { return };
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
    let Some(server) = broad_chapter("chapter-5-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&pane_is(0, "connected")).await;
    browser.click("#namespaces section:nth-child(1) .toggle").await;
    browser.until(&pane_is(0, "disconnected")).await;
    browser.click("#namespaces section:nth-child(1) .toggle").await;
    browser.until(&pane_is(0, "connected")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_roles_is_for_everybody() {
    let Some(server) = broad_chapter("chapter-5-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&log_shows("/slow: welcome, guest")).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
}

// --- 5.3 Layers ---

#[tokio::test(flavor = "multi_thread")]
async fn page_and_socket_name_the_same_visitor_even_after_a_reload() {
    let Some(server) = broad_chapter("chapter-5-3").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&format!("{BY_SOCKET}.length === 36")).await;
    browser.until(&format!("{BY_HTTP} === {BY_SOCKET}")).await;
    let visitor = browser.run(&format!("return {BY_HTTP}")).await;
    browser.run("location.reload()").await;
    browser.until(&format!("{BY_SOCKET} === {visitor}")).await;
    assert_eq!(browser.run("return document.cookie").await, "", "scripts cannot read it");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_button_earns_its_number() {
    let Some(server) = broad_chapter("chapter-5-3").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&format!("{BY_SOCKET}.length === 36")).await;
    for code in 0..6 {
        browser.click(&format!("#refusals button:nth-child({})", code + 1)).await;
        let answer = format!(
            "document.querySelector('#refused').textContent.includes('{{\"code\":{code},')"
        );
        browser.until(&answer).await;
        let list = format!("document.querySelectorAll('#errors li').length > {code}");
        browser.until(&list).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_layers_is_for_everybody() {
    let Some(server) = broad_chapter("chapter-5-3").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&format!("{BY_SOCKET}.length === 36")).await;
    browser.click("#refusals button:nth-child(5)").await;
    browser
        .until("document.querySelector('#errors').textContent.includes('4 Forbidden')")
        .await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
}

// --- 5.4 Packets ---

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
async fn a_gift_comes_once_and_a_guest_who_asks_for_the_secret_is_disconnected() {
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
    browser.picture("chapter-5", "5.4-packets").await;
}
