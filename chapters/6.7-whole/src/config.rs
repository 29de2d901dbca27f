//! What can be set from outside, and the folder that the data is in.

use std::{
    env,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use axum_extra::extract::cookie::Key;

/// Settings from a file, for those who do not want to type them at every start.
const DOTENV: &str = ".env";

/// Adds what `.env` in the working directory sets, and the environment does not.
///
/// # Safety of the process
///
/// Changes the environment, which other threads may be reading: to be called before there
/// are any.
pub(crate) fn read_dotenv() -> anyhow::Result<()> {
    match dotenvy::from_path(Path::new(DOTENV)) {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        // The error would quote the line, and the line may be the secret.
        Err(_) => bail!("{DOTENV} cannot be read: each line must be NAME=value"),
    }
}

/// The shortest secret that is one.
const MIN_SECRET: usize = 32;

/// How long things wait.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// A visitor without a tab keeps the seat: a reload is not leaving.
    pub(crate) leave_grace: Duration,
    /// A room that was left waits for somebody to come back.
    pub(crate) empty_room: Duration,
    /// A room that nobody has joined yet, in this process, waits for the first.
    pub(crate) abandoned_room: Duration,
}

impl Times {
    /// From the environment, in milliseconds.
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        Ok(Self {
            leave_grace: milliseconds("LEAVE_GRACE_MS", 2_000)?,
            empty_room: milliseconds("EMPTY_ROOM_MS", 10_000)?,
            abandoned_room: milliseconds("ABANDONED_ROOM_MS", 60_000)?,
        })
    }
}

/// `u32` is enough for seven weeks.
fn milliseconds(name: &str, default: u32) -> anyhow::Result<Duration> {
    let value = match env::var(name) {
        Ok(value) => value.parse().ok(),
        Err(env::VarError::NotPresent) => Some(default),
        Err(env::VarError::NotUnicode(_)) => None,
    };
    let Some(value) = value else {
        bail!("{name} must be a number of milliseconds, at most {}", u32::MAX);
    };
    Ok(Duration::from_millis(value.into()))
}

/// The folder for everything that outlives the process. It is locked: two processes on the
/// same data would each believe they know who is where.
pub(crate) struct DataDir {
    path: PathBuf,
    /// The lock goes when the file is closed, and that even `kill -9` cannot prevent.
    _lock: File,
}

impl DataDir {
    /// Opens and locks `DATA_DIR`, or `data` in this chapter's folder. Makes it if need be.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let path = env::var_os("DATA_DIR").filter(|value| !value.is_empty()).map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("data"),
            PathBuf::from,
        );
        let unusable = || format!("DATA_DIR {} cannot be used", path.display());
        fs::create_dir_all(&path).with_context(unusable)?;
        let lock = File::create(path.join("lock")).with_context(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(anyhow!("DATA_DIR {} is in use by another process", path.display()))
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(unusable),
        }
    }

    /// The key that signs the cookies: from `COOKIE_SECRET`, or one that was made at the
    /// first start. With another key every visitor is a stranger, and nobody owns a room.
    pub(crate) fn cookie_key(&self) -> anyhow::Result<Key> {
        let secret = match env::var_os("COOKIE_SECRET").filter(|value| !value.is_empty())
        {
            Some(secret) => secret.into_encoded_bytes(),
            None => self.kept_secret().context("the cookies' secret cannot be kept")?,
        };
        if secret.len() < MIN_SECRET {
            // Not even a bad secret belongs in a message.
            bail!("COOKIE_SECRET must be at least {MIN_SECRET} bytes long");
        }
        Ok(Key::derive_from(&secret))
    }

    /// The secret from the last start, or a new one for the next.
    fn kept_secret(&self) -> io::Result<Vec<u8>> {
        let path = self.path.join("cookie-secret");
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            kept => return kept,
        }
        // Under another name until it is whole: the process may be killed at any moment.
        let unfinished = self.path.join("cookie-secret.new");
        let secret = Key::generate().master().to_vec();
        let mut file = for_the_owner_only().open(&unfinished)?;
        file.write_all(&secret)?;
        fs::rename(&unfinished, &path)?;
        Ok(secret)
    }

    /// The folder of GIFs.
    pub(crate) fn gifs(&self) -> PathBuf {
        self.path.join("gifs")
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("gif-chat.db")
    }
}

/// How a file is opened that other users of this machine cannot read.
fn for_the_owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
