//! Measures the benchmarks of the entry assembly in this process. Prints `name<TAB>nanoseconds<TAB>checksum` or
//! `name<TAB>failed<TAB>why` for each, in the order of the metadata; [`super::compare`] reads that.

use crate::gc;
use crate::icall::Result;
use crate::runtime::{Runtime, exit, invoke};
use indexmap::IndexMap;
use shared_codegen::metadata::TypeDefRow;
use shared_codegen::types::{Known, MethodId, TypeId};
use std::io::Write;
use std::time::{Duration, Instant};

/// Stands where the time of a benchmark would stand that has none.
pub const FAILED: &str = "failed";

/// Runs before the first measured one: at least so many, and for so long.
const WARM_RUNS: u32 = 3;
const WARM_TIME: Duration = Duration::from_millis(40);

/// Measured runs. The median counts.
const SAMPLES: usize = 5;

/// A benchmark of an assembly.
struct Benchmark {
    name: String,
    owner: TypeId,
    method: MethodId,
}

/// Measures the benchmarks whose names contain one of `parts` and gives the number of failures. None at all counts as one.
pub fn run(rt: &'static Runtime, parts: &[String]) -> usize {
    let mut all = benchmarks(rt);
    all.retain(|b| super::wanted(&b.name, parts));
    if all.is_empty() {
        eprintln!("aotrun: the assembly has no such method bench_<name>");
        return 1;
    }
    let mut failures = 0;
    for benchmark in &all {
        let line = match outcome(rt, benchmark) {
            Ok((time, checksum)) => format!("{}\t{checksum}", time.as_nanos()),
            Err(why) => {
                failures += 1;
                format!("{FAILED}\t{why}")
            }
        };
        // A reader that has gone away changes nothing about the result.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}\t{line}", benchmark.name);
        let _ = out.flush();
    }
    failures
}

fn benchmarks(rt: &Runtime) -> Vec<Benchmark> {
    let Some(objects) = rt.objects.get() else {
        return Vec::new();
    };
    let metadata = rt.types.module(objects.entry);
    let mut all = IndexMap::new();
    for class in metadata.rows::<TypeDefRow>() {
        let owner = rt.types.type_def(objects.entry, class);
        for row in metadata.methods_of(class) {
            let def = metadata.method_def(row).ok();
            let Some(name) = def.and_then(|d| super::name_of(d.name)) else {
                continue;
            };
            // Two classes may have benchmarks of the same name.
            let mut name = name.to_owned();
            while all.contains_key(&name) {
                name.push('\'');
            }
            all.insert(name, (owner, rt.types.method_of(owner, row)));
        }
    }
    let benchmark = |(name, (owner, method))| Benchmark {
        name,
        owner,
        method,
    };
    all.into_iter().map(benchmark).collect()
}

/// The median time and the checksum, or what happened instead.
fn outcome(
    rt: &'static Runtime,
    benchmark: &Benchmark,
) -> core::result::Result<(Duration, i64), String> {
    let wide = width(rt, benchmark)?;
    let measured = measure(rt, benchmark, wide);
    let measured = measured.map_err(|thrown| {
        let text = exit::describe(thrown.into_object());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    })?;
    measured.ok_or_else(|| "gives another checksum each time".into())
}

/// Whether the checksum has 64 bits.
fn width(rt: &Runtime, benchmark: &Benchmark) -> core::result::Result<bool, String> {
    let signature = rt.types.method_signature(benchmark.method);
    let signature = signature.map_err(|e| e.to_string())?;
    let wide = signature.ret == rt.types.known(Known::Int64);
    let plain = !signature.has_this
        && signature.params.is_empty()
        && signature.generic_count == 0
        && (wide || signature.ret == rt.types.known(Known::Int32))
        && rt.types.generic_count(benchmark.owner) == 0;
    match plain {
        true => Ok(wide),
        false => {
            Err("must be static, without parameters, not generic, and return int32 or int64".into())
        }
    }
}

/// `None` if the checksum changes.
fn measure(
    rt: &'static Runtime,
    benchmark: &Benchmark,
    wide: bool,
) -> Result<Option<(Duration, i64)>> {
    if rt.types.has_cctor(benchmark.owner) {
        rt.class_init.ensure(rt.method_table(benchmark.owner)?)?;
    }
    let method = rt.methods.desc(benchmark.method);
    let checksum = || -> Result<i64> {
        let word = invoke::call(method, &[])?.word;
        Ok(if wide {
            word as i64
        } else {
            word as i32 as i64
        })
    };
    let expected = checksum()?;
    let start = Instant::now();
    let mut warm = 1;
    while warm < WARM_RUNS || start.elapsed() < WARM_TIME {
        checksum()?;
        warm += 1;
    }
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        gc::collect();
        let start = Instant::now();
        let got = checksum()?;
        times.push(start.elapsed());
        if got != expected {
            return Ok(None);
        }
    }
    times.sort_unstable();
    Ok(Some((times[SAMPLES / 2], expected)))
}
