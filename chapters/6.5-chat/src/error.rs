//! Errors become answers here, and nowhere else. The details go to the log.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tracing::error;

use crate::{pages::Pages, seats::NoSeat, throttle::TooOften};

/// Why somebody does not get what they asked for.
#[derive(Debug)]
pub(crate) enum AppError {
    /// Nothing has this address.
    NotFound,
    /// No room has this id, or no longer.
    NoSuchRoom,
    /// There is such an address, but it does not do that.
    MethodNotAllowed,
    /// A page of another site sent this.
    CrossOrigin,
    /// There is no cookie, or a forged one.
    NoVisitor,
    /// The room belongs to somebody else.
    NotTheOwner,
    /// The room has a password, and the visitor has not said it.
    NotAdmitted,
    /// All seats are taken.
    Full,
    /// Only those in the room can do that.
    NotAMember,
    /// Too many wrong passwords, or messages. More are not even looked at.
    TooOften(TooOften),
    /// What came is not what it should be. The sentence says what that is.
    Wrong(&'static str),
    /// Too many people want something that takes its time.
    Busy,
    /// The body is longer than anything that makes sense.
    TooLarge,
    /// It is our fault. Only the log is told more.
    Internal(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for AppError {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}

impl From<NoSeat> for AppError {
    fn from(no_seat: NoSeat) -> Self {
        match no_seat {
            NoSeat::Unknown | NoSeat::Invalid => Self::NoSuchRoom,
            NoSeat::Forbidden => Self::NotAdmitted,
            NoSeat::Full => Self::Full,
        }
    }
}

impl From<TooOften> for AppError {
    fn from(too_often: TooOften) -> Self {
        Self::TooOften(too_often)
    }
}

/// What a person is told.
#[derive(Clone, Copy, Serialize)]
struct Sentence {
    error: &'static str,
}

impl AppError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoSuchRoom => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::CrossOrigin
            | Self::NoVisitor
            | Self::NotTheOwner
            | Self::NotAdmitted
            | Self::NotAMember => StatusCode::FORBIDDEN,
            Self::Full => StatusCode::CONFLICT,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn sentence(&self) -> Sentence {
        let error = match self {
            Self::NotFound => "There is nothing at this address.",
            Self::NoSuchRoom => "There is no such room, or no longer.",
            Self::MethodNotAllowed => "This address does not do that.",
            Self::CrossOrigin => "Another site may not do that here.",
            Self::NoVisitor => "no visitor",
            Self::NotTheOwner => "Only who made a room can delete it.",
            Self::NotAdmitted => "This room has a password.",
            Self::NotAMember => "Only those in the room can do that.",
            Self::Full => "This room is full.",
            Self::TooOften(_) => "That was too often. Wait a moment, then try again.",
            Self::Busy => "Too many people are at the door. Try again in a moment.",
            Self::Wrong(sentence) => sentence,
            Self::TooLarge => "That is too long.",
            Self::Internal(_) => "Something went wrong here. It is not your fault.",
        };
        Sentence { error }
    }

    /// When to come back, in whole seconds and not before it is allowed.
    fn retry_after(&self) -> Option<HeaderValue> {
        let seconds = match self {
            Self::TooOften(TooOften(wait)) => wait.as_secs_f64().ceil() as u64,
            Self::Busy => 1,
            _ => return None,
        };
        Some(HeaderValue::from(seconds.max(1)))
    }
}

/// A status, and the sentence for [`show`] to put on a page.
impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            error!(error = format!("{error:#}"), "an answer failed");
        }
        let mut response = self.status().into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response.extensions_mut().insert(self.sentence());
        response
    }
}

/// The layer around what scripts ask for: an error is `{"error": "sentence"}`.
pub(crate) async fn as_json(request: Request, next: Next) -> Response {
    let (mut head, body) = next.run(request).await.into_parts();
    // Taken out: it is written, and not to be put on a page as well.
    match head.extensions.remove::<Sentence>() {
        Some(sentence) => (head, Json(sentence)).into_response(),
        None => Response::from_parts(head, body),
    }
}

/// The layer that makes a page out of an error: it has the templates, and handlers need not.
pub(crate) async fn show(
    State(pages): State<Arc<Pages>>,
    request: Request,
    next: Next,
) -> Result<Response, Infallible> {
    let json = is_of_a_script(&request);
    let response = next.run(request).await;
    let Some(sentence) = response.extensions().get::<Sentence>().copied() else {
        return Ok(response);
    };
    let (mut head, body) = response.into_parts();
    if json {
        head.headers.remove(header::CONTENT_TYPE);
        return Ok((head, Json(sentence)).into_response());
    }
    if head.headers.contains_key(header::CONTENT_TYPE) {
        // It has a page of its own, with a form on it.
        return Ok(Response::from_parts(head, body));
    }
    let page = match pages.render("error.html", &sentence) {
        Ok(page) => page.into_response(),
        Err(_) => sentence.error.into_response(),
    };
    Ok((head, page).into_response())
}

/// Whether the one who asks wants to read JSON. No link and no form says any of this.
fn is_of_a_script(request: &Request) -> bool {
    let says = |name: HeaderName, what: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.to_ascii_lowercase().contains(what))
    };
    request.method() == Method::DELETE
        || says(header::CONTENT_TYPE, "application/json")
        || says(header::CONTENT_TYPE, "multipart/form-data")
        || says(header::ACCEPT, "application/json")
}
