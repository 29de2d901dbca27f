//! Middlewares in the order in which they are written.

use std::{fmt::Display, sync::Arc};

use socketioxide::{
    adapter::LocalAdapter,
    handler::{ConnectMiddleware, Value},
    socket::Socket,
};

/// Two middlewares of a namespace. The second one runs only if the first lets the client pass.
#[derive(Clone)]
pub(crate) struct Chain<First, Second>(First, Second);

/// Adds `then` to every middleware. The library's own `.with` wraps, as a layer does: of
/// `.with(a).with(b)` it is `b` that runs first.
pub(crate) trait Then<T>: ConnectMiddleware<LocalAdapter, T> {
    /// This middleware, and then the next one.
    fn then<Next>(self, next: Next) -> Chain<Self, Next> {
        Chain(self, next)
    }
}

impl<T, M: ConnectMiddleware<LocalAdapter, T>> Then<T> for M {}

impl<First, T, Second, U> ConnectMiddleware<LocalAdapter, (T, U)> for Chain<First, Second>
where
    First: ConnectMiddleware<LocalAdapter, T>,
    Second: ConnectMiddleware<LocalAdapter, U>,
{
    async fn call<'a>(
        &'a self,
        socket: Arc<Socket>,
        auth: &'a Option<Value>,
    ) -> Result<(), Box<dyn Display + Send>> {
        self.0.call(socket.clone(), auth).await?;
        self.1.call(socket, auth).await
    }
}
