//! What a browser gets, asked over a real connection.

use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{CLIENT, MISSING, VERSION, client_routes, routes};

/// The scripts, each of which names its source map in its last line.
const SCRIPTS: [&str; 3] = [
    "/socket.io/socket.io.js",
    "/socket.io/socket.io.min.js",
    "/socket.io/socket.io.msgpack.min.js",
];

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The text, of a file that must be there. Without the client the test fails with
    /// the sentence that says how to get it.
    #[track_caller]
    fn text(&self) -> &str {
        let text = str::from_utf8(&self.body).unwrap();
        assert_eq!(self.status, 200, "{text}");
        text
    }
}

/// Sends one request, written by hand, and reads until the server closes.
async fn ask(app: Router, method: &str, path: &str, headers: &[&str]) -> Answer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, app).into_future());

    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for header in headers {
        request += &format!("{header}\r\n");
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    server.abort();

    let split = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = str::from_utf8(&answer[..split]).unwrap().to_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: answer[split + 4..].to_vec() }
}

async fn get(path: &str) -> Answer {
    ask(routes(), "GET", path, &[]).await
}

#[tokio::test]
async fn the_client_is_the_pinned_version() {
    for script in SCRIPTS {
        let answer = get(script).await;
        assert!(answer.text().starts_with("/*!\n * Socket.IO v4.8.4\n"), "{script}");
    }
    assert_eq!(VERSION, "4.8.4");
}

#[tokio::test]
async fn every_script_finds_its_source_map() {
    for script in SCRIPTS {
        let answer = get(script).await;
        let map =
            answer.text().trim_end().rsplit_once("//# sourceMappingURL=").unwrap().1;
        let map = get(&format!("/socket.io/{map}")).await;
        assert!(map.text().starts_with('{'), "{script}");
        assert_eq!(map.header("content-type"), Some("application/json; charset=utf-8"));
    }
}

#[tokio::test]
async fn all_files_say_what_they_are_and_how_long_they_last() {
    for (path, kind) in [
        (SCRIPTS[0], "application/javascript; charset=utf-8"),
        (SCRIPTS[1], "application/javascript; charset=utf-8"),
        (SCRIPTS[2], "application/javascript; charset=utf-8"),
        ("/workbook/wire-panel.js", "application/javascript; charset=utf-8"),
        ("/workbook/page.css", "text/css; charset=utf-8"),
        ("/workbook/chat.css", "text/css; charset=utf-8"),
        ("/workbook/chat.svg", "image/svg+xml"),
    ] {
        let answer = get(path).await;
        assert!(!answer.text().is_empty(), "{path}");
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=0"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

#[tokio::test]
async fn a_browser_that_has_the_file_gets_304_and_no_body() {
    let ours = ["wire-panel.js", "page.css", "chat.css", "chat.svg"];
    let ours = ours.map(|name| format!("/workbook/{name}"));
    for path in ours.iter().map(String::as_str).chain([SCRIPTS[0]]) {
        let first = get(path).await;
        let tag = first.header("etag").unwrap_or_else(|| panic!("{}", first.text()));
        for tags in [
            tag.to_owned(),
            format!("W/{tag}"),
            format!("\"old\", {tag}"),
            format!("\"old\",W/{tag} , \"older\""),
            "*".to_owned(),
        ] {
            let again =
                ask(routes(), "GET", path, &[&format!("if-none-match: {tags}")]).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {tags}");
            assert_eq!(again.header("etag"), Some(tag), "{path} {tags}");
        }
    }
}

#[tokio::test]
async fn a_browser_that_has_another_file_gets_this_one() {
    for tags in ["\"4.8.3\"", "W/\"4.8.3\", \"x\"", "4.8.4", "\"a,4.8.4\"", ""] {
        let header = format!("if-none-match: {tags}");
        let answer = ask(routes(), "GET", SCRIPTS[0], &[&header]).await;
        assert!(answer.text().starts_with("/*!"), "{tags}");
    }
}

#[tokio::test]
async fn the_tag_of_the_client_is_its_version_as_in_node() {
    let answer = get(SCRIPTS[0]).await;
    answer.text();
    assert_eq!(answer.header("etag"), Some("\"4.8.4\""));
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    for path in [SCRIPTS[0], "/workbook/page.css"] {
        let full = get(path).await;
        full.text();
        let head = ask(routes(), "HEAD", path, &[]).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(name), full.header(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    for path in [SCRIPTS[0], "/socket.io/socket.io.js.map", "/workbook/wire-panel.js"] {
        for method in ["POST", "PUT", "DELETE"] {
            let answer = ask(routes(), method, path, &["content-length: 0"]).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET,HEAD"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn nothing_else_is_served() {
    for path in
        ["/socket.io/", "/socket.io/socket.io.esm.min.js", "/workbook/", "/package.json"]
    {
        assert_eq!(get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_build_without_the_client_says_what_to_do() {
    for (name, _) in CLIENT {
        let app = client_routes([(name, None)]);
        let answer =
            ask(app, "GET", &format!("/socket.io/{name}"), &["if-none-match: *"]).await;
        assert_eq!(answer.status, 503, "{name}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(str::from_utf8(&answer.body).unwrap(), MISSING);
    }
    assert!(
        MISSING.contains("Install Node.js")
            && MISSING.contains("`cargo workbook client`")
    );
}
