//! What can be set from outside, and the folder that the data is in.

use std::{
    env,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};

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

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("gif-chat.db")
    }
}
