//! What the program says when it cannot build.

use std::process::Command;

#[test]
fn a_folder_without_a_book_is_one_sentence_and_1() {
    let empty = tempfile::tempdir().expect("a folder for temporary files");
    let mut builder = Command::new(env!("CARGO_BIN_EXE_book"));
    let output = builder.arg(empty.path()).args(["-", "-"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("book: "), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
