//! A run from end to end, with loads so small that its numbers mean nothing.

use std::process::Command;

use measured::Run;

#[cfg(target_os = "linux")]
#[test]
fn a_tiny_run_measures_every_server_there_is_and_keeps_the_numbers() {
    let out = std::env::temp_dir().join(format!("tiny-run-{}.json", std::process::id()));
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--tiny", "--out"])
        .arg(&out)
        .output()
        .expect("it can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    let run = Run::read(&out).expect("a run that the book can show");
    std::fs::remove_file(&out).expect("it was just read");
    assert!(run.quick);
    // The floor is this program itself. Chapters and twins take part if they are there.
    for load in ["echo", "room-500", "rooms"] {
        let cpu = run.median(load, "floor", "cpu").expect("measured");
        assert!(cpu > 0.0, "{load}: {said}");
    }
    for result in &run.results {
        let lost = result.remarks.iter().any(|remark| remark.contains("deliveries"));
        assert!(!lost, "{}, {}: {:?}", result.load, result.server, result.remarks);
    }
    assert!(said.contains("500 rooms of 4"), "{said}");
}

#[test]
fn an_option_that_does_not_exist_is_refused() {
    for arguments in [&["--fast"][..], &["--only", "room-5"], &["--quick", "--only"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_bench")).args(arguments).output();
        let output = output.expect("it can be started");
        assert!(!output.status.success(), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}
