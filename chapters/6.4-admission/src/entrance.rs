//! The way into a secret room: its password, and what is done against guessing it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Form, Router,
    extract::{ConnectInfo, State, rejection::FormRejection},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::{
    AppState,
    error::AppError,
    pages::{self, Pages},
    passwords::{Password, Passwords},
    patience::Peer,
    presence::Presence,
    room::{Room, RoomId},
    store::Store,
    throttle::Throttle,
    visitor::Visitor,
    whole,
};

/// Wrong passwords in a minute: of one visitor, and of one address. A cookie is easily
/// thrown away, an address is not; but a whole office may share one.
const WRONG_BY_VISITOR: usize = 5;
const WRONG_BY_ADDRESS: usize = 30;
const MINUTE: Duration = Duration::from_secs(60);

/// Knows who may guess, and how often they have.
pub(crate) struct Doorkeeper {
    passwords: Passwords,
    store: Store,
    by_visitor: Throttle<Visitor>,
    by_address: Throttle<IpAddr>,
}

/// The form that asks for the password.
#[derive(Default, Deserialize)]
struct EntranceForm {
    #[serde(default)]
    password: Password,
}

/// What `entrance.html` shows.
#[derive(Serialize)]
struct EntrancePage {
    room: Room,
    fault: Option<&'static str>,
}

pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/room/{id}/enter", post(enter_room))
}

/// The page that asks for a password, for those who may not see the room without.
pub(crate) fn ask(
    pages: &Pages,
    room: Room,
    fault: Option<&'static str>,
) -> Result<Response, AppError> {
    let page = pages.render("entrance.html", &EntrancePage { room, fault })?;
    // An error with a page of its own. A script is told the sentence, like of any other.
    let (head, _) = AppError::NotAdmitted.into_response().into_parts();
    Ok((head, [(header::CACHE_CONTROL, "no-store")], page).into_response())
}

/// `POST /room/ID/enter`: lets in who knows the password.
async fn enter_room(
    State(doorkeeper): State<Arc<Doorkeeper>>,
    State(pages): State<Arc<Pages>>,
    State(presence): State<Arc<Presence>>,
    ConnectInfo(Peer(address)): ConnectInfo<Peer>,
    visitor: Visitor,
    id: RoomId,
    form: Result<Form<EntranceForm>, FormRejection>,
) -> Result<Response, AppError> {
    let view = presence.look(id, visitor).await.ok_or(AppError::NoSuchRoom)?;
    doorkeeper.check(visitor, address)?;
    // A body that is no form has no password in it, and that is not the right one.
    let EntranceForm { password } = pages::read_form(form)?;
    if !doorkeeper.hear(id, visitor, address, password).await? {
        info!(room = %id, "a wrong password");
        return ask(&pages, view.room, Some("That is not the password."));
    }
    whole(async move { presence.admit(id, visitor).await }).await?;
    Ok(Redirect::to(&format!("/room/{id}")).into_response())
}

impl Doorkeeper {
    pub(crate) fn new(passwords: Passwords, store: Store) -> Self {
        let by_visitor = Throttle::new(WRONG_BY_VISITOR, MINUTE);
        let by_address = Throttle::new(WRONG_BY_ADDRESS, MINUTE);
        Self { passwords, store, by_visitor, by_address }
    }

    /// Whether another guess is allowed at all. Whoever is throttled costs nothing.
    fn check(&self, visitor: Visitor, address: IpAddr) -> Result<(), AppError> {
        self.by_visitor.check(&visitor)?;
        self.by_address.check(&address)?;
        Ok(())
    }

    /// Whether this is the room's password; a room without one takes any. Until it is known
    /// to be right it counts as wrong: a hundred guesses at once get no further than five.
    async fn hear(
        &self,
        id: RoomId,
        visitor: Visitor,
        address: IpAddr,
        password: Password,
    ) -> Result<bool, AppError> {
        let Some(hash) = self.store.password(id).await? else { return Ok(true) };
        let turn = self.passwords.turn().await?;
        let of_visitor = self.by_visitor.count(visitor)?;
        let of_address = self.by_address.count(address)?;
        let right = !password.is_too_long() && turn.verify(password, hash).await?;
        if right {
            self.by_visitor.forgive(&visitor, of_visitor);
            self.by_address.forgive(&address, of_address);
        }
        Ok(right)
    }
}
