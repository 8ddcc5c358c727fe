//! Ports of 127.0.0.1 for servers that are programs of their own and cannot be handed an open socket.

use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that systems hand out by themselves, so that no connection and no other listener gets one by chance.
const FIRST: u16 = 12_000;
const COUNT: u16 = 8_000;

/// A port that no other test takes while this lives, in whatever process: without that, a test may take somebody else's server,
/// who was a moment faster, for its own.
pub struct Port {
    pub number: u16,
    _reserved: File,
}

impl Port {
    /// One on which nobody listens.
    pub fn free() -> Port {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let folder = format!("cardsync-test-ports-{}", nix::unistd::getuid());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).expect("a folder for reservations");
        // Each process begins elsewhere, so that few are asked for twice.
        let begin = (std::process::id() % u32::from(COUNT)) as u16;
        for _ in 0..COUNT {
            let number = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
            let reserved = File::create(folder.join(number.to_string())).expect("a file that reserves a port");
            match reserved.try_lock() {
                Ok(()) if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() => {
                    return Port {
                        number,
                        _reserved: reserved,
                    };
                }
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => panic!("port {number} cannot be reserved: {error}"),
            }
        }
        panic!("all ports from {FIRST} on are taken");
    }
}
