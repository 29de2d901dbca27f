//! What every answer tells the browser not to do.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// Scripts, styles and connections from this server only, and none inside a page: what a
/// visitor types can become text, and nothing else. Nobody may frame a page.
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    // A file is what its type says, whatever it looks like.
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // A room's address is for those in it: other sites are not told where one came from.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
];

/// The layer: adds the headers to every answer that does not say otherwise.
pub(crate) async fn add(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
