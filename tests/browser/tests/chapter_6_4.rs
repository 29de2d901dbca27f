//! What chapter 6-4's pages show: a door, and who gets through it.

use browser::Browser;
use support::chat::{Chat, Visitor};

use crate::gif_chat::{LIVE, own};

const PACKAGE: &str = "chapter-6-4";
const IN_THE_ROOM: &str =
    "document.querySelector('#status').textContent === 'in the room'";
const PASSWORD: &str = "open sesame";

async fn secret(chat: &Chat, owner: &Visitor) -> String {
    let fields = [("title", "Cats"), ("max", "10"), ("password", PASSWORD)];
    owner.create_with(chat, &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_asked_guesses_wrong_and_gets_in() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let Some(ada) = Browser::open(&chat, "/room").await else { return };
    ada.write("#title", "Cats").await;
    ada.write("#password", PASSWORD).await;
    ada.click("form button").await;
    ada.until(IN_THE_ROOM).await;
    let url = ada.current_url().await.expect("an address").to_string();
    let Some(bob) = Browser::at(&url).await else { return };
    bob.until("document.querySelector('h1').textContent === 'Cats'").await;
    bob.until("document.activeElement.id === 'password'").await;
    bob.write("#password", "open barley").await;
    bob.click("form button").await;
    let fault = "document.querySelector('#password-fault').textContent";
    bob.until(&format!("{fault} === 'That is not the password.'")).await;
    bob.until("document.querySelector('#password').value === ''").await;
    bob.is_for_everybody().await;
    bob.picture("chapter-6-4", "6.4-admission").await;
    bob.write("#password", PASSWORD).await;
    bob.click("form button").await;
    bob.until(IN_THE_ROOM).await;
    let here = bob.current_url().await.expect("an address").to_string();
    assert_eq!(here, url, "the password is in no address");
    ada.until("document.querySelectorAll('#people li').length === 2").await;
    bob.run("location.reload()").await;
    bob.until(IN_THE_ROOM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_room_has_a_tag_in_everybodys_lobby() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let Some(lobby) = Browser::open(&chat, "/").await else { return };
    lobby.until(LIVE).await;
    let ada = Visitor::new(&chat).await;
    secret(&chat, &ada).await;
    ada.create(&chat, "Dogs").await;
    let tags = "[...document.querySelectorAll('#rooms .room-card')].map((card) => \
        card.innerText.includes('secret')).join()";
    // As events have brought it, and as the page says.
    lobby.until(&format!("{tags} === 'true,false'")).await;
    lobby.run("location.reload()").await;
    lobby.until(&format!("{LIVE} && {tags} === 'true,false'")).await;
    lobby.is_for_everybody().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_join_is_forbidden_becomes_the_form() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = secret(&chat, &ada).await;
    let path = format!("/room/{room}");
    let Some(bob) = Browser::open(&chat, &path).await else { return };
    bob.write("#password", PASSWORD).await;
    bob.click("form button").await;
    bob.until(IN_THE_ROOM).await;
    // The cookie is lost, and with it the grant.
    bob.delete_all_cookies().await.expect("no cookies");
    let chat = chat.restart("KILL").await;
    bob.until("document.querySelector('#password')").await;
    drop(chat);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_too_often_or_comes_too_late_is_told_so() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let ada = Visitor::new(&chat).await;
    let room = secret(&chat, &ada).await;
    let Some(bob) = Browser::open(&chat, &format!("/room/{room}")).await else { return };
    for guess in 0..6 {
        bob.run("window.guessed = true").await;
        bob.write("#password", &guess.to_string()).await;
        bob.click("form button").await;
        bob.until("!window.guessed && document.querySelector('h1')").await;
    }
    bob.until("document.querySelector('.alert').textContent.includes('too often')").await;
    bob.is_for_everybody().await;
    let full = ada.create_with(&chat, &[("title", "Full"), ("max", "2")]).await;
    let tabs = (
        ada.join(&chat, &full).await,
        Visitor::new(&chat).await.join(&chat, &full).await,
    );
    bob.visit(&chat.url(&format!("/room/{full}"))).await;
    bob.until("document.querySelector('.alert').textContent.includes('is full')").await;
    drop(tabs);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_with_a_password_is_for_everybody() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let Some(ada) = Browser::open(&chat, "/room").await else { return };
    ada.is_for_everybody().await;
    ada.write("#title", "Cats").await;
    ada.write("#password", &"x".repeat(129)).await;
    ada.click("form button").await;
    let fault = "document.querySelector('#password-fault').textContent";
    ada.until(&format!("{fault} === 'A password has at most 128 characters.'")).await;
    ada.until("document.querySelector('#password').value === ''").await;
    ada.until("document.querySelector('#title').value === 'Cats'").await;
    ada.is_for_everybody().await;
}
