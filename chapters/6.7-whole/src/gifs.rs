//! The folder of GIFs: files come in under a name that nobody knows, and are kept once they
//! are known to be good.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::extract::multipart::Field;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use tokio::{
    fs::File, io::AsyncWriteExt, runtime::Handle, sync::Semaphore, task::spawn_blocking,
};
use tracing::warn;
use uuid::Uuid;

use crate::{error::AppError, inspect::inspect, upload::wrong_form};

/// Five mebibytes, and not a byte more.
pub(crate) const MAX_GIF: usize = 5 * 1024 * 1024;
/// Files that are decoded at once: each takes a core.
const AT_ONCE: usize = 2;

/// The name of a file in the folder. It is random: whoever knows it may see the GIF. What
/// the file was called elsewhere is never looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub(crate) struct GifName(String);

impl GifName {
    fn new() -> Self {
        Self(format!("{}.gif", Uuid::new_v4().simple()))
    }

    /// Reads a name. Nothing that could be a path is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = text.strip_suffix(".gif")?;
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (id.len() == 32 && id.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }
}

impl AsRef<Path> for GifName {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl ToSql for GifName {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for GifName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        String::column_result(value).map(Self)
    }
}

/// The folder.
pub(crate) struct Gifs {
    folder: PathBuf,
    turns: Arc<Semaphore>,
}

/// A file that is coming in. It is removed when this is dropped, unless it was kept.
pub(crate) struct Upload {
    path: PathBuf,
}

impl Drop for Upload {
    fn drop(&mut self) {
        // The runtime is gone only when the process is about to be. Then the next one sweeps.
        if let Ok(runtime) = Handle::try_current() {
            let path = std::mem::take(&mut self.path);
            // Not there any more if it was kept.
            runtime.spawn_blocking(move || fs::remove_file(path).ok());
        }
    }
}

impl Gifs {
    /// Opens the folder, and removes every file that no message has: what a killed process
    /// was receiving, and what it had not finished removing.
    pub(crate) fn open(folder: PathBuf, known: &HashSet<GifName>) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_str().and_then(GifName::parse);
            if !name.is_some_and(|name| known.contains(&name)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder, turns: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Where a GIF is, if it is there.
    pub(crate) fn path(&self, name: &GifName) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes what comes in to a file, piece by piece: it is never in memory as a whole.
    pub(crate) async fn receive(&self, mut field: Field<'_>) -> Result<Upload, AppError> {
        let (upload, mut file) = self.begin().await?;
        let mut size = 0;
        while let Some(piece) = field.chunk().await.map_err(wrong_form)? {
            size += piece.len();
            if size > MAX_GIF {
                return Err(AppError::TooLarge);
            }
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        Ok(upload)
    }

    /// Makes a file. In one go, and not at an `await`: whoever hangs up in the meantime would
    /// leave a file behind that nobody removes.
    async fn begin(&self) -> anyhow::Result<(Upload, File)> {
        let path = self.folder.join(format!("{}.part", Uuid::new_v4()));
        let begin = move || {
            let upload = Upload { path };
            fs::File::create_new(&upload.path).map(|file| (upload, file))
        };
        let (upload, file) = spawn_blocking(begin).await??;
        Ok((upload, File::from_std(file)))
    }

    /// Looks into the file, when it is its turn.
    pub(crate) async fn check(&self, upload: &Upload) -> Result<(), AppError> {
        let turn = self.turns.clone().acquire_owned().await?;
        let path = upload.path.clone();
        let work = move || {
            // The turn is over when the work is, also if whoever sent it has hung up.
            let _turn = turn;
            fs::read(path).map(|bytes| inspect(&bytes))
        };
        spawn_blocking(work).await??.map_err(AppError::NoGif)
    }

    /// Gives the file its name. Renaming is one step: there is no half of a GIF.
    pub(crate) async fn keep(&self, upload: Upload) -> io::Result<GifName> {
        let name = GifName::new();
        tokio::fs::rename(&upload.path, self.path(&name)).await?;
        Ok(name)
    }

    /// Removes files that no message has any more. One that is gone already, or that cannot
    /// be removed, keeps none of the others.
    pub(crate) async fn remove(&self, names: Vec<GifName>) {
        let paths: Vec<PathBuf> = names.iter().map(|name| self.path(name)).collect();
        let remove = move || {
            for error in paths.iter().filter_map(|path| fs::remove_file(path).err()) {
                // What stays behind now goes at the next start.
                warn!(%error, "a GIF cannot be removed");
            }
        };
        if let Err(error) = spawn_blocking(remove).await {
            warn!(%error, "removing GIFs has failed");
        }
    }
}
