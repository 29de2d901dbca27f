//! Serves the page that `WORKBOOK_PAGE` names, and nothing else, as the program does that
//! `cargo workbook start` gives for a chapter's first step. A promise that this program keeps
//! is no promise of that step.

use axum::{Router, response::Html, routing::get};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let page = std::env::var("WORKBOOK_PAGE").expect("WORKBOOK_PAGE names a file");
    let page = std::fs::read_to_string(page)?;
    let host = std::env::var("HOST").unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("8005".to_owned());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app =
        Router::new().route("/", get(async || Html(page))).merge(browser_kit::routes());
    axum::serve(listener, app).await
}
