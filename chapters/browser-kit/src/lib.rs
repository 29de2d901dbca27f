//! The official Socket.IO browser client, the wire panel, the common page style, and the
//! look and icon of the GIF chat, served by every chapter from 2 on.
//!
//! ```
//! let app: axum::Router = axum::Router::new().merge(browser_kit::routes());
//! ```
//!
//! A page then loads them like this:
//!
//! ```html
//! <link rel="stylesheet" href="/workbook/page.css">
//! <wire-panel></wire-panel>
//! <script src="/socket.io/socket.io.js"></script>
//! <script src="/workbook/wire-panel.js"></script>
//! ```

use std::hash::{DefaultHasher, Hasher};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

// Written by build.rs: the client's version, and its files or what is left of them.
include!(concat!(env!("OUT_DIR"), "/client.rs"));

const JAVASCRIPT: &str = "application/javascript; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What a reader sees who built without npm and without a network.
const MISSING: &str = "The Socket.IO browser client is missing, because npm could not \
    install it when this program was built. Install Node.js, or run \
    `cargo workbook client`, then run the chapter again.\n";

/// The routes of the shared files, to be merged into a chapter's router.
///
/// They are exact paths and belong beside `.route_service("/socket.io/", …)`. Behind
/// `SocketIoLayer` they would never be asked: it takes all of `/socket.io/*`.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let panel = Asset::ours(JAVASCRIPT, include_bytes!("../static/wire-panel.js"));
    let style = Asset::ours(CSS, include_bytes!("../static/page.css"));
    let chat = Asset::ours(CSS, include_bytes!("../static/chat.css"));
    let icon = Asset::ours(SVG, include_bytes!("../static/chat.svg"));
    client_routes(CLIENT)
        .route("/workbook/wire-panel.js", get(async move |asked| panel.answer(&asked)))
        .route("/workbook/page.css", get(async move |asked| style.answer(&asked)))
        .route("/workbook/chat.css", get(async move |asked| chat.answer(&asked)))
        .route("/workbook/chat.svg", get(async move |asked| icon.answer(&asked)))
}

fn client_routes<S, const N: usize>(
    files: [(&'static str, Option<&'static [u8]>); N],
) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    files.into_iter().fold(Router::new(), |router, (name, bytes)| {
        let kind = if name.ends_with(".map") { JSON } else { JAVASCRIPT };
        // Node's server, too, takes the version for the tag of all client files.
        let file = bytes.map(|bytes| Asset::new(kind, VERSION, bytes));
        let answer = async move |asked: HeaderMap| match file {
            Some(file) => file.answer(&asked),
            None => missing(),
        };
        router.route(&format!("/socket.io/{name}"), get(answer))
    })
}

fn missing() -> Response {
    // Not to be remembered: the next build may have the client.
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, headers, MISSING).into_response()
}

/// A file inside the program.
#[derive(Clone)]
struct Asset {
    kind: &'static str,
    tag: HeaderValue,
    bytes: &'static [u8],
}

impl Asset {
    fn new(kind: &'static str, version: &str, bytes: &'static [u8]) -> Self {
        let tag = HeaderValue::try_from(format!("\"{version}\""))
            .expect("BUG: a version is visible ASCII");
        Self { kind, tag, bytes }
    }

    /// Our own files have no version; they change when their content does.
    fn ours(kind: &'static str, bytes: &'static [u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        Self::new(kind, &format!("{:016x}", hasher.finish()), bytes)
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.kind)),
            (header::ETAG, self.tag.clone()),
            // Keep it, but ask every time: a rebuilt chapter is seen at once.
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=0")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        if self.is_known_to(asked) {
            (StatusCode::NOT_MODIFIED, headers).into_response()
        } else {
            (headers, Body::from(self.bytes)).into_response()
        }
    }

    /// Whether `If-None-Match` names this file. The comparison is the weak one of
    /// RFC 9110, 13.1.2: proxies that compress put `W/` before a tag.
    fn is_known_to(&self, asked: &HeaderMap) -> bool {
        asked
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
            .map(<[u8]>::trim_ascii)
            .any(|tag| {
                tag == b"*"
                    || tag.strip_prefix(b"W/").unwrap_or(tag) == self.tag.as_bytes()
            })
    }
}

#[cfg(test)]
mod tests;
