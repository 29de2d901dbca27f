//! The official Socket.IO browser client and the wire panel, served by every chapter from 2 on
/// Stand-in.
pub fn routes<S: Clone + Send + Sync + 'static>() -> axum::Router<S> {
    axum::Router::new()
}
