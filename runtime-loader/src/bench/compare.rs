//! Runs the benchmarks of an assembly under several sets of optimizations.

use super::once::FAILED;
use crate::regression::{Mode, table};
use crate::runtime::options::Options;
use anyhow::{Context, bail};
use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use std::process::Command;

/// What one set of optimizations makes of the benchmarks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// The set's name.
    pub name: String,
    /// The best median of each benchmark that ran, in nanoseconds.
    pub times: IndexMap<String, f64>,
}

/// Times of benchmarks, and what went wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// The first is what the others are compared with.
    pub columns: Vec<Column>,
    /// One line for each benchmark that failed under a set.
    pub failures: Vec<String>,
}

impl Comparison {
    /// The benchmarks' names, in the order of the metadata.
    pub fn benchmarks(&self) -> impl Iterator<Item = &str> {
        let first = self.columns.first();
        first
            .into_iter()
            .flat_map(|c| c.times.keys().map(String::as_str))
    }

    /// A benchmark's time under a set, as a multiple of that under the first.
    pub fn ratio(&self, column: &Column, benchmark: &str) -> Option<f64> {
        let base = self.columns.first()?.times.get(benchmark)?;
        Some(column.times.get(benchmark)? / base)
    }

    /// The geometric mean of a set's ratios.
    pub fn mean(&self, column: &Column) -> Option<f64> {
        let ratios = self.benchmarks().filter_map(|b| self.ratio(column, b));
        let logs: Vec<f64> = ratios.map(f64::ln).collect();
        let sum: f64 = logs.iter().sum();
        (!logs.is_empty()).then(|| (sum / logs.len() as f64).exp())
    }
}

/// Measures the benchmarks whose names contain one of `parts`, all if there is none, in so many processes for each set.
pub fn run(
    mode: Mode,
    rounds: u32,
    options: &Options,
    program: &Path,
    parts: &[String],
) -> anyhow::Result<Comparison> {
    let mut sets = table::sets(mode);
    sets.retain(|set| set.tier != "interpret");
    // What the others are compared with comes first.
    sets.sort_by_key(|set| set.name != "all");
    let mut comparison = Comparison::default();
    let mut checksums = IndexMap::new();
    comparison.columns.extend(sets.iter().map(|set| Column {
        name: set.name.clone(),
        times: IndexMap::new(),
    }));
    // Seen on a terminal only.
    let progress = ProgressBar::new(u64::from(rounds) * sets.len() as u64);
    progress.set_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} {msg} {eta}",
    )?);
    for _ in 0..rounds {
        for (index, set) in sets.iter().enumerate() {
            progress.set_message(set.name.clone());
            progress.tick();
            let text = child(set, options, program, parts)?;
            read(&text, index, &mut comparison, &mut checksums);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    if comparison.benchmarks().next().is_none() && comparison.failures.is_empty() {
        bail!("nothing was measured");
    }
    Ok(comparison)
}

/// What [`super::once`] prints under a set.
fn child(
    set: &table::Set,
    options: &Options,
    program: &Path,
    parts: &[String],
) -> anyhow::Result<String> {
    let this = std::env::current_exe().context("cannot find aotrun itself")?;
    let mut command = Command::new(this);
    command.args([
        "--bench=once",
        "--no-aot",
        "--jit",
        set.tier,
        "-O",
        &set.optimize,
    ]);
    for folder in &options.lib_path {
        command.arg("--lib-path").arg(folder);
    }
    let done = command.arg(program).args(parts).output();
    let done = done.context("cannot start the benchmarks")?;
    // 1: some have failed, which their lines say.
    if !matches!(done.status.code(), Some(0 | 1)) || done.stdout.is_empty() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("{}: {} ({})", set.name, said.trim(), done.status);
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Adds the lines of one process to a column. Benchmarks may print too.
fn read(text: &str, index: usize, into: &mut Comparison, checksums: &mut IndexMap<String, String>) {
    let Comparison { columns, failures } = into;
    let Column { name: set, times } = &mut columns[index];
    for line in text.lines() {
        let parts: Vec<_> = line.splitn(3, '\t').collect();
        let [name, time, rest] = parts[..] else {
            continue;
        };
        let mut failed = |why: &str| {
            let line = format!("{name} ({set}): {why}");
            if !failures.contains(&line) {
                failures.push(line);
            }
        };
        match time.parse::<f64>() {
            Ok(time) => {
                let expected = checksums.entry(name.to_owned()).or_insert(rest.to_owned());
                if expected != rest {
                    failed(&format!("its checksum is {rest}, not {expected}"));
                }
                let best = times.entry(name.to_owned()).or_insert(time);
                *best = best.min(time).max(1.0);
            }
            Err(_) if time == FAILED => failed(rest),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_round_counts_and_checksums_agree() {
        let mut all = Comparison {
            columns: vec![Column::default(), Column::default()],
            failures: Vec::new(),
        };
        all.columns[1].name = "none".into();
        let mut sums = IndexMap::new();
        read("a\t100\t7\nnoise\nb\t200\t8\n", 0, &mut all, &mut sums);
        read(
            "a\t300\t7\nb\t50\t9\nc\tfailed\tbecause\tso\n",
            1,
            &mut all,
            &mut sums,
        );
        read("a\t200\t7\nb\t60\t8\n", 1, &mut all, &mut sums);
        let column = &all.columns[1];
        assert_eq!(all.ratio(column, "a"), Some(2.0));
        assert_eq!(all.ratio(column, "b"), Some(0.25));
        assert_eq!(all.ratio(column, "c"), None);
        let mean = all.mean(column).expect("two ratios");
        assert!((mean - 0.5f64.sqrt()).abs() < 1e-9, "{mean}");
        let failures = [
            "b (none): its checksum is 9, not 8",
            "c (none): because\tso",
        ];
        assert_eq!(all.failures, failures);
    }
}
