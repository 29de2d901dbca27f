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

/// A browser that comes back with the cookie it was given.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Visitor(Uuid);

/// What `GET /whoami` answers.
#[derive(Serialize)]
struct WhoAmI {
    visitor: Option<Visitor>,
}

/// The key that signs the cookies: from `COOKIE_KEY`, or a new one. With a new key every
/// cookie from before the start is a forged one, and everybody a stranger.
pub(crate) fn cookie_key() -> anyhow::Result<Key> {
    let Some(key) = env::var_os("COOKIE_KEY") else {
        return Ok(Key::generate());
    };
    match Key::try_from(key.as_encoded_bytes()) {
        Ok(key) => Ok(key),
        // Not even a bad key belongs in a message.
        Err(_) => bail!("COOKIE_KEY must be at least 64 bytes long"),
    }
}

/// The pages that know their visitor. The layer has to be added around them.
pub(crate) fn routes(key: Key) -> Router {
    Router::new()
        .route("/", get(show_page))
        .route("/whoami", get(who_am_i))
        .with_state(key)
}

/// The layer: leaves the visitor, if the cookie is good, in the request's extensions. There
/// pages find it, and the engine keeps it with the connection.
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

/// `GET /`: the page, and a cookie for those who have no good one.
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
            // Scripts cannot read it, and other sites' pages cannot use it to connect.
            .http_only(true)
            .same_site(SameSite::Lax);
        jar = jar.add(cookie);
    }
    (jar, Html(PAGE))
}

/// `GET /whoami`.
async fn who_am_i(visitor: Option<Extension<Visitor>>) -> Json<WhoAmI> {
    Json(WhoAmI { visitor: visitor.map(|Extension(visitor)| visitor) })
}
