//! The promises of a socket, one file each. Included once per encryption.

mod support;

mod addresses;
mod backpressure;
mod closing;
mod connect;
mod handlers;
mod mesh;
mod patience;
mod presence;
mod receiving;
mod requests;
mod sending;
mod simultaneous_dials;
mod threads;
mod topics;
