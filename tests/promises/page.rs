//! What every program with a page for Socket.IO promises about HTTP.

use support::{Server, http};

use crate::{CHAPTER, UNKNOWN};

#[tokio::test]
async fn the_page_comes_with_the_official_client_and_the_wire_panel() {
    let server = Server::start(CHAPTER).await;
    let page = http::get(&server, "/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for script in ["/socket.io/socket.io.js", "/workbook/wire-panel.js"] {
        assert!(page.text().contains(&format!("src=\"{script}\"")), "{script}");
        let script = http::get(&server, script).await;
        assert_eq!(script.status, 200, "{}", script.text());
        assert_eq!(
            script.header("content-type"),
            "application/javascript; charset=utf-8"
        );
    }
}

#[tokio::test]
async fn an_unknown_path_is_404() {
    let server = Server::start(CHAPTER).await;
    for path in UNKNOWN {
        assert_eq!(http::get(&server, path).await.status, 404, "{path}");
    }
}
