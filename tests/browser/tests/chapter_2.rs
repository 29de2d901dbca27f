//! What the pages of chapter 2 show.

use browser::{Browser, NOTHING, broad_chapter, broad_program, chapter};
use support::Server;

const CONNECTED: &str = "document.querySelector('#status').dataset.state === 'connected'";
/// Everything the wire panel shows, as text.
const WIRE: &str = "document.querySelector('wire-panel').shadowRoot.textContent";

fn log_shows(text: &str) -> String {
    format!("document.querySelector('#log').textContent.includes({text:?})")
}

fn wire_shows(text: &str) -> String {
    format!("{WIRE}.includes({text:?})")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_shows_hello_and_news_and_its_own_replies() {
    let Some(server) = broad_chapter("chapter-2-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.until(&log_shows("hello: Welcome to Socket.IO")).await;
    browser.until(&log_shows("reply: Thank you for the news")).await;
    browser.write("#text", "a reply of my own").await;
    browser.click("#send").await;
    browser.until(&wire_shows(r#"42["reply","a reply of my own"]"#)).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_answers_the_servers_question_and_shows_bytes() {
    let Some(server) = broad_chapter("chapter-2-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.click("#ask-me").await;
    browser.until("!document.querySelector('#answer').hidden").await;
    browser.write("#answer input", "blue").await;
    browser.click("#answer button").await;
    browser.until(&log_shows(r#""answer":"blue""#)).await;
    browser.click("#mirror").await;
    browser.until(&log_shows("mirror acknowledged")).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_what_the_server_rejected() {
    let Some(server) = broad_chapter("chapter-2-3").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.click("#slip").await;
    browser.until(&log_shows("repyl was rejected: there is no such event")).await;
    browser.click("#number").await;
    browser.until(&log_shows("reply takes a string")).await;
    browser.click("#too-long").await;
    browser.until(&log_shows("at most 1000 characters")).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_why_it_left_and_what_the_server_made_of_it() {
    let Some(server) = broad_chapter("chapter-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    let verdict = |server: &str| {
        format!(
            "document.querySelector('#verdict').textContent.includes('the server “{server}”')"
        )
    };
    browser.until(CONNECTED).await;
    browser.click("#close").await;
    browser.until(&verdict("transport close")).await;
    browser.until(CONNECTED).await;
    browser.click("#nonsense").await;
    browser.until(&verdict("parse error")).await;
    browser.click("input[value=polling]").await;
    browser.until(CONNECTED).await;
    browser.click("#polls").await;
    browser.until(&verdict("two polls at once")).await;
    browser.until(CONNECTED).await;
    browser.click("#goodbye").await;
    browser.until("document.querySelector('#reason').textContent.includes('io server disconnect')").await;
    browser.click("#toggle").await;
    browser.until(&verdict("server namespace disconnect")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_the_handshake() {
    let Some(server) = broad_chapter("chapter-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.click("#handshake").await;
    browser.until(&log_shows(r#""transport":"polling""#)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_hello_news_and_its_reply_and_the_packets_below_them() {
    let Some(server) = broad_chapter("chapter-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.until(&log_shows("hello: Welcome to Socket.IO")).await;
    browser.until(&log_shows("news: Hello Socket.IO")).await;
    browser.until(&log_shows(r#"reply: "Thank you for the news""#)).await;
    browser.until(&wire_shows(r#"42["news","Hello Socket.IO"]"#)).await;
    browser.until(&wire_shows(r#"["reply","Thank you for the news"]"#)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_panel_shows_the_transport_and_the_upgrade_and_hides_the_session_id() {
    let Some(server) = broad_chapter("chapter-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&wire_shows("websocket, upgraded from polling after")).await;
    browser.until(&wire_shows(r#""sid":"••••""#)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_only_stays_on_polling_and_websocket_only_never_polls() {
    let Some(server) = broad_chapter("chapter-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.click("input[value=polling]").await;
    browser.until(CONNECTED).await;
    let answers = "document.querySelector('#log').textContent.split('howAreYou acknowledged').length";
    browser.click("#ask").await;
    browser.until(&format!("{answers} === 2")).await;
    let transport = "[...document.querySelector('wire-panel').shadowRoot.querySelectorAll('dd')].map((dd) => dd.textContent)";
    browser.until(&format!("{transport}.includes('polling')")).await;

    browser.click("input[value=websocket]").await;
    browser.until(CONNECTED).await;
    browser.click("#ask").await;
    browser.until(&format!("{answers} === 3")).await;
    browser.until(&format!("{transport}.includes('websocket')")).await;
    // Polls of the session before are listed when they end. From here on none begins.
    let now = browser.run("return performance.now()").await;
    browser.click("#ask").await;
    browser.until(&format!("{answers} === 4")).await;
    let polls = format!(
        "performance.getEntriesByType('resource').filter(({{ name, startTime }}) => \
         startTime > {now} && name.includes('transport=polling')).length"
    );
    assert_eq!(browser.run(&format!("return {polls}")).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_and_a_rejection_are_shown() {
    let Some(server) = broad_chapter("chapter-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.click("#ask").await;
    browser.until(&log_shows("Fine, thank you")).await;
    browser.click("#too-long").await;
    browser
        .until(&log_shows("reply was rejected: a reply is at most 1000 characters"))
        .await;
    browser.write("#text", "a reply of my own").await;
    browser.click("#reply button").await;
    browser.until(&wire_shows(r#"["reply","a reply of my own"]"#)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_disconnects_stays_away_until_connecting_again() {
    let Some(server) = broad_chapter("chapter-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.click("#toggle").await;
    browser.until("document.querySelector('#reason').textContent.includes('io client disconnect')").await;
    browser
        .until("document.querySelector('#status').dataset.state === 'disconnected'")
        .await;
    browser.click("#toggle").await;
    browser.until(CONNECTED).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_transport_close_when_the_server_stops_and_comes_back_with_it() {
    let Some(program) = broad_program("chapter-2") else { return };
    let Some(mut server) = Server::own(&program).await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.until(&wire_shows("upgraded from polling")).await;
    server.signal("TERM").await;
    server.exit().await;
    browser
        .until("document.querySelector('#status').dataset.state === 'connecting'")
        .await;
    browser.until("/transport close|No connection/.test(document.querySelector('#reason').textContent)").await;
    browser.until(&wire_shows("transport close")).await;
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let _again = Server::own_with(&program, &[("PORT", &port)]).await;
    browser.until(CONNECTED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_back_after_the_network_was_lost() {
    let Some(server) = broad_chapter("chapter-2").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(CONNECTED).await;
    browser.click("input[value=polling]").await;
    browser.until(CONNECTED).await;
    browser.offline(true).await;
    browser
        .until("document.querySelector('#status').dataset.state === 'connecting'")
        .await;
    browser.offline(false).await;
    browser.until(CONNECTED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let server = chapter("chapter-2").await;
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&log_shows("Thank you for the news")).await;
    browser.click("#ask").await;
    browser.click("#too-long").await;
    browser.until(&log_shows("rejected")).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
    browser.picture("chapter-2", "2.4-disconnects").await;
}
