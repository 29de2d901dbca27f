//! A WebSocket, raw
fn main() {}
