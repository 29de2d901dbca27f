//! Listeners: async functions that take the same extractors as the library's own handlers.

use std::{future::Future, pin::Pin, sync::Arc};

use socketioxide::{adapter::LocalAdapter, handler::FromMessageParts};

use crate::packets::Packet;

/// A listener at work.
pub(crate) type Running<Out> = Pin<Box<dyn Future<Output = Out> + Send>>;

/// A listener whose arguments are no longer anybody's business.
pub(crate) type Stored<Out> = Arc<dyn Fn(&Packet) -> Option<Running<Out>> + Send + Sync>;

/// An async function whose arguments can be taken from a packet.
pub(crate) trait Listener<Args, Out>: Send + Sync + 'static {
    /// Starts to work, or returns nothing if an argument cannot be had.
    fn start(&self, packet: &Packet) -> Option<Running<Out>>;
}

/// Puts a listener where listeners with other arguments are.
pub(crate) fn store<Args, Out>(listener: impl Listener<Args, Out>) -> Stored<Out> {
    Arc::new(move |packet| listener.start(packet))
}

macro_rules! listener {
    ($($arg:ident),+) => {
        impl<F, Fut, Out, $($arg),+> Listener<($($arg,)+), Out> for F
        where
            F: Fn($($arg),+) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Out> + Send + 'static,
            $($arg: FromMessageParts<LocalAdapter>),+
        {
            fn start(&self, packet: &Packet) -> Option<Running<Out>> {
                Some(Box::pin(self($(packet.extract::<$arg>()?),+)))
            }
        }
    };
}

listener!(A);
listener!(A, B);
listener!(A, B, C);
