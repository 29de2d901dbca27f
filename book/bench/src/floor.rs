//! The floor: a fan-out over bare TCP, with no protocol to speak of. No server that does
//! more can be faster, so what the others need on top is what their protocols cost.

use std::{
    collections::HashMap,
    io::{self, ErrorKind},
    sync::{Arc, Mutex},
};

use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

type Rooms = Arc<Mutex<HashMap<u16, Arc<Mutex<Vec<Arc<TcpStream>>>>>>>;

/// Accepts connections for ever. The first two bytes of each are its room, and whatever
/// follows goes to everybody in it, the sender too.
pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let rooms = Rooms::default();
    loop {
        let (tcp, _) = listener.accept().await?;
        tokio::spawn(relay(tcp, rooms.clone()));
    }
}

async fn relay(mut tcp: TcpStream, rooms: Rooms) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let number = tcp.read_u16().await?;
    let tcp = Arc::new(tcp);
    let room = rooms
        .lock()
        .expect("BUG: no code panics with this lock")
        .entry(number)
        .or_default()
        .clone();
    room.lock().expect("BUG: no code panics with this lock").push(tcp.clone());
    // The client goes on when it hears of itself.
    send(&tcp, b"\x81\x02in").await?;
    let mut bytes = vec![0; 512];
    loop {
        tcp.readable().await?;
        let length = match tcp.try_read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        let members = room.lock().expect("BUG: no code panics with this lock").clone();
        for member in members {
            // One that does not read holds up all others: this is no server to use.
            send(&member, &bytes[..length]).await.ok();
        }
    }
}

async fn send(tcp: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match tcp.try_write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => tcp.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
