//! Servers as processes, and what the kernel knows of them.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

/// A server's program.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a program, and waits until it says where it listens.
    pub(crate) fn start(program: &Program) -> Result<Self> {
        let what = program.path.display().to_string();
        let mut process = Command::new(&program.path)
            .args(&program.arguments)
            .env("PORT", "0")
            .env_remove("HOST")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Both sides log each connection, as they do for a reader. Nobody reads it here.
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {what}"))?;
        let output = process.stdout.take().context("BUG: piped")?;
        let mut first = String::new();
        BufReader::new(output).read_line(&mut first)?;
        let address = first.trim_end().strip_prefix("listening on http://");
        let address =
            address.with_context(|| format!("{what} did not start: {first:?}"))?;
        Ok(Self { address: address.parse()?, process })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// CPU time that the threads of a process have used, all together. To the nanosecond, where
/// a clock tick of 10 ms would be the whole measurement. The kernel forgets a thread that
/// ends: subtract with care.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let mut sum = 0;
    for thread in
        fs::read_dir(format!("/proc/{pid}/task")).context("the server has ended")?
    {
        let text = fs::read_to_string(thread?.path().join("schedstat"));
        // A thread may end while the others are being asked.
        let Ok(text) = text else { continue };
        let on_cpu = text.split(' ').next().unwrap_or_default();
        sum += on_cpu.parse::<u64>().context("the kernel keeps no schedstat")?;
    }
    ensure!(sum > 0, "the kernel keeps no schedstat");
    Ok(Duration::from_nanos(sum))
}

/// Resident memory in bytes.
pub(crate) fn memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib =
        line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmRSS")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

/// Allows this process, and those that it starts, as many open files as it may have.
/// Returns how many.
#[cfg(unix)]
pub(crate) fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    let raised = setrlimit(Resource::Nofile, limit).map_or(before, |()| limit.maximum);
    raised.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
pub(crate) fn raise_file_limit() -> u64 {
    u64::MAX
}

/// The machine, as the page names it.
pub(crate) fn machine() -> measured::Machine {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let kib = field(&read("/proc/meminfo"), "MemTotal");
    let kib: f64 = kib.trim_end_matches(" kB").parse().unwrap_or(0.0);
    let release = read("/proc/sys/kernel/osrelease");
    let release = release.split('-').next().unwrap_or_default().trim().to_owned();
    measured::Machine {
        cpu: field(&read("/proc/cpuinfo"), "model name"),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory: (kib / 1024.0 / 1024.0).ceil() as u64,
        system: format!("Linux {release}"),
    }
}

/// How busy the machine was in the minute before, if it had more to do than it has cores.
pub(crate) fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = text.split(' ').next()?.parse().ok()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (load > cores as f64).then_some(load)
}

/// What a program prints, in one line.
pub(crate) fn said(program: &str, argument: &str, folder: &Path) -> Result<String> {
    let output = Command::new(program)
        .arg(argument)
        .current_dir(folder)
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program} {argument} failed");
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
