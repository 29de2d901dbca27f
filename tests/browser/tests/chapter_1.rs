//! What the pages of chapter 1 show.

use browser::{Browser, NOTHING, broad_chapter, broad_program, chapter};
use support::Server;

const TICKER: &str = "document.querySelector('#ticker')";
const ECHO: &str = "document.querySelector('#echo')";

fn shows(pane: &str, text: &str) -> String {
    format!("{pane}.querySelector('.log').textContent.includes({text:?})")
}

fn state(pane: &str, state: &str) -> String {
    format!("{pane}.querySelector('.states [aria-current]').textContent === {state:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_the_ticks_and_its_answers() {
    let Some(server) = broad_chapter("chapter-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&state(TICKER, "OPEN")).await;
    browser.until(&shows(TICKER, "Hello from the server")).await;
    browser.until(&shows(TICKER, "Hello from the page")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_box_shows_what_comes_back_as_text_and_as_binary() {
    let Some(server) = broad_chapter("chapter-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&state(ECHO, "OPEN")).await;
    browser.write("#echo input[type=text]", "Grüße 👋").await;
    browser.click("#echo button[name=text]").await;
    let came_back = format!("{ECHO}.querySelector('.log .in').textContent");
    browser.until(&format!("{came_back}.includes('Grüße 👋')")).await;
    browser.write("#echo input[type=text]", "AB").await;
    browser.click("#echo button[name=binary]").await;
    browser.until(&shows(ECHO, "binary, 2 bytes: 41 42")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_looks_like_markup_is_shown_as_text() {
    let Some(server) = broad_chapter("chapter-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&state(ECHO, "OPEN")).await;
    let markup = "<img src=x onerror=document.title='run'>";
    browser.write("#echo input[type=text]", markup).await;
    browser.click("#echo button[name=text]").await;
    browser
        .until(&format!("{ECHO}.querySelector('.log .in').textContent.includes('<img')"))
        .await;
    browser.until("document.images.length === 0 && document.title !== 'run'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_sends_too_much_is_told_why() {
    let Some(server) = broad_chapter("chapter-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser
        .run(
            "const socket = new WebSocket(`ws://${location.host}/echo`);
             socket.onclose = ({ code }) => { document.title = `code ${code}`; };
             socket.onopen = () => {
               for (let n = 0; n < 20; n++) socket.send('x'.repeat(2 * 1024 * 1024));
             };",
        )
        .await;
    browser.until("document.title.startsWith('code')").await;
    // 1006 would mean that the connection was reset before the reason arrived.
    assert_eq!(browser.run("return document.title").await, "code 1009");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_closed_by_hand_stays_closed_until_it_is_opened_by_hand() {
    let Some(server) = broad_chapter("chapter-1").await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&state(ECHO, "OPEN")).await;
    browser.click("#echo .close").await;
    browser.until(&state(ECHO, "CLOSED")).await;
    browser.until(&shows(ECHO, "closed: code 1000")).await;
    // The log has all four states, in their order.
    let log = format!("{ECHO}.querySelector('.log').textContent");
    browser.until(&format!("/CONNECTING.*OPEN.*CLOSING.*CLOSED/.test({log})")).await;
    browser.until(&format!("{ECHO}.querySelector('.note').textContent === ''")).await;
    browser.click("#echo .connect").await;
    browser.until(&state(ECHO, "OPEN")).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_back_by_itself_when_the_server_does() {
    let Some(program) = broad_program("chapter-1") else { return };
    let Some(mut server) = Server::own(&program).await else { return };
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&state(TICKER, "OPEN")).await;
    server.signal("TERM").await;
    server.exit().await;
    browser.until(&shows(TICKER, "closed: code 1001, “the server stops”")).await;
    browser
        .until(&format!("{TICKER}.querySelector('.note').textContent.includes('Trying')"))
        .await;
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let _again = Server::own_with(&program, &[("PORT", &port)]).await;
    browser.until(&state(TICKER, "OPEN")).await;
    browser.until(&shows(TICKER, "Hello from the server")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let server = chapter("chapter-1").await;
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&state(TICKER, "OPEN")).await;
    browser.until(&shows(TICKER, "Hello from the page")).await;
    browser.is_for_everybody().await;
    browser.click("#echo button[name=text]").await;
    browser.click("#echo button[name=binary]").await;
    browser.until(&shows(ECHO, "binary, 11 bytes")).await;
    assert_eq!(browser.faults().await, NOTHING);
    browser.picture("chapter-1", "1.4-stop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_shows_ticks_answers_and_an_echo_in_its_own_tab() {
    let server = chapter("chapter-1-1").await;
    let Some(browser) = Browser::open(&server, "/").await else { return };
    browser.until(&shows(ECHO, "open")).await;
    browser.write("#echo input[type=text]", "Grüße 👋").await;
    browser.click("#echo button").await;
    let came_back = format!("{ECHO}.querySelector('.log .in').textContent");
    browser.until(&format!("{came_back}.includes('Grüße 👋')")).await;
    browser.until(&shows(TICKER, "Hello from the server")).await;
    browser.until(&shows(TICKER, "Hello from the page")).await;
    browser.is_for_everybody().await;
    assert_eq!(browser.faults().await, NOTHING);
    browser.picture("chapter-1-1", "1.1-ticker").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_between_show_the_states_and_why_a_connection_ended() {
    for package in ["chapter-1-2", "chapter-1-3"] {
        let server = chapter(package).await;
        let Some(browser) = Browser::open(&server, "/").await else { return };
        browser.until(&state(ECHO, "OPEN")).await;
        browser.click("#echo button[name=large]").await;
        browser
            .until(&shows(ECHO, "closed: code 1009, “a message is at most 1 MiB”"))
            .await;
        browser.until(&state(ECHO, "CLOSED")).await;
        browser.click("#echo .connect").await;
        browser.until(&state(ECHO, "OPEN")).await;
        browser.is_for_everybody().await;
        assert_eq!(browser.faults().await, NOTHING);
    }
}
