//! The promises of chapter 4, over the wire.
