//! Serves the built book on this machine, and tells open pages to load again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A page asks again after this long, so that no request of a closed one waits for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a build after the one that the page shows, and again when the server was away.
const SCRIPT: &str = "<script>(async () => {
  for (;;) {
    try {
      if ((await fetch('/__reload/BUILD')).status === 200) return location.reload();
    } catch { await new Promise((again) => setTimeout(again, 1000)); }
  }
})();</script>";

/// The number of a build.
pub(crate) type Build = u128;

/// The number of the first build: the time, so that no page of an earlier run has one of
/// ours.
pub(crate) fn first_build() -> Build {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| since.as_millis())
}

/// Only this machine can connect.
pub(crate) async fn bind(port: u16) -> Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    listener.with_context(|| format!("cannot serve on port {port}; try --port 0"))
}

/// Answers until the process ends.
pub(crate) async fn run(
    listener: TcpListener,
    folder: PathBuf,
    builds: watch::Receiver<Build>,
) -> Result<()> {
    let book = Book { folder: folder.into(), builds };
    let app = Router::new()
        .route("/__reload/{shown}", get(reload))
        .fallback(get(file))
        .with_state(book);
    Ok(axum::serve(listener, app).await?)
}

#[derive(Clone)]
struct Book {
    folder: Arc<std::path::Path>,
    builds: watch::Receiver<Build>,
}

/// Answers 200 when there is another build than the one that the page shows.
async fn reload(State(mut book): State<Book>, Path(shown): Path<String>) -> StatusCode {
    let other = book.builds.wait_for(|build| build.to_string() != shown);
    match tokio::time::timeout(PATIENCE, other).await {
        Ok(Ok(_)) => StatusCode::OK,
        _ => StatusCode::NO_CONTENT,
    }
}

async fn file(State(book): State<Book>, uri: Uri) -> Response {
    // The number first: a build that ends while the file is read is a later one.
    let script = SCRIPT.replace("BUILD", &book.builds.borrow().to_string());
    let path = uri.path().trim_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    // The book's own files have plain names: nothing to decode, and no way out.
    let inside =
        path.split('/').all(|part| !part.starts_with('.') && !part.contains('\\'));
    // Small files of this machine: no other request has to wait for long.
    let found = if inside { std::fs::read(book.folder.join(path)).ok() } else { None };
    // A page that is just being built comes back by itself: it has the script too.
    let (status, media_type, mut body) = match found {
        Some(body) => (StatusCode::OK, media_type(path), body),
        None => (
            StatusCode::NOT_FOUND,
            media_type(".html"),
            b"<!doctype html><title>Not here</title><p>The book has no such page.\n"
                .into(),
        ),
    };
    if media_type.starts_with("text/html") {
        body.extend(script.as_bytes());
    }
    let headers =
        [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "text/plain; charset=utf-8",
    }
}
