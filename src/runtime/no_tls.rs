//! Stands in for `tls.rs` in a build without it: its types have no
//! values.

use std::io::{self, IoSlice};

use mio::net::TcpStream;

use crate::cause::Cause;

#[derive(Debug)]
pub(crate) enum TlsKit {}

#[derive(Debug)]
pub(crate) enum TlsLink {}

impl TlsKit {
    pub fn link(&self, _: TcpStream, _is_dialler: bool) -> Box<TlsLink> {
        match *self {}
    }
}

impl TlsLink {
    pub fn handshake(&mut self) -> Result<bool, Cause> {
        match *self {}
    }

    pub fn end_point(&self) -> Result<Vec<u8>, Cause> {
        match *self {}
    }

    pub fn write_frames(&mut self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }

    pub fn send(&mut self) -> io::Result<bool> {
        match *self {}
    }

    pub fn unsent(&self) -> usize {
        match *self {}
    }

    pub fn forget(&mut self) {
        match *self {}
    }

    pub fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub fn tcp(&self) -> &TcpStream {
        match *self {}
    }
}
