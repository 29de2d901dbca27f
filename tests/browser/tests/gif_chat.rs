//! What the tests of the GIF chat's pages have in common.

use browser::{Browser, broad_program};
use support::chat::Chat;

/// The page is connected: it is in its lobby or its room.
pub(crate) const LIVE: &str =
    "document.querySelector('#status')?.dataset.state === 'connected'";

/// Starts a chapter, or uses the server that `WORKBOOK_URL` names, for what only a whole run
/// asks.
pub(crate) async fn start(package: &str) -> Option<Chat> {
    Some(Chat::start(&broad_program(package)?).await)
}

/// The same for what needs the process itself, with these environment variables.
pub(crate) async fn own(package: &str, environment: &[(&str, &str)]) -> Option<Chat> {
    Chat::own_with(&broad_program(package)?, environment).await
}

/// Opens the lobby, and waits until it is live.
pub(crate) async fn lobby(chat: &Chat) -> Option<Browser> {
    open(chat, "/").await
}

/// Opens a room's page, and waits until it is in the room.
pub(crate) async fn enter(chat: &Chat, room: &str) -> Option<Browser> {
    open(chat, &format!("/room/{room}")).await
}

async fn open(chat: &Chat, path: &str) -> Option<Browser> {
    let browser = Browser::open(chat, path).await?;
    browser.until(LIVE).await;
    Some(browser)
}

/// A script's expression: whether the lobby shows one room with this title.
pub(crate) fn lists(title: &str) -> String {
    format!(
        "[...document.querySelectorAll('.room-title')].filter(\
         (it) => it.textContent === {title:?}).length === 1"
    )
}
