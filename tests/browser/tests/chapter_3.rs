//! What the pages of chapter 3 show.

use browser::{Browser, NOTHING, broad_chapter, chapter};

/// The log of a namespace's pane, as text.
fn log(namespace: &str) -> String {
    format!(
        "document.querySelector('.log[aria-label=\"Events in {namespace}\"]').textContent"
    )
}

fn shows(namespace: &str, text: &str) -> String {
    format!("{}.includes({text:?})", log(namespace))
}

const GREETED: [(&str, &str); 4] = [
    ("/", "hi: everyone"),
    ("/room", "newRoom: a room"),
    ("/chat", "join: joined"),
    ("/system", "message: Notice !"),
];

/// Waits for the greetings in the namespaces of `greeted`.
async fn all_greeted(browser: &Browser, greeted: &[(&str, &str)]) {
    for (namespace, greeting) in greeted {
        browser.until(&shows(namespace, greeting)).await;
    }
}

/// Clicks the button `.which` in the pane of `namespace`.
async fn press(browser: &Browser, namespace: &str, which: &str) {
    let list = format!("[aria-label=\"Events in {namespace}\"]");
    let pane = format!("document.querySelector('{list}').closest('.pane')");
    browser.run(&format!("{pane}.querySelector('.{which}').click()")).await;
}

// --- 3.1 ---

#[tokio::test(flavor = "multi_thread")]
async fn the_first_step_shows_three_namespaces_over_one_connection() {
    let Some(server) = broad_chapter("chapter-3-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    all_greeted(&browser, &GREETED[..3]).await;
    let counts = "document.querySelector('#counts').textContent";
    browser
        .until(&format!(
            "{counts}.includes('entered: 3. Connections opened by this page: 1.')"
        ))
        .await;
    press(&browser, "/chat", "ask").await;
    browser.until(&shows("/chat", "acknowledged: /chat")).await;
    browser.click("#enter button").await;
    browser.until(&shows("/nowhere", "not let in: Invalid namespace")).await;
    press(&browser, "/chat", "toggle").await;
    browser.until(&shows("/chat", "left: io client disconnect")).await;
    press(&browser, "/room", "ask").await;
    browser.until(&shows("/room", "acknowledged: /room")).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
}

// --- 3.2 ---

#[tokio::test(flavor = "multi_thread")]
async fn the_second_step_lets_a_page_come_back_and_answers_a_mistake() {
    let Some(server) = broad_chapter("chapter-3-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    all_greeted(&browser, &GREETED).await;
    press(&browser, "/chat", "back").await;
    browser.until(&shows("/chat", "came back 100 times")).await;
    press(&browser, "/room", "typo").await;
    browser.until(&shows("/room", "whereami was rejected: there is no such event")).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_of_one_page_of_the_second_step_is_heard_by_another() {
    let Some(server) = broad_chapter("chapter-3-2").await else { return };
    let Some(one) = Browser::open(&server, "/").await else { return };
    let Some(other) = Browser::open(&server, "/").await else { return };
    all_greeted(&other, &GREETED).await;
    one.click("#notice button").await;
    other.until(&shows("/chat", "message: Lunch is ready")).await;
}

// --- 3.3 ---

#[tokio::test(flavor = "multi_thread")]
async fn four_namespaces_greet_the_page_over_one_connection() {
    let Some(server) = broad_chapter("chapter-3").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    all_greeted(&browser, &GREETED).await;
    let counts = "document.querySelector('#counts').textContent";
    browser
        .until(&format!(
            "{counts}.includes('entered: 4. Connections opened by this page: 1.')"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_posted_on_the_page_is_heard_in_that_namespace_alone() {
    let Some(server) = broad_chapter("chapter-3").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    all_greeted(&browser, &GREETED).await;
    browser.click("#notice button").await;
    browser.until(&shows("/chat", "message: Lunch is ready")).await;
    browser
        .until("document.querySelector('#answer').textContent.startsWith('204')")
        .await;
    // What is said in the others after it arrives there without it.
    browser.run("for (const ask of document.querySelectorAll('.ask')) ask.click()").await;
    for (namespace, _) in GREETED {
        browser.until(&shows(namespace, &format!("acknowledged: {namespace}"))).await;
        let heard = browser.run(&format!("return {}", shows(namespace, "Lunch"))).await;
        assert_eq!(heard, namespace == "/chat", "{namespace}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_namespace_leaves_the_others_unharmed() {
    let Some(server) = broad_chapter("chapter-3").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&shows("/chat", "join: joined")).await;
    browser.write("#name", "/nowhere").await;
    browser.click("#enter button").await;
    browser.until(&shows("/nowhere", "not let in: Invalid namespace")).await;
    browser.write("#name", "/dynamic-7").await;
    browser.click("#enter button").await;
    browser.until(&shows("/dynamic-7", "hi: /dynamic-7")).await;
    browser.run("for (const ask of document.querySelectorAll('.ask')) ask.click()").await;
    browser.until(&shows("/chat", "acknowledged: /chat")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let server = chapter("chapter-3").await;
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.click("#enter button").await;
    browser.until(&shows("/dynamic-7", "hi: /dynamic-7")).await;
    browser.click("#notice button").await;
    browser.until(&shows("/chat", "Lunch is ready")).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
    browser.picture("chapter-3", "3.3-dynamic").await;
}
