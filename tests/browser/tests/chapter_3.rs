//! What chapter 3's page shows.

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

const ALL_GREETED: [(&str, &str); 4] = [
    ("/", "hi: everyone"),
    ("/room", "newRoom: a room"),
    ("/chat", "join: joined"),
    ("/system", "message: Notice !"),
];

#[tokio::test(flavor = "multi_thread")]
async fn four_namespaces_greet_the_page_over_one_connection() {
    let Some(server) = broad_chapter("chapter-3").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    for (namespace, greeting) in ALL_GREETED {
        browser.until(&shows(namespace, greeting)).await;
    }
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
    for (namespace, greeting) in ALL_GREETED {
        browser.until(&shows(namespace, greeting)).await;
    }
    browser.click("#notice button").await;
    browser.until(&shows("/chat", "message: Lunch is ready")).await;
    browser
        .until("document.querySelector('#answer').textContent.startsWith('204')")
        .await;
    // What is said in the others after it arrives there without it.
    browser.run("for (const ask of document.querySelectorAll('.ask')) ask.click()").await;
    for (namespace, _) in ALL_GREETED {
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
    browser.picture("chapter-3", "3-namespaces").await;
}
