//! The book's preprocessor, its checker, and the reader's commands
fn main() {}
