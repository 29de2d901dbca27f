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
/// standard input is closed.
#[cfg(unix)]
const UNTIL_WE_END: &str = r#""$0" --port=0 < /dev/null & read -r end; kill -KILL 0"#;

impl Driver {
    /// Starts chromedriver on a port of its own choice, and returns that.
    pub(crate) async fn start(chromedriver: &Path) -> (Self, u16) {
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
        // From here on whatever fails also ends the process.
        let mut driver = Self { process, profile };
        let output = driver.process.stdout.take().expect("BUG: piped");
        let port = within("chromedriver to say its port", port(output)).await;
        (driver, port)
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
/// that it never writes into a closed pipe.
async fn port(output: impl tokio::io::AsyncRead + Unpin + Send + 'static) -> u16 {
    let mut lines = BufReader::new(output).lines();
    let port = loop {
        let line = lines.next_line().await.expect("a readable pipe");
        let line = line.expect("chromedriver names its port before it ends");
        let port = line.rsplit("on port ").next().map(|port| port.trim_end_matches('.'));
        if line.contains("started successfully")
            && let Some(port) = port.and_then(|port| port.parse().ok())
        {
            break port;
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    port
}
