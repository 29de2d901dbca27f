//! What people see: pages from templates, and the form that makes a room.

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, State, rejection::FormRejection},
    http::{StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{delete, get, post},
};
use axum_extra::extract::cookie::Key;
use serde::Serialize;
use tera::{Context, Tera};

use crate::{
    AppState, body,
    colour::Colour,
    entrance,
    error::{self, AppError},
    lobby::Lobby,
    message::{MessageView, Stretch},
    passwords::Passwords,
    presence::Presence,
    room::{Room, RoomFaults, RoomForm, RoomId},
    seats::NoSeat,
    visitor::{self, Visitor},
    whole,
};

/// The longest body that a form may be. The longest title takes 600 bytes of it.
pub(crate) const MAX_FORM: usize = 16 * 1024;

/// The templates, by the names that they extend and include each other with. They are part
/// of the program: it runs from any folder.
const TEMPLATES: [(&str, &str); 8] = [
    ("base.html", include_str!("../templates/base.html")),
    ("lobby.html", include_str!("../templates/lobby.html")),
    ("room-card.html", include_str!("../templates/room-card.html")),
    ("new-room.html", include_str!("../templates/new-room.html")),
    ("entrance.html", include_str!("../templates/entrance.html")),
    ("room.html", include_str!("../templates/room.html")),
    ("message.html", include_str!("../templates/message.html")),
    ("error.html", include_str!("../templates/error.html")),
];

/// Turns values into pages. Whatever a visitor typed is escaped on the way.
pub(crate) struct Pages(Tera);

impl Pages {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut tera = Tera::new();
        tera.add_raw_templates(TEMPLATES)?;
        Ok(Self(tera))
    }

    /// The page that `template` makes of `values`.
    pub(crate) fn render(
        &self,
        template: &str,
        values: &impl Serialize,
    ) -> Result<Html<String>, AppError> {
        let context = Context::from_serialize(values)?;
        Ok(Html(self.0.render(template, &context)?))
    }
}

/// What `lobby.html` shows.
#[derive(Serialize)]
struct LobbyPage {
    you: Colour,
    rooms: Vec<Room>,
    /// What the script makes cards of.
    blank: Room,
}

/// What `new-room.html` shows.
#[derive(Serialize)]
struct NewRoomPage {
    form: RoomForm,
    faults: RoomFaults,
}

/// What `room.html` shows.
#[derive(Serialize)]
struct RoomPage {
    room: Room,
    /// Whether whoever looks at the page may delete it.
    mine: bool,
    messages: Vec<MessageView>,
    /// What the script makes messages of.
    blank: MessageView,
}

pub(crate) fn routes(key: Key) -> Router<AppState> {
    let pages = Router::new()
        .route("/", get(show_lobby))
        .route("/room", get(show_form))
        .route(
            "/room",
            post(create_room).layer(from_fn_with_state(MAX_FORM, body::read_on)),
        )
        .route("/room/{id}", get(show_room))
        .merge(entrance::routes())
        .layer(from_fn_with_state(key, visitor::welcome));
    pages
        .route("/room/{id}", delete(delete_room).layer(from_fn(error::as_json)))
        .route("/assets/lobby.js", get(script(include_str!("../static/lobby.js"))))
        .route("/assets/room.js", get(script(include_str!("../static/room.js"))))
        .route("/assets/colours.js", get(script(include_str!("../static/colours.js"))))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

/// `GET /`: the list, as it is now. A script keeps it up to date.
async fn show_lobby(
    State(lobby): State<Arc<Lobby>>,
    State(pages): State<Arc<Pages>>,
    visitor: Visitor,
) -> Result<Html<String>, AppError> {
    let page = LobbyPage {
        you: visitor.colour(),
        rooms: lobby.rooms().await,
        blank: Room::blank(),
    };
    pages.render("lobby.html", &page)
}

/// `GET /room`: the form.
async fn show_form(State(pages): State<Arc<Pages>>) -> Result<Html<String>, AppError> {
    let page = NewRoomPage { form: RoomForm::blank(), faults: RoomFaults::default() };
    pages.render("new-room.html", &page)
}

/// `POST /room`: makes a room, and shows the way to it. See Other turns the reload of the
/// next page into a GET: nobody makes a second room by accident.
async fn create_room(
    State(pages): State<Arc<Pages>>,
    State(passwords): State<Passwords>,
    State(presence): State<Arc<Presence>>,
    visitor: Visitor,
    form: Result<Form<RoomForm>, FormRejection>,
) -> Result<Response, AppError> {
    let form = read_form(form)?;
    let mut new = match form.check() {
        Ok(new) => new,
        Err(faults) => {
            let page = pages.render("new-room.html", &NewRoomPage { form, faults })?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let password = match new.password.take() {
        Some(password) => Some(passwords.turn().await?.hash(password).await?),
        None => None,
    };
    let id = whole(async move { presence.create(new, password, visitor).await }).await?;
    Ok(Redirect::to(&format!("/room/{id}")).into_response())
}

/// A body that is no form is a form with nothing in it: the faults say what is missing.
pub(crate) fn read_form<F: Default>(
    form: Result<Form<F>, FormRejection>,
) -> Result<F, AppError> {
    match form {
        Ok(Form(form)) => Ok(form),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(AppError::TooLarge)
        }
        Err(_) => Ok(F::default()),
    }
}

/// `GET /room/ID`: the room.
async fn show_room(
    State(pages): State<Arc<Pages>>,
    State(presence): State<Arc<Presence>>,
    visitor: Visitor,
    id: RoomId,
) -> Result<Response, AppError> {
    let view = presence.look(id, visitor).await.ok_or(AppError::NoSuchRoom)?;
    match view.admitted {
        Ok(()) => {}
        Err(NoSeat::Forbidden) => return entrance::ask(&pages, view.room, None),
        Err(no_seat) => return Err(no_seat.into()),
    }
    let page = RoomPage {
        room: view.room,
        mine: view.mine,
        messages: presence.read(id, visitor, Stretch::Last).await?,
        blank: MessageView::blank(id),
    };
    let page = pages.render("room.html", &page)?;
    // What was said in a room is not left behind in a cache.
    Ok(([(header::CACHE_CONTROL, "no-store")], page).into_response())
}

/// `DELETE /room/ID`: the end of a room, for who made it.
async fn delete_room(
    State(presence): State<Arc<Presence>>,
    visitor: Option<Visitor>,
    id: RoomId,
) -> Result<StatusCode, AppError> {
    whole(async move { presence.delete(id, visitor).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A script, as an answer. `no-cache`: it may be kept, and is asked for at every visit.
fn script(source: &'static str) -> impl IntoResponse + Clone + Send + Sync + 'static {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, source)
}
