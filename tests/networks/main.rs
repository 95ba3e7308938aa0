//! Nodes in networks of their own: network namespaces on a bridge, without a route to anywhere.
//!
//! What these tests need: Linux, root, and `ip` and `tc` of iproute2. Where that is missing they are shown as
//! ignored, with the reason; where `CI` is set they fail. No packet leaves the namespaces.

mod cuts;
#[cfg(feature = "discovery")]
mod discovered;
mod forwarded;
mod lab;
mod lan;
mod mesh;
mod mixed;
mod moving;
mod names;
mod node;
mod restarts;
mod slow;
mod traffic;

#[path = "../support/py2p/mod.rs"]
mod py2p;
#[path = "../support/mod.rs"]
mod support;

use py2p::ignoring;

fn main() {
    // A test starts this program in its namespaces: as a node, or as a router.
    if let Ok(addr) = std::env::var("RS2P_BIND") {
        return node::one_node(&addr);
    }
    if let Ok(delay) = std::env::var("RS2P_FORWARD") {
        return forwarded::one_forward(&delay);
    }
    #[cfg(feature = "discovery")]
    if std::env::var_os("RS2P_OVERHEAR").is_some() {
        return discovered::overhear();
    }
    let tests = [
        cuts::TESTS,
        forwarded::TESTS,
        lan::TESTS,
        mixed::TESTS,
        moving::TESTS,
        names::TESTS,
        restarts::TESTS,
        slow::TESTS,
    ];
    let tests = tests.concat();
    #[cfg(feature = "discovery")]
    let tests = [tests, discovered::TESTS.to_vec()].concat();
    ignoring::run(tests.into_iter().map(|(name, test)| ignoring::trial(name, test)).collect())
}
