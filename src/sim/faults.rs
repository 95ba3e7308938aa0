//! Faults: what goes wrong, when, to whom. All of it drawn from the seed.

use std::time::Duration;

use super::network::Shared;
use super::schedule::Happening;
use super::tcp::{Broken, Conn, EndState, Socket};
use super::world::World;

/// How often each kind of fault happens, at random times within a span.
///
/// ```
/// use rs2p::sim::{Faults, World};
/// use std::time::Duration;
///
/// let faults = Faults { resets: 5, partitions: 1, ..Faults::within(Duration::from_secs(60)) };
/// let mut world = World::new(7).nodes(10).faults(faults);
/// world.run_for(Duration::from_secs(120));
/// assert!(world.is_connected());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Connections that end with an error at both ends.
    pub resets: u32,
    /// Connections over which nothing passes any more. At most one end is told.
    pub half_opens: u32,
    /// Some machines cannot reach the others, for 1 to 40 s.
    pub partitions: u32,
    /// Processes that end without a word and are started again after 0.2 to 8 s, with a new id.
    pub crashes: u32,
    /// Machines that are switched off, for 0.2 to 30 s.
    pub power_cuts: u32,
    /// Processes that are stopped for 1 to 20 s and go on as if nothing had happened.
    pub freezes: u32,
    /// Applications that take a message by themselves, but none for 5 to 20 s.
    pub slow_readers: u32,
    /// Wall clocks are off by up to this much, either way.
    pub clock_skew: Duration,
    /// The span within which faults begin.
    pub within: Duration,
}

impl Faults {
    /// Plans no faults yet, within this span.
    ///
    /// ```
    /// use rs2p::sim::Faults;
    /// use std::time::Duration;
    ///
    /// let faults = Faults { crashes: 3, ..Faults::within(Duration::from_secs(60)) };
    /// ```
    #[must_use]
    pub fn within(span: Duration) -> Self {
        Faults { within: span, ..Faults::default() }
    }

    /// Plans this many faults of every kind, and clocks that are wrong by up to 20 s.
    ///
    /// ```
    /// use rs2p::sim::{Faults, World};
    /// use std::time::Duration;
    ///
    /// let faults = Faults::of_every_kind(2, Duration::from_secs(30));
    /// let mut world = World::new(7).nodes(10).faults(faults);
    /// world.run_for(Duration::from_secs(60));
    /// world.check()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of_every_kind(count: u32, span: Duration) -> Self {
        Faults {
            resets: count,
            half_opens: count,
            partitions: count,
            crashes: count,
            power_cuts: count,
            freezes: count,
            slow_readers: count,
            clock_skew: Duration::from_secs(20),
            within: span,
        }
    }

    fn incidents(&self) -> Vec<Incident> {
        let kinds = [
            (self.resets, Incident::Reset),
            (self.half_opens, Incident::HalfOpen),
            (self.partitions, Incident::Partition),
            (self.crashes, Incident::Crash),
            (self.power_cuts, Incident::PowerCut),
            (self.freezes, Incident::Freeze),
            (self.slow_readers, Incident::SlowReader),
        ];
        kinds.into_iter().flat_map(|(count, kind)| (0..count).map(move |_| kind.clone())).collect()
    }
}

/// Something goes wrong, or is right again.
#[derive(Clone, Debug)]
pub(super) enum Incident {
    Reset,
    HalfOpen,
    Partition,
    Crash,
    PowerCut,
    Freeze,
    SlowReader,
    Restart { machine: usize },
    Heal { partition: u64 },
    Hurry { machine: usize },
}

impl World {
    /// Plans faults for the nodes that there are, from now on.
    ///
    /// ```
    /// use rs2p::sim::{Faults, World};
    /// use std::time::Duration;
    ///
    /// let faults = Faults { resets: 5, ..Faults::within(Duration::from_secs(30)) };
    /// let world = World::new(7).nodes(10).faults(faults);
    /// ```
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.plan_faults(&faults);
        self
    }

    /// Plans faults for the nodes that there are, from now on. Clocks that are to be off jump now.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// use rs2p::sim::Faults;
    ///
    /// world.plan_faults(&Faults { freezes: 2, ..Faults::within(Duration::from_secs(10)) });
    /// world.run_for(Duration::from_secs(60));
    /// world.check()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan_faults(&mut self, faults: &Faults) {
        let skew = faults.clock_skew.as_millis() as i64;
        for machine in self.machines.iter_mut().filter(|_| skew > 0) {
            machine.skew = self.shared.rng.below(2 * skew as u64 + 1) as i64 - skew;
        }
        for incident in faults.incidents() {
            let after = self.between(Duration::ZERO, faults.within);
            self.trouble_until(after);
            self.shared.schedule.after(after, Happening::Fault(incident));
        }
    }

    pub(super) fn fault(&mut self, incident: &Incident) {
        let s = Duration::from_secs;
        let brief = Duration::from_millis(200);
        match *incident {
            Incident::Reset => self.on_a_connection(Self::reset_connection),
            Incident::HalfOpen => self.on_a_connection(Self::half_open),
            Incident::Partition => self.part_some(),
            Incident::Crash => {
                let pause = self.between(brief, s(8));
                self.on_a_machine(|world, machine| {
                    world.crash(machine);
                    world.restart_after(machine, pause);
                });
            }
            Incident::PowerCut => {
                let pause = self.between(brief, s(30));
                self.on_a_machine(|world, machine| {
                    world.power_off(machine);
                    world.restart_after(machine, pause);
                });
            }
            Incident::Freeze => {
                let pause = self.between(s(1), s(20));
                self.on_a_machine(|world, machine| world.freeze(machine, pause));
            }
            Incident::SlowReader => {
                let pause = self.between(s(5), s(20));
                self.on_a_machine(|world, machine| {
                    world.machines[machine].naps += 1;
                    world.trouble_until(pause);
                    let end = Happening::Fault(Incident::Hurry { machine });
                    world.shared.schedule.after(pause, end);
                });
            }
            Incident::Restart { machine } => self.restart(machine),
            Incident::Heal { partition } => self.heal(partition),
            Incident::Hurry { machine } => self.hurry(machine),
        }
    }

    /// Lets the application go on at its pace, unless there is another reason not to.
    fn hurry(&mut self, machine: usize) {
        self.machines[machine].naps -= 1;
        if let Some(pid) = self.machines[machine].process {
            self.plan_take(pid);
        }
    }

    fn part_some(&mut self) {
        let mut nodes: Vec<usize> = (0..self.machines.len()).collect();
        self.shared.rng.shuffle(&mut nodes);
        let most = (nodes.len() / 2).max(1) as u64;
        nodes.truncate(1 + self.shared.rng.below(most) as usize);
        let pause = self.between(Duration::from_secs(1), Duration::from_secs(40));
        self.partition(&nodes, pause);
    }

    fn reset_connection(&mut self, socket: Socket) {
        for socket in [socket, socket.other()] {
            self.shared.schedule.after(Duration::ZERO, Happening::Reset { socket });
        }
    }

    fn half_open(&mut self, socket: Socket) {
        self.sockets.cut(&mut self.shared, socket);
        match self.shared.rng.below(3) {
            0 => self.sockets.break_end(&mut self.shared, socket, Broken::TimedOut),
            1 => self.sockets.break_end(&mut self.shared, socket.other(), Broken::TimedOut),
            _ => {}
        }
    }

    fn restart_after(&mut self, machine: usize, pause: Duration) {
        self.trouble_until(pause);
        self.shared.schedule.after(pause, Happening::Fault(Incident::Restart { machine }));
    }

    // To whom, and when.

    fn on_a_machine(&mut self, act: impl FnOnce(&mut Self, usize)) {
        let up: Vec<usize> = (0..self.len()).filter(|&node| self.is_up(node)).collect();
        if let Some(&machine) = up.get(self.shared.rng.below(up.len() as u64) as usize) {
            act(self, machine);
        }
    }

    fn on_a_connection(&mut self, act: impl FnOnce(&mut Self, Socket)) {
        let is_up = |conn: &Conn| conn.ends.iter().all(|end| end.state == EndState::Open);
        let up = self.sockets.conns().filter(|(_, conn)| is_up(conn));
        let up: Vec<Socket> = up.map(|(socket, _)| socket).collect();
        if let Some(&socket) = up.get(self.shared.rng.below(up.len() as u64) as usize) {
            act(self, socket);
        }
    }

    /// Notes that a fault lasts until this long from now.
    pub(super) fn trouble_until(&mut self, pause: Duration) {
        self.clear_at = self.clear_at.max(self.now() + pause);
    }

    pub(super) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        between(&mut self.shared, least, most)
    }
}

fn between(shared: &mut Shared, least: Duration, most: Duration) -> Duration {
    let span = most.saturating_sub(least).as_micros() as u64;
    least + Duration::from_micros(shared.rng.below(span + 1))
}
