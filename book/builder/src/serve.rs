//! Serves the built book on this machine, and tells open pages to load again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use tiny_http::{Header, Method, Request, Response, StatusCode};

/// Where an open page waits for the next build.
const RELOAD: &str = "/__reload";

/// A page asks again after this long, so that no thread waits for a closed one for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for the next build, and again when the server was away.
const SCRIPT: &str = "<script>(async () => {
  for (;;) {
    try {
      if ((await fetch('/__reload')).status === 200) return location.reload();
    } catch { await new Promise((again) => setTimeout(again, 1000)); }
  }
})();</script>";

pub(crate) struct Server {
    http: tiny_http::Server,
    folder: PathBuf,
    reloader: Reloader,
}

/// Knows how often the book was built.
#[derive(Clone, Default)]
pub(crate) struct Reloader(Arc<(Mutex<u64>, Condvar)>);

impl Reloader {
    /// The book was built again.
    pub(crate) fn tell(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.1.notify_all();
    }

    /// Whether the book is built again before patience ends.
    fn wait(&self) -> bool {
        let builds = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *builds;
        let result = self.0.1.wait_timeout_while(builds, PATIENCE, |now| *now == before);
        result.is_ok_and(|(_, timeout)| !timeout.timed_out())
    }
}

impl Server {
    /// Only this machine can connect.
    pub(crate) fn bind(port: u16, folder: PathBuf) -> Result<Self> {
        let http = tiny_http::Server::http(("127.0.0.1", port)).map_err(|error| {
            anyhow!("cannot serve on port {port}: {error}; try --port 0")
        })?;
        Ok(Self { http, folder, reloader: Reloader::default() })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.http.server_addr())
    }

    pub(crate) fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Answers until the process ends.
    pub(crate) fn run(self) {
        for request in self.http.incoming_requests() {
            let (folder, reloader) = (self.folder.clone(), self.reloader.clone());
            std::thread::spawn(move || answer(request, &folder, &reloader));
        }
    }
}

fn answer(request: Request, folder: &Path, reloader: &Reloader) {
    let response = if !matches!(request.method(), Method::Get | Method::Head) {
        Response::from_string("GET only\n").with_status_code(StatusCode(405))
    } else if request.url() == RELOAD {
        let status = if reloader.wait() { 200 } else { 204 };
        Response::from_string("").with_status_code(StatusCode(status))
    } else {
        file(request.url(), folder)
    };
    // A browser that went elsewhere needs no answer.
    let _ = request.respond(response);
}

fn file(url: &str, folder: &Path) -> Response<std::io::Cursor<Vec<u8>>> {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    // The book's own files have plain names: nothing to decode, and no way out.
    let inside =
        path.split('/').all(|part| !part.starts_with('.') && !part.contains('\\'));
    let bytes = if inside { std::fs::read(folder.join(path)).ok() } else { None };
    let Some(mut bytes) = bytes else {
        return Response::from_string("The book has no such page.\n")
            .with_status_code(StatusCode(404));
    };
    if path.ends_with(".html") {
        bytes.extend(SCRIPT.as_bytes());
    }
    let response = Response::from_data(bytes);
    let header =
        |name: &str, value: &str| Header::from_bytes(name.as_bytes(), value.as_bytes());
    [header("Content-Type", media_type(path)), header("Cache-Control", "no-store")]
        .into_iter()
        .flatten()
        .fold(response, Response::with_header)
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
