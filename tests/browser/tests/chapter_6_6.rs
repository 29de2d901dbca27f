//! What chapter 6-6's page shows: GIFs.

use std::path::Path;

use browser::Browser;
use support::chat::Visitor;
use thirtyfour::By;

use crate::gif_chat::{LIVE, enter, own, start};

const PACKAGE: &str = "chapter-6-6";
const FAULT: &str = "document.querySelector('#fault').textContent";
/// A picture that has been loaded, and not only asked for.
const PICTURE: &str = "document.querySelectorAll('#messages img.gif').length === 1 && \
                       document.querySelector('#messages img.gif').naturalWidth === 320";

/// Chooses a file, as a person does in the dialog.
async fn choose(browser: &Browser, file: &Path) {
    let input = browser.find(By::Css("#gif")).await.expect("a field for a file");
    input.send_keys(file.to_str().expect("a text")).await.expect("it takes a file");
}

/// A sun over the sea, 320 by 180.
fn sunset() -> Vec<u8> {
    let (width, height) = (320_u16, 180_u16);
    let mut gif = b"GIF89a".to_vec();
    gif.extend(width.to_le_bytes());
    gif.extend(height.to_le_bytes());
    // 128 colours: the sky, then the sea, and the last is the sun.
    gif.extend([0xf6, 0, 0]);
    for n in 0..128_u8 {
        gif.extend(match n {
            0..64 => [40 + n * 3, 30 + n, 110 - n / 2],
            64..127 => [20 + (127 - n), 50 + (127 - n) / 2, 120],
            _ => [255, 214, 120],
        });
    }
    gif.extend([0x2c, 0, 0, 0, 0]);
    gif.extend(width.to_le_bytes());
    gif.extend(height.to_le_bytes());
    gif.extend([0, 7]);
    // One byte a code, and none of them compressed: the table is cleared before it grows.
    let mut data = vec![];
    for y in 0..i32::from(height) {
        for x in 0..i32::from(width) {
            if data.len() % 100 == 0 {
                data.push(0x80);
            }
            let sun = (x - 160).pow(2) + (y - 100).pow(2) < 45 * 45 && y < 110;
            let glitter = y >= 110 && (x - 160).abs() < 45 && (x / 3 + y) % 5 == 0;
            let colour = if y < 110 { y * 64 / 110 } else { 64 + (y - 110) * 63 / 70 };
            data.push(if sun || glitter { 127 } else { colour as u8 });
        }
    }
    data.push(0x81);
    for block in data.chunks(255) {
        gif.push(block.len() as u8);
        gif.extend(block);
    }
    gif.extend([0, 0x3b]);
    gif
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gif_that_one_person_chooses_is_seen_by_both_also_after_a_reload() {
    let Some(chat) = start(PACKAGE).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Holidays").await;
    let Some(ada) = enter(&chat, &room).await else { return };
    let Some(bob) = enter(&chat, &room).await else { return };
    let file = chat.folder().join("sunset.gif");
    std::fs::write(&file, sunset()).expect("a folder");
    choose(&ada, &file).await;
    for browser in [&ada, &bob] {
        browser.until(PICTURE).await;
        browser.run("location.reload()").await;
        browser.until(&format!("{LIVE} && {PICTURE}")).await;
        let alt = "document.querySelector('#messages img.gif').alt";
        browser.until(&format!("{alt}.startsWith('A GIF from #')")).await;
        // A text has its own line still, and a GIF none.
        browser.until("!document.querySelector('#messages .text')").await;
    }
    // The same file once more: the field does not remember it.
    choose(&ada, &file).await;
    bob.until("document.querySelectorAll('#messages img.gif').length === 2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_gif_is_refused_by_the_field() {
    let Some(chat) = start(PACKAGE).await else { return };
    let room = Visitor::new(&chat).await.create(&chat, "Holidays").await;
    let Some(ada) = enter(&chat, &room).await else { return };
    let folder = chat.folder().to_owned();
    let (cut, page) = (folder.join("cut.gif"), folder.join("page.gif"));
    let gif = sunset();
    std::fs::write(&cut, &gif[..gif.len() - 1]).expect("a folder");
    std::fs::write(&page, "<script>alert(1)</script>").expect("a folder");
    choose(&ada, &page).await;
    ada.until(&format!("{FAULT} === 'That is not a GIF.'")).await;
    choose(&ada, &cut).await;
    ada.until(&format!("{FAULT} === 'That is not a whole GIF.'")).await;
    ada.is_for_everybody().await;
    ada.until("!document.querySelector('#messages .message')").await;
    let whole = folder.join("whole.gif");
    std::fs::write(&whole, gif).expect("a folder");
    choose(&ada, &whole).await;
    ada.until(PICTURE).await;
    ada.until(&format!("{FAULT} === ''")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_for_everybody() {
    let Some(chat) = own(PACKAGE, &[]).await else { return };
    let bob = Visitor::new(&chat).await;
    let room = bob.create(&chat, "Holidays").await;
    let _tab = bob.join(&chat, &room).await;
    let Some(ada) = enter(&chat, &room).await else { return };
    bob.said(&chat, &room, "Is it warm there?").await;
    ada.until("document.querySelectorAll('.message').length === 1").await;
    let file = chat.folder().join("sunset.gif");
    std::fs::write(&file, sunset()).expect("a folder");
    choose(&ada, &file).await;
    ada.until(PICTURE).await;
    ada.is_for_everybody().await;
    ada.picture("chapter-6-6", "6.6-gif").await;
}
