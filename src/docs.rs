//! The guide. It exists in the documentation only.
//!
//! - [`tutorial`]: a mesh in ten minutes.
//! - [`recipes`]: requests, topics, handlers, event loops, private meshes, metrics.
//! - [`network`]: LANs, several interfaces, containers, NAT, names.
//! - `testing`, with the feature `sim`: your handlers in a simulated mesh.
//! - [`meshcat`]: the program, its exit codes, and its JSON.
//! - [`coming_from_py2p`]: which call of py2p is which call here.

#[doc = include_str!("docs/coming_from_py2p.md")]
pub mod coming_from_py2p {}
#[doc = include_str!("docs/meshcat.md")]
pub mod meshcat {}
#[doc = include_str!("docs/network.md")]
pub mod network {}
#[doc = include_str!("docs/recipes.md")]
pub mod recipes {}
#[cfg(feature = "sim")]
#[doc = include_str!("docs/testing.md")]
pub mod testing {}
#[doc = include_str!("docs/tutorial.md")]
pub mod tutorial {}
