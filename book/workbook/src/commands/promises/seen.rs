//! What a failed test said, in one sentence.

/// The longest value or message that is repeated.
const MOST: usize = 60;

/// What was seen instead of what was promised.
pub(super) fn seen(said: &str) -> String {
    let said = without_logs(said);
    let mut lines = said.iter().copied();
    let first = lines.next().unwrap_or("the test ended without a word").trim();
    if let Some(rest) = first.strip_prefix("assertion `left ") {
        let (is, message) = rest.split_once("right` failed").unwrap_or((rest, ""));
        return compared(is.trim(), message.trim_start_matches(':'), &said[1..]);
    }
    if let Some((_, limit)) = first.split_once("took longer than ") {
        let limit = limit.split(',').next().unwrap_or(limit);
        return format!("the test had not ended after {limit}");
    }
    match first.strip_prefix("assertion failed: ") {
        Some(condition) => format!("this is not so: {condition}"),
        None => first.to_owned(),
    }
}

/// Our tests compare what they saw, on the left, with what was promised.
fn compared(is: &str, message: &str, rest: &[&str]) -> String {
    let side = |name: &str| {
        let value = rest.iter().find_map(|line| line.trim().strip_prefix(name));
        clipped(value.unwrap_or_default().trim())
    };
    let (left, right) = (side("left:"), side("right:"));
    let values = match is {
        "==" => format!("saw {left} instead of {right}"),
        _ => format!("saw {left}, which must be something else"),
    };
    let more = rest.iter().take_while(|line| !line.trim().starts_with("left:"));
    let message: Vec<&str> = [message].into_iter().chain(more.copied()).collect();
    let message = message.join(" ");
    match message.trim() {
        "" => values,
        message => format!("{values} ({})", clipped(message)),
    }
}

/// The lines of a test, without the log of the program that it started.
fn without_logs(said: &str) -> Vec<&str> {
    let mut in_log = false;
    let ours = said.lines().filter(|line| {
        let was_in_log = in_log;
        in_log = line.starts_with("--- log of ") || (in_log && *line != "---");
        !was_in_log && !in_log && !line.trim().is_empty()
    });
    ours.collect()
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::seen;

    #[test]
    fn a_comparison_says_what_was_seen_and_what_was_promised() {
        let said = "assertion `left == right` failed\n  left: 404\n right: 200";
        assert_eq!(seen(said), "saw 404 instead of 200");
        let said = "assertion `left == right` failed: by polling:\nno\n  left: 404\n right: 200\n";
        assert_eq!(seen(said), "saw 404 instead of 200 (by polling: no)");
        let said = "assertion `left != right` failed\n  left: \"a\"\n right: \"a\"";
        assert_eq!(seen(said), "saw \"a\", which must be something else");
        let long = format!(
            "assertion `left == right` failed\n  left: {}\n right: 1",
            "é".repeat(99)
        );
        assert_eq!(seen(&long), format!("saw {}… instead of 1", "é".repeat(60)));
    }

    #[test]
    fn everything_else_is_its_first_line_without_logs() {
        let said =
            "--- log of 127.0.0.1:1\nlistening\n---\nwaited 3s in vain for a pong\nmore";
        assert_eq!(seen(said), "waited 3s in vain for a pong");
        assert_eq!(seen("assertion failed: a < b"), "this is not so: a < b");
        assert_eq!(
            seen("took longer than 20s, and was ended\nx"),
            "the test had not ended after 20s"
        );
        assert_eq!(seen(""), "the test ended without a word");
    }
}
