//! What a run of the command costs: seconds, processor time, page faults and memory, read from `/proc` of Linux while it runs.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What a run cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    /// Processor time of all threads in the program, in seconds.
    pub(crate) user: f64,
    /// And in the kernel.
    pub(crate) system: f64,
    /// Seconds in which a core of the machine had nothing to do, or waited for the disk.
    pub(crate) idle: f64,
    /// Greatest resident memory, in MB.
    pub(crate) memory: f64,
    /// Page faults without reading from a disk.
    pub(crate) faults: f64,
    pub(crate) status: ExitStatus,
}

impl Cost {
    /// Processor time.
    pub(crate) fn busy(&self) -> f64 {
        self.user + self.system
    }
}

/// Ticks a second, in which Linux counts for `/proc`.
const TICKS: f64 = 100.0;

/// Seconds in which the cores had nothing to do since the machine started: fields 4 and 5 of the first line.
fn idle() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let fields = stat.lines().next().unwrap().split_whitespace();
    fields.skip(4).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS
}

/// Runs a command without its output, and reads from `/proc` until it is over: memory while it is there, times when only its entry is left.
pub(crate) fn measured(command: &mut Command) -> Cost {
    let (begun, idle) = (Instant::now(), idle());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let folder = format!("/proc/{}", child.id());
    let mut memory = 0.0_f64;
    loop {
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1).map(str::to_owned)
        };
        memory = memory.max(field("VmHWM:").map_or(0.0, |text| text.parse::<f64>().unwrap() / 1e3));
        if field("State:").is_some_and(|state| state == "Z") {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let (seconds, idle) = (begun.elapsed().as_secs_f64(), self::idle() - idle);
    let stat = std::fs::read_to_string(format!("{folder}/stat")).unwrap();
    // Fields 10, 14 and 15 of proc(5), counted after the name in brackets; times in ticks.
    let after_name: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split_whitespace().collect();
    let [faults, user, system] = [7, 11, 12].map(|at| after_name[at].parse::<f64>().unwrap());
    let status = child.wait().unwrap();
    Cost { seconds, user: user / TICKS, system: system / TICKS, idle, memory, faults, status }
}
