//! Socket.IO: events instead of frames
fn main() {}
