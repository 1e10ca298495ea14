//! What aotc says about its work.

use crate::compilation::Unit;
use crate::context::Input;
use crate::options::ExplainFormat;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Figures of one image.
pub struct Figures {
    pub code_size: u32,
    /// Call sites without a cell.
    pub direct_calls: usize,
    pub cells: usize,
    pub compiled: Duration,
    pub total: Duration,
    pub image_size: usize,
}

/// One line.
pub fn summary(name: &str, units: &[Unit], f: &Figures) {
    let done = units.iter().filter(|u| u.outcome.is_ok()).count();
    eprintln!(
        "{name}: {done} of {} methods, {} bytes of code, {:.2} s",
        units.len(),
        f.code_size,
        f.total.as_secs_f64()
    );
}

/// All figures.
pub fn stats(name: &str, units: &[Unit], f: &Figures) {
    summary(name, units, f);
    let instances = units.iter().filter(|u| !u.is_root).count();
    eprintln!("  instances          {instances}");
    eprintln!("  direct calls       {}", f.direct_calls);
    eprintln!("  cells              {}", f.cells);
    eprintln!("  image              {} bytes", f.image_size);
    eprintln!("  compiling          {:.2} s", f.compiled.as_secs_f64());
    eprintln!(
        "  tables, as, ld     {:.2} s",
        (f.total - f.compiled).as_secs_f64()
    );
    if let Some(peak) = peak_memory() {
        eprintln!("  peak memory        {peak} KiB (of the process)");
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for l in units.iter().filter_map(|u| u.outcome.as_ref().err()) {
        *reasons.entry(l.reason.code()).or_default() += 1;
    }
    let raising = units.iter().filter_map(|u| u.outcome.as_ref().ok());
    let raising = raising.filter(|blob| !blob.failures.is_empty()).count();
    if raising > 0 {
        eprintln!("  raising in part    {raising}");
    }
    for (reason, count) in reasons {
        eprintln!("  left out: {reason:<16} {count}");
    }
    stages(units);
}

/// Most memory the process had so far, in KiB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Reason code of methods with pieces that could not be compiled and raise an exception instead, as ECMA-335 wants it for
/// what is found wrong only when it runs.
const RAISES: &str = "raises";

/// Why a method has no code, code that raises an exception in place of some of its IL, or code made with less effort than asked for: reason code and details.
fn remark(unit: &Unit) -> Option<(&'static str, String)> {
    match &unit.outcome {
        Err(l) => Some((l.reason.code(), l.detail.clone())),
        Ok(blob) => {
            let raises = blob
                .failures
                .first()
                .map(|f| (RAISES, format!("{}: {}", f.class, f.message)));
            raises.or(blob.reduced.map(|r| (r.code(), r.to_string())))
        }
    }
}

/// Which methods were left out and why, and which have code that raises exceptions in place of IL or could be better.
pub fn explain(input: &Input, units: &[Unit], format: ExplainFormat) -> std::io::Result<()> {
    let ctx = &input.ctx;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for unit in units {
        let Some((reason, detail)) = remark(unit) else {
            continue;
        };
        let needed_by = unit.needed_by.map(|m| ctx.method_full_name(m));
        match format {
            ExplainFormat::Text => {
                write!(out, "{}: {reason}: {detail}", unit.name)?;
                match needed_by {
                    Some(m) => writeln!(out, " (needed by {m})")?,
                    None => writeln!(out)?,
                }
            }
            ExplainFormat::Json => {
                let line = serde_json::json!({
                    "assembly": input.name(),
                    "method": unit.name,
                    "reason": reason,
                    "detail": detail,
                    "needed_by": needed_by,
                });
                writeln!(out, "{line}")?;
            }
        }
    }
    out.flush()
}

/// A rule for make: the image depends on every assembly that was opened.
pub fn make_rule(input: &Input, target: &Path) -> String {
    let escaped = |p: &Path| {
        let text = p.display().to_string();
        text.replace('$', "$$")
            .replace(' ', "\\ ")
            .replace('#', "\\#")
    };
    let mut files: Vec<String> = input
        .ctx
        .modules()
        .map(|m| escaped(&input.ctx.assembly(m).path))
        .collect();
    files.sort_unstable();
    format!("{}: {}\n", escaped(target), files.join(" "))
}

/// What one stage took over all methods.
#[derive(Default)]
struct StageTotal {
    runs: usize,
    time: Duration,
    /// Largest in bytes after it.
    memory: usize,
    /// Time in the method where it took longest, and which that is.
    slowest: (Duration, usize),
}

/// A table of the stages of compilation in the order in which they first run: time over all threads, what the largest function
/// took in memory, and the method with the longest time.
fn stages(units: &[Unit]) {
    let mut totals: Vec<(&str, StageTotal)> = Vec::new();
    for (n, unit) in units.iter().enumerate() {
        let mut times: BTreeMap<usize, Duration> = BTreeMap::new();
        for stage in unit.outcome.iter().flat_map(|blob| &blob.stages) {
            let found = totals.iter().position(|t| t.0 == stage.name);
            let at = found.unwrap_or_else(|| {
                totals.push((stage.name, StageTotal::default()));
                totals.len() - 1
            });
            let total = &mut totals[at].1;
            total.runs += 1;
            total.time += stage.time;
            total.memory = total.memory.max(stage.memory);
            *times.entry(at).or_default() += stage.time;
        }
        for (at, time) in times {
            let slowest = &mut totals[at].1.slowest;
            *slowest = (*slowest).max((time, n));
        }
    }
    if totals.is_empty() {
        return;
    }
    eprintln!("  stage                runs       ms  most KiB  slowest ms");
    for (name, t) in totals {
        eprintln!(
            "  {name:<18} {:>6} {:>8.1} {:>9} {:>11.1}  {}",
            t.runs,
            t.time.as_secs_f64() * 1e3,
            t.memory / 1024,
            t.slowest.0.as_secs_f64() * 1e3,
            units[t.slowest.1].name
        );
    }
}
