//! Talking: messages come in by HTTP, and go out as events.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::IntoResponse,
    routing::{get, post},
};

use crate::{
    AppState, body,
    error::{self, AppError},
    message::{Draft, MessageView, StretchQuery},
    presence::Presence,
    room::RoomId,
    visitor::Visitor,
    whole,
};

/// The longest body of a message. A thousand characters, each escaped, take 12,000 bytes.
const MAX_BODY: usize = 16 * 1024;

pub(crate) fn routes() -> Router<AppState> {
    let chat = post(send_chat).layer(from_fn_with_state(MAX_BODY, body::read_on));
    Router::new()
        .route("/room/{id}/chat", chat)
        .route("/room/{id}/messages", get(list_messages))
        .layer(from_fn(error::as_json))
}

/// `POST /room/ID/chat`: stores a message, and tells everybody in the room.
async fn send_chat(
    State(presence): State<Arc<Presence>>,
    visitor: Option<Visitor>,
    id: RoomId,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<MessageView>), AppError> {
    // Before the body is looked at: a stranger's is not worth reading.
    let visitor = presence.may_post(id, visitor).await?;
    let text = read_draft(&headers, body).await?.text()?;
    let view = whole(async move { presence.say(id, visitor, text).await }).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// The body, if it is short enough and says what it should.
async fn read_draft(headers: &HeaderMap, body: Body) -> Result<Draft, AppError> {
    const WRONG: AppError = AppError::Wrong("A message is JSON: {\"chat\": \"...\"}.");
    let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| AppError::TooLarge)?;
    if !is_json(headers) {
        return Err(WRONG);
    }
    serde_json::from_slice(&bytes).map_err(|_| WRONG)
}

/// Whether the body says that it is JSON. A parameter may follow, such as a charset.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// `GET /room/ID/messages`: what was said before, or since.
async fn list_messages(
    State(presence): State<Arc<Presence>>,
    visitor: Option<Visitor>,
    id: RoomId,
    query: Result<Query<StretchQuery>, QueryRejection>,
) -> Result<impl IntoResponse, AppError> {
    let visitor = presence.may_read(id, visitor).await?;
    let stretch = query
        .ok()
        .and_then(|Query(query)| query.stretch())
        .ok_or(AppError::Wrong("Ask for before=SEQ, for after=SEQ, or for neither."))?;
    let messages = presence.read(id, visitor, stretch).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(messages)))
}
