//! The promises of chapter 3, over the wire.
