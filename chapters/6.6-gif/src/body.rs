//! What is done with a body that nobody wants.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Error,
    body::{Body, BodyDataStream, Bytes},
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::Response,
};
use futures_util::{StreamExt, stream::poll_fn};
use tokio::time::timeout;

/// How long the rest of a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The layer that lets a refusal arrive: reads what the handler has left of the body, up to
/// twice what the handler may read, and throws it away.
///
/// A server that answers and closes while the other side still writes makes its kernel reset
/// the connection, and a browser then reports that instead of the answer.
pub(crate) async fn read_on(
    State(limit): State<usize>,
    request: Request,
    next: Next,
) -> Response {
    // Whoever waits for `100 Continue` has sent nothing yet, and need not.
    let waits = request.headers().contains_key(header::EXPECT);
    let (head, body) = request.into_parts();
    let lent = Lent::new(body);
    let request = Request::from_parts(head, lent.as_body());
    let response = next.run(request).await;
    if !(waits && lent.is_untouched()) {
        // Too slow or broken: then it is the answer that does not arrive.
        timeout(PATIENCE, lent.drain(2 * limit)).await.ok();
    }
    response
}

/// A body that a handler reads, and that is still there afterwards.
#[derive(Clone)]
struct Lent(Arc<Mutex<Rest>>);

struct Rest {
    stream: BodyDataStream,
    /// How many bytes have been read.
    read: usize,
}

impl Lent {
    fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Rest { stream: body.into_data_stream(), read: 0 })))
    }

    fn as_body(&self) -> Body {
        let lent = self.clone();
        Body::from_stream(poll_fn(move |context| lent.poll_next(context)))
    }

    fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let mut rest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = rest.stream.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(bytes))) = &next {
            rest.read += bytes.len();
        }
        next
    }

    fn read(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).read
    }

    fn is_untouched(&self) -> bool {
        self.read() == 0
    }

    async fn drain(&self, most: usize) {
        let mut rest = pin!(poll_fn(|context| self.poll_next(context)));
        while self.read() <= most {
            let Some(Ok(_)) = rest.next().await else { return };
        }
    }
}
