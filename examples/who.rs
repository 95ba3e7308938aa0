//! Who is in the mesh: each node has a name and a role, and knows the others also where it is not linked to them.
//!
//! `cargo run --example who` prints, among other lines:
//!
//!     hub: press joined, a printer
//!     hub: desk joined, an editor
//!     desk knows hub, press
//!     hub: press was closed

use std::time::Duration;

use rs2p::presence::Presence;
use rs2p::{MeshEvent, MeshSocket};

fn bind(name: &str, role: &str) -> rs2p::Result<MeshSocket> {
    let presence = Presence::new().name(name).role(role);
    MeshSocket::builder().presence(presence).max_outgoing(0).bind("127.0.0.1:0")
}

/// Prints who joins and leaves, so many of them.
fn watch(hub: &MeshSocket, mut count: usize) -> Result<(), Box<dyn std::error::Error>> {
    while count > 0 {
        match hub.events().recv_timeout(Duration::from_secs(30))? {
            MeshEvent::MemberJoined(member) => {
                println!("hub: {} joined, {}", member.name, member.role);
                count -= 1;
            }
            MeshEvent::MemberLeft { why, .. } => {
                println!("hub: press {why}");
                count -= 1;
            }
            _ => {}
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hub = bind("hub", "a hub")?;
    let press = bind("press", "a printer")?;
    press.connect(hub.local_addr())?;
    watch(&hub, 1)?;
    let desk = bind("desk", "an editor")?;
    desk.connect(hub.local_addr())?;
    watch(&hub, 1)?;

    // The desk is linked to the hub only; that tells it who else is there.
    let events = desk.events();
    while desk.members().iter().filter(|member| member.has_presence).count() < 2 {
        events.recv_timeout(Duration::from_secs(30))?;
    }
    let mut names: Vec<String> = desk.members().into_iter().map(|member| member.name).collect();
    names.sort();
    println!("desk knows {}", names.join(", "));

    press.close()?;
    watch(&hub, 1)?;
    desk.close()?;
    hub.close()?;
    Ok(())
}
