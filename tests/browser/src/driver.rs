//! chromedriver's process, and the browser that it starts.

use std::{
    path::Path,
    process::{Command as Blocking, Stdio},
};

use support::within;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// chromedriver with its browser and the browser's profile. All three are gone when this is
/// dropped, and on Unix the two processes are even when this process is killed.
#[derive(Debug)]
pub(crate) struct Driver {
    process: Child,
    profile: TempDir,
}

/// Ends the group when this process ends in any way: `read` returns when the pipe to its
/// standard input is closed. And ends it with chromedriver.
#[cfg(unix)]
const UNTIL_WE_END: &str =
    r#"{ "$0" --port=0 < /dev/null; kill -KILL 0; } & read -r end; kill -KILL 0"#;

/// chromedriver takes a free port for IPv4, and ends if the same one is not free for IPv6.
/// On a machine with many connections that happens.
const TRIES: usize = 10;

impl Driver {
    /// Starts chromedriver on a port of its own choice, and returns that.
    ///
    /// # Panics
    /// If it does not come to that.
    pub(crate) async fn start(chromedriver: &Path) -> (Self, u16) {
        for _ in 0..TRIES {
            let mut driver = Self::spawn(chromedriver);
            let output = driver.process.stdout.take().expect("BUG: piped");
            let port = within("chromedriver to say its port", port(output)).await;
            if let Some(port) = port {
                return (driver, port);
            }
        }
        panic!("chromedriver ended {TRIES} times before it had a port");
    }

    fn spawn(chromedriver: &Path) -> Self {
        #[cfg(unix)]
        let mut command = {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(UNTIL_WE_END).arg(chromedriver);
            // The browser joins this group, and can be ended with it.
            shell.process_group(0);
            shell
        };
        #[cfg(not(unix))]
        let mut command = {
            let mut driver = Command::new(chromedriver);
            driver.arg("--port=0");
            driver
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let process = command.kill_on_drop(true).spawn();
        let process = process.expect("BUG: chromedriver has just been found");
        let profile = TempDir::with_prefix("workbook-browser-");
        let profile = profile.expect("a folder for temporary files");
        // From here on whatever fails also ends the processes.
        Self { process, profile }
    }

    /// The folder of the browser's profile.
    pub(crate) fn profile(&self) -> &Path {
        self.profile.path()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Not by a polite command over the wire: this also runs while a test panics.
        let Some(pid) = self.process.id() else { return };
        let mut kill = if cfg!(windows) {
            let mut kill = Blocking::new("taskkill");
            kill.args(["/T", "/F", "/PID", &pid.to_string()]);
            kill
        } else {
            let mut kill = Blocking::new("kill");
            kill.args(["-KILL", "--", &format!("-{pid}")]);
            kill
        };
        kill.stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
    }
}

/// Reads chromedriver's output up to the line that names its port, and keeps reading, so
/// that it never writes into a closed pipe. Nothing if it ends before.
async fn port(output: impl tokio::io::AsyncRead + Unpin + Send + 'static) -> Option<u16> {
    let mut lines = BufReader::new(output).lines();
    let port = loop {
        let line = lines.next_line().await.expect("a readable pipe")?;
        let port = line.rsplit("on port ").next().map(|port| port.trim_end_matches('.'));
        if line.contains("started successfully")
            && let Some(port) = port.and_then(|port| port.parse().ok())
        {
            break port;
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Some(port)
}
