//! The official Socket.IO browser client and the wire panel, served by every chapter from 2 on
