//! Who is asking: one signed cookie, read by one layer, for pages and for sockets.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts, Request, State},
    http::request::Parts,
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, Key, SameSite},
};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use time::Duration;
use tracing::info;
use uuid::Uuid;

use crate::{colour::Colour, error::AppError, room::RoomId};

const COOKIE: &str = "visitor";
/// How long a browser keeps it.
const YEAR: Duration = Duration::days(365);

/// A browser, however many tabs. Its id is the key to everything it owns, and leaves the
/// server in its cookie only: there is no `Display`, no `Debug` and no `Serialize`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Visitor(Uuid);

impl Visitor {
    /// What others see.
    pub(crate) fn colour(self) -> Colour {
        Colour::of(&self.0.to_string())
    }

    /// For the database and the cookie.
    pub(crate) fn secret(self) -> String {
        self.0.to_string()
    }

    /// From the database or the cookie.
    pub(crate) fn from_secret(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

/// The names by which the members of a room know each other. From a name nobody gets to a
/// visitor, nor from a visitor's name in one room to their name in another.
#[derive(Clone)]
pub(crate) struct Names(Hmac<Sha256>);

/// A visitor's name in one room: the same after every reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct MemberId(String);

impl MemberId {
    /// Nobody's name.
    pub(crate) fn nobody() -> Self {
        Self(String::new())
    }
}

impl Names {
    /// Signed cookies use one half of the key. This is the other.
    pub(crate) fn new(key: &Key) -> Self {
        let mac = Hmac::new_from_slice(key.encryption());
        Self(mac.expect("BUG: HMAC takes keys of any length"))
    }

    /// A visitor's name in a room.
    pub(crate) fn member(&self, room: RoomId, visitor: Visitor) -> MemberId {
        let mac = self.0.clone().chain_update(room.to_string()).chain_update(visitor.0);
        let [start @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            <[u8; 32]>::from(mac.finalize().into_bytes());
        MemberId(format!("{:032x}", u128::from_be_bytes(start)))
    }
}

/// As a handler's argument, where nobody is served without a cookie.
impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AppError> {
        parts.extensions.get().copied().ok_or(AppError::NoVisitor)
    }
}

/// As a handler's argument: the visitor, if the request came with a good cookie.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get().copied())
    }
}

/// The layer around everything: leaves the visitor in the request's extensions. There pages
/// find it, and the engine keeps it with the connection. A forged cookie is none.
pub(crate) async fn recognize(
    State(key): State<Key>,
    mut request: Request,
    next: Next,
) -> Response {
    let jar = SignedCookieJar::from_headers(request.headers(), key);
    let visitor = jar.get(COOKIE).and_then(|cookie| Visitor::from_secret(cookie.value()));
    if let Some(visitor) = visitor {
        request.extensions_mut().insert(visitor);
    }
    next.run(request).await
}

/// The layer around the pages: who has no cookie gets one with the answer.
pub(crate) async fn welcome(
    State(key): State<Key>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.extensions().get::<Visitor>().is_some() {
        return next.run(request).await;
    }
    let visitor = Visitor(Uuid::new_v4());
    request.extensions_mut().insert(visitor);
    info!(colour = %visitor.colour(), "a new visitor");
    let cookie = Cookie::build((COOKIE, visitor.secret()))
        .path("/")
        .max_age(YEAR)
        // Scripts cannot read it, and other sites' forms do not send it.
        .http_only(true)
        .same_site(SameSite::Lax);
    let jar = SignedCookieJar::new(key).add(cookie);
    (jar, next.run(request).await).into_response()
}
