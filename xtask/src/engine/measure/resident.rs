//! What the kernel says about the memory of processes.
//! <https://docs.kernel.org/filesystems/proc.html>, <https://docs.kernel.org/admin-guide/cgroup-v2.html>

use camino::Utf8PathBuf;

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Resident {
    /// What the cgroup is charged.
    pub cgroup: u64,
    /// The same without files that were not used lately (`inactive_file`): what Kubernetes calls the working set.
    pub working_set: u64,
    /// Pages of all processes that are in memory.
    pub rss: u64,
    /// The same, shared pages by the number of processes that share them.
    pub pss: u64,
    /// Pages of files that another process has as well, unchanged: shared text.
    pub shared_clean: u64,
    /// Pages that no other process has.
    pub private: u64,
}

/// What is taken of [`Resident`].
type Part = fn(&Resident) -> u64;

impl Resident {
    /// The sum.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            cgroup: self.cgroup + other.cgroup,
            working_set: self.working_set + other.working_set,
            rss: self.rss + other.rss,
            pss: self.pss + other.pss,
            shared_clean: self.shared_clean + other.shared_clean,
            private: self.private + other.private,
        }
    }

    /// The median of each part by itself; of an even number the lower one of the two in the middle, which was measured.
    pub fn median(rounds: &[Self]) -> Option<Self> {
        let of = |part: Part| {
            let mut values: Vec<u64> = rounds.iter().map(part).collect();
            values.sort_unstable();
            values.get(values.len().saturating_sub(1) / 2).copied()
        };
        Some(Self {
            cgroup: of(|own| own.cgroup)?,
            working_set: of(|own| own.working_set)?,
            rss: of(|own| own.rss)?,
            pss: of(|own| own.pss)?,
            shared_clean: of(|own| own.shared_clean)?,
            private: of(|own| own.private)?,
        })
    }
}

/// The memory of the cgroup of a process, and of all processes in it. The path of the cgroup has to name the container: else
/// the process is one of another machine.
pub(super) fn of(pid: u32, container: &str) -> Result<Resident, String> {
    let own = read(&format!("/proc/{pid}/cgroup"))?;
    let group = Group::parse(&own).filter(|group| group.folder.as_str().contains(container));
    let group =
        group.ok_or("the processes of the daemon are not those of this machine, or have no cgroup for memory")?;
    let current = number(&read(&format!("{}/{}", group.folder, group.current))?).unwrap_or_default();
    let inactive = field(&read(&format!("{}/memory.stat", group.folder))?, group.inactive).unwrap_or_default();
    let mut resident =
        Resident { cgroup: current, working_set: current.saturating_sub(inactive), ..Resident::default() };
    for process in read(&format!("{}/cgroup.procs", group.folder))?.lines() {
        // one that has just ended is no more of it
        if let Ok(rollup) = read(&format!("/proc/{}/smaps_rollup", process.trim())) {
            resident = resident.and(rolled_up(&rollup));
        }
    }
    if resident.pss == 0 {
        return Err("the memory of its processes cannot be read: it takes the rights of root on the daemon's machine"
            .to_owned());
    }
    Ok(resident)
}

fn read(path: &str) -> Result<String, String> {
    fs_err::read_to_string(path).map_err(|error| format!("it cannot be read: {error}"))
}

/// A cgroup for memory, of either version.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    folder: Utf8PathBuf,
    current: &'static str,
    inactive: &'static str,
}

impl Group {
    /// Out of `/proc/PID/cgroup`. Where both versions are mounted, memory is in the first one.
    fn parse(text: &str) -> Option<Self> {
        let path = |controller: &str| {
            text.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                let (controllers, path) = rest.split_once(':')?;
                controllers.split(',').any(|own| own == controller).then(|| path.trim_start_matches('/').to_owned())
            })
        };
        let first = path("memory").map(|path| Self {
            folder: Utf8PathBuf::from("/sys/fs/cgroup/memory").join(path),
            current: "memory.usage_in_bytes",
            inactive: "total_inactive_file",
        });
        let second = || {
            path("").map(|path| Self {
                folder: Utf8PathBuf::from("/sys/fs/cgroup").join(path),
                current: "memory.current",
                inactive: "inactive_file",
            })
        };
        first.or_else(second)
    }
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// `name 123` of `memory.stat`.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| number(line.strip_prefix(name)?.strip_prefix(' ')?))
}

/// `/proc/PID/smaps_rollup`, whose numbers are in kB.
fn rolled_up(text: &str) -> Resident {
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| number(line.trim().strip_suffix("kB")?)).unwrap_or_default() * 1024
    };
    Resident {
        rss: of("Rss"),
        pss: of("Pss"),
        shared_clean: of("Shared_Clean"),
        private: of("Private_Clean") + of("Private_Dirty"),
        ..Resident::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_cgroups_are_found() {
        let check = |text: &str, expect: Option<(&str, &str)>| {
            let group = Group::parse(text);
            assert_eq!(group.as_ref().map(|group| (group.folder.as_str(), group.current)), expect);
        };
        check(
            "0::/system.slice/docker-abc.scope\n",
            Some(("/sys/fs/cgroup/system.slice/docker-abc.scope", "memory.current")),
        );
        check(
            "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/y\n",
            Some(("/sys/fs/cgroup/memory/docker/abc", "memory.usage_in_bytes")),
        );
        check("5:cpu:/x\n", None);
        check("", None);
    }

    #[test]
    fn numbers_of_the_kernel_are_read() {
        assert_eq!(field("cache 1\ninactive_file 4096\ntotal_inactive_file 8192\n", "inactive_file"), Some(4096));
        assert_eq!(field("inactive_files 1\n", "inactive_file"), None);
        let rollup = "00400000-7ffd000 ---p 00000000 00:00 0 [rollup]\nRss:   1024 kB\nPss:    700 kB\nPss_Anon: 1 kB\n\
                      Shared_Clean:  400 kB\nPrivate_Clean:   10 kB\nPrivate_Dirty:  20 kB\n";
        let expect = Resident {
            rss: 1 << 20,
            pss: 700 << 10,
            shared_clean: 400 << 10,
            private: 30 << 10,
            ..Resident::default()
        };
        assert_eq!(rolled_up(rollup), expect);
        assert_eq!(rolled_up("Rss: many\n"), Resident::default());
    }

    #[test]
    fn medians_are_values_that_were_measured() {
        let round = |pss, rss| Resident { pss, rss, ..Resident::default() };
        let check = |rounds: &[Resident], expect: Option<(u64, u64)>| {
            assert_eq!(Resident::median(rounds).map(|median| (median.pss, median.rss)), expect);
        };
        check(&[], None);
        check(&[round(3, 1)], Some((3, 1)));
        check(&[round(9, 1), round(3, 2), round(5, 7)], Some((5, 2)));
        check(&[round(9, 1), round(3, 2)], Some((3, 1)));
    }
}
