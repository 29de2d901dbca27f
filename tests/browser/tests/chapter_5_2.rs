//! What chapter 5-2's page shows.

use browser::{Browser, broad_chapter};

const BY_HTTP: &str = "document.querySelector('#by-http').textContent";
const BY_SOCKET: &str = "document.querySelector('#by-socket').textContent";

#[tokio::test(flavor = "multi_thread")]
async fn page_and_socket_name_the_same_visitor_also_after_a_reload() {
    let Some(server) = broad_chapter("chapter-5-2").await else { return };
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
    let Some(server) = broad_chapter("chapter-5-2").await else { return };
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
async fn the_page_is_for_everybody() {
    let Some(server) = broad_chapter("chapter-5-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&format!("{BY_SOCKET}.length === 36")).await;
    browser.click("#refusals button:nth-child(5)").await;
    browser
        .until("document.querySelector('#errors').textContent.includes('4 Forbidden')")
        .await;
    browser.is_for_everybody().await;
    browser.picture("chapter-5-2", "5.2-layers").await;
}
