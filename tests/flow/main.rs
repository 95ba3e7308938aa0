//! One receiver's program is slow: everybody goes on evenly at its pace.
//!
//! `RS2P_LONG=1` runs the long form: 120 s for each kind of program, with default settings.

mod receivers;
mod rig;
