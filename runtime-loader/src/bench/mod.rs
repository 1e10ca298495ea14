//! `aotrun --bench`: what the optimizations are worth to an assembly's benchmarks.
//!
//! A benchmark is a static method without parameters that returns `int32` or `int64` (a checksum), named `bench_<name>`.
//!
//! * [`once`] measures the benchmarks in this process and prints one line for each.
//! * [`compare`] starts processes for each set of optimizations, in turn, so that nothing one set compiled is seen by the next
//!   and a disturbance meets all sets alike; the best median of the rounds counts. Its result is a [`Comparison`]:
//! * [`text`] prints that as a Markdown table with geometric means, [`chart`] draws it as SVG.

pub mod chart;
pub mod compare;
pub mod once;
pub mod text;

pub use compare::Comparison;

/// The name of a benchmark in that of a method; `None` if it is none.
fn name_of(method: &str) -> Option<&str> {
    method
        .strip_prefix("bench_")
        .filter(|name| !name.is_empty())
}

/// Whether a benchmark was asked for: all are, if no part of a name is given.
fn wanted(name: &str, parts: &[String]) -> bool {
    parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()))
}
