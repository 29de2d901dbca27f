//! Serves the built book on this machine, and tells open pages to load again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow};
use tiny_http::{Header, Method, Request, Response, StatusCode};

/// Where an open page waits for the next build; the number of the build it shows follows.
const RELOAD: &str = "/__reload/";

/// A page asks again after this long, so that no thread waits for a closed one for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a build after the one that the page shows, and again when the server was away.
const SCRIPT: &str = "<script>(async () => {
  for (;;) {
    try {
      if ((await fetch('/__reload/BUILD')).status === 200) return location.reload();
    } catch { await new Promise((again) => setTimeout(again, 1000)); }
  }
})();</script>";

pub(crate) struct Server {
    http: tiny_http::Server,
    folder: PathBuf,
    reloader: Reloader,
}

/// Numbers the builds.
#[derive(Clone)]
pub(crate) struct Reloader(Arc<(Mutex<u128>, Condvar)>);

impl Reloader {
    /// The numbers begin with the time, so that no page of an earlier run has one of ours.
    fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let first = now.map_or(0, |since| since.as_millis());
        Self(Arc::new((Mutex::new(first), Condvar::new())))
    }

    /// The book was built again.
    pub(crate) fn tell(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.1.notify_all();
    }

    fn build(&self) -> u128 {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is another build than `shown`, now or before patience ends.
    fn wait(&self, shown: &str) -> bool {
        let builds = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |now: &mut u128| now.to_string() == shown;
        let result = self.0.1.wait_timeout_while(builds, PATIENCE, same);
        result.is_ok_and(|(_, timeout)| !timeout.timed_out())
    }
}

impl Server {
    /// Only this machine can connect.
    pub(crate) fn bind(port: u16, folder: PathBuf) -> Result<Self> {
        let http = tiny_http::Server::http(("127.0.0.1", port)).map_err(|error| {
            anyhow!("cannot serve on port {port}: {error}; try --port 0")
        })?;
        Ok(Self { http, folder, reloader: Reloader::new() })
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
    } else if let Some(shown) = request.url().strip_prefix(RELOAD) {
        let status = if reloader.wait(shown) { 200 } else { 204 };
        Response::from_string("").with_status_code(StatusCode(status))
    } else {
        // The number first: a build that ends while the file is read is a later one.
        let script = SCRIPT.replace("BUILD", &reloader.build().to_string());
        file(request.url(), folder, &script)
    };
    // A browser that went elsewhere needs no answer.
    let _ = request.respond(response);
}

fn file(url: &str, folder: &Path, script: &str) -> Response<std::io::Cursor<Vec<u8>>> {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    // The book's own files have plain names: nothing to decode, and no way out.
    let inside =
        path.split('/').all(|part| !part.starts_with('.') && !part.contains('\\'));
    let found = if inside { std::fs::read(folder.join(path)).ok() } else { None };
    // A page that is just being built comes back by itself: it has the script too.
    let (status, kind, mut bytes) = match found {
        Some(bytes) => (200, media_type(path), bytes),
        None => (404, media_type(".html"), b"<p>The book has no such page.\n".to_vec()),
    };
    if kind == media_type(".html") {
        bytes.extend(script.as_bytes());
    }
    let response = Response::from_data(bytes).with_status_code(StatusCode(status));
    let header =
        |name: &str, value: &str| Header::from_bytes(name.as_bytes(), value.as_bytes());
    [header("Content-Type", kind), header("Cache-Control", "no-store")]
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
