//! Writes a seed while it is being read: one object of arrays, one card per line.

use serde_json::{Map, Value};
use std::io::{self, Write};

/// A seed file under way.
pub(super) struct SeedFile<W> {
    out: W,
    /// Whether something was written at this level already.
    arrays: bool,
    rows: u64,
}

impl<W: Write> SeedFile<W> {
    /// Opens the object.
    pub(super) fn open(mut out: W) -> io::Result<Self> {
        out.write_all(b"{")?;
        Ok(Self {
            out,
            arrays: false,
            rows: 0,
        })
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        let before = if self.arrays { ",\n" } else { "\n" };
        self.arrays = true;
        write!(self.out, "{before}\"{name}\":")
    }

    /// Writes a value that is no array of cards.
    pub(super) fn value(&mut self, name: &str, value: &Value) -> io::Result<()> {
        self.name(name)?;
        Ok(serde_json::to_writer(&mut self.out, value)?)
    }

    /// Opens an array; nothing else may be written before it is closed.
    pub(super) fn begin(&mut self, name: &str) -> io::Result<()> {
        self.name(name)?;
        self.rows = 0;
        self.out.write_all(b"[")
    }

    /// Writes one card of the open array.
    pub(super) fn row(&mut self, row: &Map<String, Value>) -> io::Result<()> {
        self.out.write_all(if self.rows > 0 { b",\n" } else { b"\n" })?;
        self.rows += 1;
        Ok(serde_json::to_writer(&mut self.out, row)?)
    }

    /// Closes the array; gives how many cards it holds.
    pub(super) fn end(&mut self) -> io::Result<u64> {
        self.out.write_all(b"]")?;
        Ok(self.rows)
    }

    /// Closes the object.
    pub(super) fn close(mut self) -> io::Result<()> {
        self.out.write_all(b"\n}\n")?;
        self.out.flush()
    }
}
