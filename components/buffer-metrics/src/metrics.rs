//! Turns scans into Prometheus text.

use std::io;
use std::time::SystemTime;

use metrics_endpoint::{Exposition, Family, Kind};

use crate::options::BufferDir;
use crate::scan::{self, Scan};

/// Scans every directory and answers one scrape.
pub(crate) fn text(dirs: &[BufferDir]) -> String {
    let now = now();
    let scans: Vec<_> = dirs.iter().map(|dir| (dir.name.as_str(), scan::scan(&dir.path, now))).collect();
    for (dir, (_, result)) in dirs.iter().zip(&scans) {
        if let Err(error) = result {
            crate::log(format_args!("failed to scan {}: {error}", dir.path.display()));
        }
    }
    render(&scans)
}

#[allow(clippy::disallowed_methods, reason = "the one place where this program reads the clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn render(scans: &[(&str, io::Result<Scan>)]) -> String {
    let mut exposition = Exposition::new();
    let mut up = exposition.family("logging_buffer_up", Kind::Gauge, "Whether the buffer directory could be scanned.");
    for (name, result) in scans {
        up.sample(&[("buffer", name)], result.is_ok());
    }
    each(
        exposition.family("logging_buffer_size_bytes", Kind::Gauge, "Bytes in the files of the buffer directory."),
        scans,
        |family, labels, scan| {
            family.sample(labels, scan.bytes);
        },
    );
    each(
        exposition.family("logging_buffer_files", Kind::Gauge, "Files in the buffer directory."),
        scans,
        |family, labels, scan| {
            family.sample(labels, scan.files);
        },
    );
    each(
        exposition.family(
            "logging_buffer_oldest_file_age_seconds",
            Kind::Gauge,
            "Seconds since the oldest file was written; 0 without files.",
        ),
        scans,
        |family, labels, scan| {
            family.sample(labels, scan.oldest.as_secs_f64());
        },
    );
    #[cfg(feature = "histogram")]
    each(
        exposition.family("logging_buffer_file_size_bytes", Kind::Histogram, "Sizes of the files waiting now."),
        scans,
        |family, labels, scan| {
            family.histogram(labels, &scan.sizes);
        },
    );
    exposition.finish()
}

/// Adds to `family` what `sample` makes of every scan that succeeded.
fn each(
    mut family: Family<'_>,
    scans: &[(&str, io::Result<Scan>)],
    sample: impl Fn(&mut Family<'_>, &[(&str, &str)], &Scan),
) {
    for (name, result) in scans {
        if let Ok(scan) = result {
            sample(&mut family, &[("buffer", name)], scan);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_missing_directory_is_a_value_and_not_a_crash() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::write(dir.path().join("chunk"), "12345").expect("the file is made");
        let dirs = [
            BufferDir { name: "here".to_owned(), path: dir.path().to_owned() },
            BufferDir { name: "gone".to_owned(), path: dir.path().join("none") },
        ];
        let text = text(&dirs);
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples[..4],
            [
                "logging_buffer_up{buffer=\"here\"} 1",
                "logging_buffer_up{buffer=\"gone\"} 0",
                "logging_buffer_size_bytes{buffer=\"here\"} 5",
                "logging_buffer_files{buffer=\"here\"} 1",
            ]
        );
        assert!(samples[4].starts_with("logging_buffer_oldest_file_age_seconds{buffer=\"here\"} "));
        assert_eq!(samples.iter().filter(|sample| sample.contains("gone")).count(), 1);
        let histogram = text.contains("logging_buffer_file_size_bytes_bucket{buffer=\"here\",le=\"1024\"} 1\n");
        assert_eq!(histogram, cfg!(feature = "histogram"));
    }
}
