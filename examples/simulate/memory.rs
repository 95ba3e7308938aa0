//! How much memory this process has, where the system says it (`/proc`).

/// Returns the bytes of memory that this process has now.
pub fn resident() -> Option<u64> {
    field("VmRSS:")
}

/// Returns the most bytes of memory that this process ever had.
pub fn peak() -> Option<u64> {
    field("VmHWM:")
}

fn field(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(1024 * kibibytes)
}
