//! Rooms from outside: HTTP requests that move or disconnect the members of a room.
//!
//! A page of another site cannot send these requests: its browser first asks this server for
//! permission, because one is declared as JSON and the others are a DELETE, and this server
//! never grants it.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::Deserialize;
use socketioxide::SocketIo;
use tracing::info;

use crate::{
    member::{MemberId, Name},
    rooms::Rooms,
};

/// The state that the HTTP handlers share.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) io: SocketIo,
    pub(crate) rooms: Rooms,
}

/// The body of `POST /rooms/NAME/move`.
#[derive(Deserialize)]
pub(crate) struct Move {
    to: Name,
}

/// A status, and the sentence to read.
type Refusal = (StatusCode, &'static str);

/// `POST /rooms/NAME/move`: everybody in the room goes to another one.
pub(crate) async fn move_room(
    State(AppState { io, rooms }): State<AppState>,
    Path(from): Path<Name>,
    body: Result<Json<Move>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(Move { to }) = body.map_err(refuse)?;
    info!(?from, ?to, "move");
    rooms.move_all(&io, from, to).await;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /rooms/NAME`: everybody in the room is disconnected.
pub(crate) async fn delete_room(
    State(AppState { io, rooms }): State<AppState>,
    Path(room): Path<Name>,
) -> StatusCode {
    info!(?room, "delete");
    rooms.close(&io, room).await;
    StatusCode::NO_CONTENT
}

/// `DELETE /rooms/NAME/members/ID`: one member of the room is disconnected.
pub(crate) async fn kick_member(
    State(AppState { io, rooms }): State<AppState>,
    Path((room, id)): Path<(Name, MemberId)>,
) -> Result<StatusCode, Refusal> {
    info!(?room, "kick");
    match rooms.kick(&io, room, id).await {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err((StatusCode::NOT_FOUND, "nobody in this room has this id")),
    }
}

/// Says what the body should have been.
fn refuse(rejection: JsonRejection) -> Refusal {
    match rejection.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => (status, "the body is too large"),
        _ => (
            StatusCode::BAD_REQUEST,
            "a move is application/json: an object with to, a name of 1 to 50 characters",
        ),
    }
}
