//! Passwords: kept as hashes that are slow to guess, and computed where nobody waits for it.

use std::sync::Arc;

use argon2::{
    Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash,
};
use serde::Deserialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use crate::error::AppError;

/// The longest password, in characters.
const MAX_PASSWORD: usize = 128;
/// Hashes that are computed at once. Each takes a core, and nineteen mebibytes.
const AT_ONCE: usize = 2;
/// Those who may wait for their turn. Whoever comes then is told to come back.
const QUEUE: usize = 8;

/// A password, as it was typed. Nothing prints it: no `Debug`, no `Display`, no `Serialize`.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Password(String);

impl Password {
    /// Whether nobody typed one.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is longer than any password of ours. Then there is nothing to compute.
    pub(crate) fn is_too_long(&self) -> bool {
        self.0.chars().count() > MAX_PASSWORD
    }
}

/// A queue for the two cores that passwords may take.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// Leave to compute one hash, now.
pub(crate) struct Turn {
    _turn: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(AT_ONCE + QUEUE)),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    ///
    /// `Busy` at once, if too many are waiting.
    pub(crate) async fn turn(&self) -> Result<Turn, AppError> {
        let place = self.queue.clone().try_acquire_owned().map_err(|_| AppError::Busy)?;
        let turn = self.turns.clone().acquire_owned().await?;
        Ok(Turn { _turn: turn, _place: place })
    }
}

impl Turn {
    /// The hash to keep, as a PHC string. Argon2id with the crate's parameters, which are
    /// those of OWASP: 19 MiB, two passes.
    pub(crate) async fn hash(self, password: Password) -> Result<String, AppError> {
        self.compute(move || {
            let hash = Argon2::default().hash_password(password.0.as_bytes())?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether this is the password that the hash was made of.
    pub(crate) async fn verify(
        self,
        password: Password,
        hash: String,
    ) -> Result<bool, AppError> {
        self.compute(move || {
            let hash = PasswordHash::new(&hash)?;
            Ok(Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok())
        })
        .await
    }

    /// On a thread that may be busy for long. The turn goes along: it is over when the work
    /// is, also if whoever asked has hung up.
    async fn compute<T: Send + 'static>(
        self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, AppError> {
        let work = move || {
            let result = work();
            drop(self);
            result
        };
        Ok(spawn_blocking(work).await??)
    }
}
