//! Builds the workbook's tests, and runs each in a process of its own.
//!
//! `cargo test` runs one test program after the other and stops at the first that fails. Here
//! all tests of all programs wait side by side, one that crashes or hangs takes no other with
//! it, and how it ended is an exit code and not a line in a log.

mod built;
mod case;
mod run;

pub use built::{Built, KEPT, TestProgram, build, everything, program};
pub use case::{Case, cases};
pub use run::{End, Ended, Plan, run};
