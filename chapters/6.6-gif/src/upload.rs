//! GIFs come in as a form with one file, and go out as files.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, Multipart, Path, Request, State,
        multipart::{MultipartError, MultipartRejection},
        rejection::PathRejection,
    },
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use crate::{
    AppState, body,
    error::{self, AppError},
    gifs::{GifName, Gifs, MAX_GIF, Upload},
    message::{Content, MessageView},
    presence::Presence,
    room::RoomId,
    visitor::Visitor,
    whole,
};

/// A GIF is a picture and can do nothing, also if somebody opens it by itself. It never
/// changes: its name is its own.
const GIF_HEADERS: [(HeaderName, HeaderValue); 2] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    ),
    (
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=31536000, immutable"),
    ),
];

pub(crate) fn routes() -> Router<AppState> {
    let upload = post(send_gif)
        // The whole body is longer than the file in it, which is counted while it comes in.
        // Without an end, a form that never begins would be kept in memory.
        .layer(DefaultBodyLimit::max(2 * MAX_GIF))
        .layer(from_fn_with_state(MAX_GIF, body::read_on))
        .layer(from_fn(error::as_json));
    Router::new().route("/room/{id}/gif", upload).route("/gif/{name}", get(show_gif))
}

/// `POST /room/ID/gif`: stores a GIF, and tells everybody in the room.
async fn send_gif(
    State(gifs): State<Arc<Gifs>>,
    State(presence): State<Arc<Presence>>,
    visitor: Option<Visitor>,
    id: RoomId,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<MessageView>), AppError> {
    // Before the body is looked at: a stranger's is not worth reading.
    let visitor = presence.may_post(id, visitor).await?;
    let upload = receive_one(&gifs, form.map_err(|_| WRONG)?).await?;
    gifs.check(&upload).await?;
    let view = whole(async move {
        // The file first: a message that is told has its GIF.
        let name = gifs.keep(upload).await?;
        let said = presence.say(id, visitor, Content::Gif(name.clone())).await;
        if said.is_err() {
            // The room may have ended in the meantime.
            gifs.remove(vec![name]).await;
        }
        said
    });
    Ok((StatusCode::CREATED, Json(view.await?)))
}

const WRONG: AppError = AppError::Wrong("Send one file, in a form's field named gif.");

/// What is wrong with a form that cannot be read on.
pub(crate) fn wrong_form(error: MultipartError) -> AppError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => AppError::TooLarge,
        _ => WRONG,
    }
}

/// The one file in a form.
async fn receive_one(gifs: &Gifs, mut form: Multipart) -> Result<Upload, AppError> {
    let mut received = None;
    while let Some(field) = form.next_field().await.map_err(wrong_form)? {
        let is_file = field.name() == Some("gif") && field.file_name().is_some();
        if !is_file || received.is_some() {
            return Err(WRONG);
        }
        received = Some(gifs.receive(field).await?);
    }
    received.ok_or(WRONG)
}

/// `GET /gif/NAME`: the file, or the part of it that was asked for.
async fn show_gif(
    State(gifs): State<Arc<Gifs>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, AppError> {
    // What is not even a text is no name either.
    let Path(name) = name.map_err(|_| AppError::NotFound)?;
    let name = GifName::parse(&name).ok_or(AppError::NotFound)?;
    let Ok(response) = ServeFile::new(gifs.path(&name)).oneshot(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        return Err(AppError::NotFound);
    }
    Ok((GIF_HEADERS, response).into_response())
}
