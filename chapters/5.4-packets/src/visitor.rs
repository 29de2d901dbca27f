//! Who is asking: one signed cookie, read by one layer, for pages and for handshakes.

use std::env;

use anyhow::bail;
use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    middleware::Next,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, Key, SameSite},
};
use serde::Serialize;
use tracing::info;
use uuid::Uuid;

const PAGE: &str = include_str!("../static/index.html");

const COOKIE: &str = "visitor";

/// A browser that sends back the cookie that the page has set.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Visitor(Uuid);

/// What `GET /whoami` answers.
#[derive(Serialize)]
struct WhoAmI {
    visitor: Option<Visitor>,
}

/// The key that signs the cookies: `COOKIE_KEY`, or a new one. With a new key, every cookie
/// that was set before the start is invalid.
pub(crate) fn cookie_key() -> anyhow::Result<Key> {
    let Some(key) = env::var_os("COOKIE_KEY") else {
        return Ok(Key::generate());
    };
    match Key::try_from(key.as_encoded_bytes()) {
        Ok(key) => Ok(key),
        // The message does not repeat the key, not even a bad one.
        Err(_) => bail!("COOKIE_KEY must be at least 64 bytes long"),
    }
}

/// The pages that know their visitor. They need `recognize` around them.
pub(crate) fn routes(key: Key) -> Router {
    Router::new()
        .route("/", get(show_page))
        .route("/whoami", get(who_am_i))
        .with_state(key)
}

/// The layer: if the cookie's signature is valid, puts the visitor into the request's
/// extensions. Pages read it there, and the engine keeps it with the connection.
pub(crate) async fn recognize(
    State(key): State<Key>,
    mut request: Request,
    next: Next,
) -> Response {
    let jar = SignedCookieJar::from_headers(request.headers(), key);
    let id = jar.get(COOKIE).and_then(|cookie| cookie.value().parse().ok());
    if let Some(id) = id {
        request.extensions_mut().insert(Visitor(id));
    }
    next.run(request).await
}

/// `GET /`: the page, and a cookie for a browser without a valid one.
async fn show_page(
    visitor: Option<Extension<Visitor>>,
    State(key): State<Key>,
) -> impl IntoResponse {
    let mut jar = SignedCookieJar::new(key);
    if visitor.is_none() {
        let id = Uuid::new_v4();
        info!(visitor = %id, "a new visitor");
        let cookie = Cookie::build((COOKIE, id.to_string()))
            .path("/")
            // Scripts cannot read it.
            .http_only(true)
            // Pages of other sites cannot use it to connect. Another port of this host is
            // the same site.
            .same_site(SameSite::Lax);
        jar = jar.add(cookie);
    }
    (jar, Html(PAGE))
}

/// `GET /whoami`.
async fn who_am_i(visitor: Option<Extension<Visitor>>) -> Json<WhoAmI> {
    Json(WhoAmI { visitor: visitor.map(|Extension(visitor)| visitor) })
}
