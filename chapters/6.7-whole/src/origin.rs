//! Whose page is asking: other sites may link to this one, and nothing else.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::Response,
};

use crate::error::AppError;

/// The layer: refuses what a page of another site sends in its visitor's name. A browser
/// adds the cookie to such a request, and for a WebSocket it does not even ask.
pub(crate) async fn require_own(
    request: Request,
    next: Next,
) -> Result<Response, AppError> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let engine = request.uri().path() == "/socket.io/";
    if (engine || !reads) && !is_own(request.headers()) {
        return Err(AppError::CrossOrigin);
    }
    Ok(next.run(request).await)
}

/// What the browser says about the page. Programs that are no browsers say nothing, and
/// send nobody's cookie by accident.
fn is_own(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        // `none`: a person did it, by the address bar or a bookmark.
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // Behind a proxy the scheme may differ.
    let authority = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
    authority.is_some_and(|it| host.is_some_and(|host| it.eq_ignore_ascii_case(host)))
}
