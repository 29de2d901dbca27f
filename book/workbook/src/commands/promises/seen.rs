//! What a failed test said, in one sentence.

/// The longest value or message that is repeated.
const MOST: usize = 60;

/// What was seen instead of what was promised: the cause, by which promises are grouped, and
/// what else the test said.
pub(super) fn seen(said: &str) -> (String, String) {
    let said = without_logs(said);
    let first = said.first().copied().unwrap_or("the test ended without a word");
    if let Some(rest) = first.strip_prefix("assertion `left ") {
        let (is, message) = rest.split_once("right` failed").unwrap_or((rest, ""));
        let message = message.trim_start_matches(':');
        return (compared(is.trim(), message, &said[1..]), String::new());
    }
    if let Some((_, limit)) = first.split_once("took longer than ") {
        let limit = limit.split(',').next().unwrap_or(limit);
        return (format!("the test had not ended after {limit}"), String::new());
    }
    if let Some(condition) = first.strip_prefix("assertion failed: ") {
        return (format!("this is not so: {condition}"), String::new());
    }
    // `waited in vain for a packet 430; there came [`, and a packet a line.
    let all = said.join(" ");
    let (cause, more) = all.split_once("; ").unwrap_or((first, ""));
    let cause = if cause.len() < first.len() { cause } else { first };
    (without_ids(cause), more.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The same cause has another id in every session.
fn without_ids(text: &str) -> String {
    let Some((before, rest)) = text.split_once("sid=") else { return text.to_owned() };
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
    format!("{before}sid=…{}", end.map_or("", |end| &rest[end..]))
}

/// Our tests compare what they saw, on the left, with what was promised.
fn compared(is: &str, message: &str, rest: &[&str]) -> String {
    let side = |name: &str| {
        let value = rest.iter().find_map(|line| line.strip_prefix(name));
        clipped(bare(value.unwrap_or_default().trim()))
    };
    let (left, right) = (side("left:"), side("right:"));
    let values = match is {
        "==" => format!("saw {left} instead of {right}"),
        _ => format!("saw {left}, which must be something else"),
    };
    let more = rest.iter().take_while(|line| !line.starts_with("left:"));
    let message: Vec<&str> = [message].into_iter().chain(more.copied()).collect();
    let message = message.join(" ");
    match message.trim() {
        "" => values,
        message => format!("{values} ({})", clipped(message)),
    }
}

/// A value of JSON as JSON writes it.
fn bare(value: &str) -> &str {
    let inner = ["Number(", "String(", "Bool("].into_iter();
    let inner =
        inner.filter_map(|kind| value.strip_prefix(kind)?.strip_suffix(')')).next();
    inner.unwrap_or(value)
}

/// The lines of a test, without the log of the program that it started.
fn without_logs(said: &str) -> Vec<&str> {
    let mut in_log = false;
    let ours = said.lines().filter(|line| {
        let was_in_log = in_log;
        in_log = line.starts_with("--- log of ") || (in_log && *line != "---");
        !was_in_log && !in_log && !line.trim().is_empty()
    });
    ours.map(str::trim).collect()
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

    fn cause(said: &str) -> String {
        seen(said).0
    }

    #[test]
    fn a_comparison_says_what_was_seen_and_what_was_promised() {
        let said = "assertion `left == right` failed\n  left: 404\n right: 200";
        assert_eq!(cause(said), "saw 404 instead of 200");
        let said = "assertion `left == right` failed: by polling:\nno\n  left: 404\n right: 200\n";
        assert_eq!(cause(said), "saw 404 instead of 200 (by polling: no)");
        let said = "assertion `left == right` failed\n  left: Number(1)\n right: 2";
        assert_eq!(cause(said), "saw 1 instead of 2");
        let said = "assertion `left != right` failed\n  left: \"a\"\n right: \"a\"";
        assert_eq!(cause(said), "saw \"a\", which must be something else");
        let long = "é".repeat(99);
        let said = format!("assertion `left == right` failed\n  left: {long}\n right: 1");
        assert_eq!(cause(&said), format!("saw {}… instead of 1", "é".repeat(60)));
    }

    #[test]
    fn everything_else_is_its_first_line_without_logs_and_ids() {
        let said =
            "--- log of 127.0.0.1:1\nlistening\n---\nwaited 3s in vain for a pong\nmore";
        assert_eq!(cause(said), "waited 3s in vain for a pong");
        assert_eq!(cause("assertion failed: a < b"), "this is not so: a < b");
        assert_eq!(
            cause("took longer than 20s, and was ended\nx"),
            "the test had not ended after 20s"
        );
        assert_eq!(cause(""), "the test ended without a word");
        assert_eq!(
            cause("no answer to /?sid=aB3_-x&eio=4 at all"),
            "no answer to /?sid=…&eio=4 at all"
        );
    }

    #[test]
    fn a_list_of_what_came_is_not_the_cause() {
        let said =
            "waited in vain for a packet 430; there came [\n    \"0\",\n    \"2\",\n]";
        let (cause, more) = seen(said);
        assert_eq!(cause, "waited in vain for a packet 430");
        assert_eq!(more, "there came [ \"0\", \"2\", ]");
    }
}
