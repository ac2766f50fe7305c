//! Commands that are killed at moments nobody has chosen: always the same ones, since the seed is fixed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Ended;
use crate::native_samples::Random;

/// How often something is killed: `GROUPAGE_TEST_KILLS`, or a default.
pub fn how_often(default: u64) -> u64 {
    let text = std::env::var("GROUPAGE_TEST_KILLS").ok();
    text.map_or(default, |text| text.parse().expect("GROUPAGE_TEST_KILLS is a number"))
}

/// Moments between the start of a command and a little after its usual end.
pub struct Moments {
    random: Random,
    usual: Duration,
    /// How often the command was still there.
    pub alive: u64,
    /// How often it had ended by itself.
    pub late: u64,
}

impl Moments {
    /// `run` is the command once from start to end, without being killed; the fastest of three is the usual time.
    pub fn new(seed: u64, mut run: impl FnMut() -> Command) -> Self {
        let mut time = || {
            let begin = Instant::now();
            Ended::of(&mut run()).expect(0);
            begin.elapsed()
        };
        let usual = [time(), time(), time()].into_iter().min().unwrap_or_default();
        Self { random: Random(seed), usual, alive: 0, late: 0 }
    }

    /// Starts the command, kills it at the next moment, and waits until it is gone.
    pub fn kill(&mut self, mut command: Command) {
        let moment = self.usual.mul_f64(self.random.below(1050) as f64 / 1000.0);
        let begin = Instant::now();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // the moment is what is tested: nothing is waited for
        std::thread::sleep(moment.saturating_sub(begin.elapsed()));
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{command:?} failed by itself: {status}");
                self.late += 1;
                // it is faster than it was: the moments move with it
                self.usual = self.usual.mul_f64(0.95);
            }
            None => self.alive += 1,
        }
        let _ = child.kill();
        child.wait().unwrap();
    }

    /// A loop that hits nothing proves nothing.
    #[track_caller]
    pub fn expect_hits(&self) {
        eprintln!("killed {} times, {} times too late; usual time {:?}", self.alive, self.late, self.usual);
        assert!(self.alive >= self.late, "most moments came too late");
    }
}
