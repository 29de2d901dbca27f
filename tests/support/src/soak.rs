//! Promises about many tries: a tenth of them in a run of all tests, and all of them when
//! `WORKBOOK_SOAK=1` asks for that.

/// How many of `all` tries are made in this run.
pub fn times(all: usize) -> usize {
    if std::env::var("WORKBOOK_SOAK").is_ok_and(|soak| soak == "1") {
        all
    } else {
        all / 10
    }
}
