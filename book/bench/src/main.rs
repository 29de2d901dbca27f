//! Measures the chapters, their twins in Node, and a bare TCP fan-out, side by side.
//!
//! Run:  cargo workbook bench --quick

mod client;
mod fanout;
mod floor;
mod handshakes;
mod idle;
mod plan;
mod process;
mod programs;
mod report;
#[cfg(test)]
mod tests;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use lexopt::prelude::*;
use measured::{LOADS, Run, title};
use tokio::{net::TcpListener, time::sleep};

use crate::{
    idle::Holder,
    plan::{Kind, Step, Thoroughness, steps},
    process::{Program, Server, memory},
    programs::Programs,
    report::Report,
};

/// How long a server has been up before its memory counts as that of an idle one.
const SETTLE: Duration = Duration::from_millis(500);
/// Open files that a process needs besides its connections.
const OTHER_FILES: usize = 200;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(1)
        }
    }
}

async fn run() -> Result<()> {
    let files = process::raise_file_limit();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        // This program is also the floor, and the process that holds idle connections.
        ["floor"] => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            println!("listening on http://{}", listener.local_addr()?);
            Ok(floor::serve(listener).await?)
        }
        ["hold", address, dialect, count] => {
            idle::hold(address.parse()?, plan::dialect(dialect)?, count.parse()?).await
        }
        _ => measure(Options::read()?, files).await,
    }
}

/// What was asked for. `cargo workbook bench` has the same options and explains them.
struct Options {
    root: PathBuf,
    how: Thoroughness,
    out: Option<PathBuf>,
    only: Option<String>,
}

impl Options {
    fn read() -> Result<Self> {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let mut options =
            Self { root: here.into(), how: Thoroughness::Full, out: None, only: None };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("quick") => options.how = Thoroughness::Quick,
                Long("tiny") => options.how = Thoroughness::Tiny,
                Long("out") => options.out = Some(parser.value()?.into()),
                Long("only") => options.only = Some(parser.value()?.string()?),
                Long("root") => options.root = parser.value()?.into(),
                other => return Err(other.unexpected().into()),
            }
        }
        if let Some(only) = &options.only {
            title(&LOADS, only).context("--only")?;
        }
        Ok(options)
    }
}

async fn measure(options: Options, files: u64) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "this needs Linux: it reads CPU time from /proc");
    let mut steps = steps(options.how);
    if let Some(only) = &options.only {
        steps.retain(|step| step.load == only);
        ensure!(!steps.is_empty(), "a quick run has no {only}");
    }
    let programs = Programs::build(&options.root, &steps, options.how)?;
    let busy = process::load();
    let mut report = Report::default();
    for step in &mut steps {
        step.servers.retain(|(server, _)| programs.get(server).is_some());
        if let Kind::Idle(count, _) = step.kind
            && files < (count + OTHER_FILES) as u64
        {
            println!(
                "{} is left out: this process may open {files} files only",
                step.load
            );
            step.servers.clear();
        }
    }
    let rounds = steps.iter().map(|step| step.rounds).max().unwrap_or(0);
    // Round by round, and not load by load: what else the machine does in some minute then
    // touches one round of each and not all rounds of one.
    for round in 0..rounds {
        for step in steps.iter().filter(|step| round < step.rounds) {
            let mut step = step.clone();
            // Who comes first one time comes last the next.
            if round % 2 == 1 {
                step.servers.reverse();
            }
            println!(
                "round {} of {}: {}",
                round + 1,
                step.rounds,
                title(&LOADS, step.load)?
            );
            run_step(&step, &programs, &mut report).await.context(step.load)?;
        }
    }
    let run = Run {
        date: process::said("date", "+%F", &options.root)?,
        machine: process::machine(),
        versions: programs.versions.clone(),
        quick: options.how != Thoroughness::Full,
        busy,
        results: report.results(),
    };
    print!("\n{}", report::text(&run));
    if let Some(out) = &options.out {
        let text = serde_json::to_string_pretty(&run)? + "\n";
        std::fs::write(out, text)
            .with_context(|| format!("cannot write {}", out.display()))?;
        println!("\nWritten to {}.", out.display());
    }
    Ok(())
}

async fn run_step(step: &Step, programs: &Programs, report: &mut Report) -> Result<()> {
    match step.kind {
        Kind::FanOut(mut load) => {
            for (name, dialect) in &step.servers {
                load.dialect = *dialect;
                let server = start(programs, name)?;
                let outcome = fanout::drive(server.address, server.pid(), load);
                let outcome = outcome.await.with_context(|| (*name).to_owned())?;
                report.fan_out(step.load, name, &outcome);
            }
        }
        Kind::Handshakes(count) => {
            for (name, dialect) in &step.servers {
                let server = start(programs, name)?;
                let opened =
                    handshakes::drive(server.address, server.pid(), *dialect, count);
                let outcome = opened.await.with_context(|| (*name).to_owned())?;
                report.handshakes(step.load, name, &outcome);
            }
        }
        Kind::Idle(count, wait) => idle_all(step, count, wait, programs, report).await?,
    }
    Ok(())
}

fn start(programs: &Programs, name: &str) -> Result<Server> {
    let program: &Program = programs.get(name).context("BUG: left out before")?;
    Server::start(program)
}

/// All servers at the same time: none of them does anything.
async fn idle_all(
    step: &Step,
    count: usize,
    wait: Duration,
    programs: &Programs,
    report: &mut Report,
) -> Result<()> {
    let mut all = Vec::new();
    for (name, dialect) in &step.servers {
        all.push((*name, *dialect, start(programs, name)?));
    }
    sleep(SETTLE).await;
    let mut held = Vec::new();
    for (name, dialect, server) in all {
        let before = memory(server.pid())?;
        let address: SocketAddr = server.address;
        // One after the other: each server is alone with its handshakes.
        let holder = Holder::start(address, plan::name(dialect), count);
        held.push((name, server, holder.with_context(|| name.to_owned())?, before));
    }
    sleep(wait).await;
    for (name, server, holder, before) in held {
        let more = memory(server.pid())?.saturating_sub(before);
        report.idle(step.load, name, more as f64 / 1024.0 / count as f64);
        holder.finish().with_context(|| name.to_owned())?;
    }
    Ok(())
}
