//! The memory that is left to this process: of the machine, of its control groups, and of its own limits.
//!
//! Receives the texts in which Linux says so; gives bytes.

use std::path::Path;

/// What is assumed where the system does not say it.
const ASSUMED: u64 = 4 << 30;

/// Bytes that are left now; 4 GiB where nothing says it.
pub(super) fn left() -> u64 {
    let text = |path: &str| std::fs::read_to_string(path).ok();
    found(&text).unwrap_or(ASSUMED)
}

/// The least of all that `text` says, which gives the content of a file.
fn found(text: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let of_machine = || kibibytes(&text("/proc/meminfo")?, "MemAvailable:");
    [of_machine(), of_groups(text), of_addresses(text)].into_iter().flatten().min()
}

/// The number behind `name`, which is in KiB.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
}

/// The least of the control groups that this process is in, of both versions.
fn of_groups(text: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let list = text("/proc/self/cgroup")?;
    let least = |line: &str| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let (root, names) = match controllers {
            "" => ("/sys/fs/cgroup", ["memory.max", "memory.current", "inactive_file "]),
            _ if controllers.split(',').any(|name| name == "memory") => (
                "/sys/fs/cgroup/memory",
                ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "],
            ),
            _ => return None,
        };
        // A container may see its own group as the root. What a group may have is limited by those above, too.
        let groups = Path::new(path).ancestors().map(|group| format!("{root}{}", group.display()));
        groups.filter_map(|group| of_group(text, group.trim_end_matches('/'), names)).min()
    };
    list.lines().filter_map(least).min()
}

/// The limit of a group less what is taken. Cached files are given back when memory is needed.
fn of_group(text: &dyn Fn(&str) -> Option<String>, group: &str, names: [&str; 3]) -> Option<u64> {
    let [limit, taken, cached] = names;
    let number = |name: &str| text(&format!("{group}/{name}"))?.trim().parse::<u64>().ok();
    let limit = number(limit)?;
    let statistics = text(&format!("{group}/memory.stat")).unwrap_or_default();
    let cached = statistics.lines().find_map(|line| line.strip_prefix(cached)?.trim().parse::<u64>().ok());
    let taken = number(taken).unwrap_or(0).saturating_sub(cached.unwrap_or(0));
    Some(limit.saturating_sub(taken))
}

/// What `ulimit -v` leaves.
fn of_addresses(text: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let limits = text("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit = line.split_whitespace().next()?.parse::<u64>().ok()?;
    let taken = kibibytes(&text("/proc/self/status")?, "VmSize:").unwrap_or(0);
    Some(limit.saturating_sub(taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Option<u64> {
        found(&|path| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned()))
    }

    const MACHINE: (&str, &str) = ("/proc/meminfo", "MemTotal: 900000 kB\nMemAvailable:     800000 kB\n");

    #[test]
    fn the_least_of_all_limits_is_left() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[MACHINE]), Some(800_000 << 10));
        let group = [
            MACHINE,
            ("/proc/self/cgroup", "3:cpuset:/\n0::/a/b\n"),
            ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/memory.max", "1000000\n"),
            ("/sys/fs/cgroup/a/memory.current", "600000\n"),
            ("/sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 100000\n"),
        ];
        assert_eq!(of(&group), Some(500_000));
        let old = [
            MACHINE,
            ("/proc/self/cgroup", "4:memory:/x\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "700000\n"),
        ];
        assert_eq!(of(&old), Some(700_000), "the group of a container is the root that it sees");
        let addresses = [
            MACHINE,
            (
                "/proc/self/limits",
                "Max cpu time  unlimited\nMax address space   614400000   unlimited  bytes\n",
            ),
            ("/proc/self/status", "Name: a\nVmSize:\t  500000 kB\n"),
        ];
        assert_eq!(of(&addresses), Some(614_400_000 - (500_000 << 10)));
    }
}
