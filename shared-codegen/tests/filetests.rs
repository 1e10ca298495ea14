//! Golden tests over IR text: every `filetests/*/*.ir` (but not `filetests/x64`, which has its own runner).
//!
//! Line 1 of a file is the command; the rest are functions, each followed by the expected output as lines that start
//! with `;> `. `BLESS=1 cargo test --test filetests` writes the outputs that come out. Every function must also survive
//! `parse(print(f)) == f`. Commands:
//!
//! * `test print`: the function as printed.
//! * `test verify [low] [final]`: `ok` or what is wrong.
//! * `test analysis`: reverse postorder, dominators, frontiers, loops, live values.
//! * `test compile quick|opt[, aot][, bmi|avx]`: assembler text, exception clauses, traps, frame.
//! * `test pass NAME,*`: the function after the passes, which is verified before and after; `v256` for a processor with such
//!   vectors. What passes may know of types and methods is said in comments, see `support/facts.rs`.
//! * `test run [NAME,*]`: each line `;! method#N(args)` calls one of the file's functions in the interpreter. What comes out must be the
//!   same after the passes, singly and together, and after the whole pipeline.

#[path = "support/facts.rs"]
mod facts;
#[path = "support/run.rs"]
mod run;

use facts::Facts;
use shared_codegen::analysis::{Cfg, DominanceFrontier, Dominators, Liveness, Loops};
use shared_codegen::compile::{CodegenOptions, ConstPolicy, MachinePasses, Tier, compile};
use shared_codegen::ir::text::{parse_function, parse_functions};
use shared_codegen::ir::verify::{VerifyOptions, verify};
use shared_codegen::ir::{Block, Function, Type};
use shared_codegen::isa::x64::Features;
use shared_codegen::passes::PassContext;
use shared_codegen::passes::table::PassId;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[test]
fn filetests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(!files.is_empty());
    let bless = std::env::var_os("BLESS").is_some();
    let mut failures = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("readable test file");
        let result = run_file(&text);
        match result {
            Ok(new) if new == text => {}
            Ok(new) if bless => std::fs::write(&file, new).expect("writable test file"),
            Ok(new) => {
                let _ = writeln!(
                    failures,
                    "{}: {}",
                    file.display(),
                    first_difference(&text, &new)
                );
            }
            Err(e) => {
                let _ = writeln!(failures, "{}: {e}", file.display());
            }
        }
    }
    assert!(
        failures.is_empty(),
        "\n{failures}(BLESS=1 rewrites expectations)"
    );
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("test folder") {
        let path = entry.expect("test folder").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "ir") {
            files.push(path);
        }
    }
}

fn first_difference(old: &str, new: &str) -> String {
    let (mut a, mut b) = (old.lines(), new.lines());
    for n in 1.. {
        match (a.next(), b.next()) {
            (x, y) if x != y => {
                return format!(
                    "line {n}\n    expected: {}\n    found:    {}\n--- all that comes out:\n{new}",
                    x.unwrap_or("(end)"),
                    y.unwrap_or("(end)")
                );
            }
            (None, _) => break,
            _ => {}
        }
    }
    "differs in line ends".into()
}

/// The file as it should be: same functions, with the outputs that come out now.
fn run_file(text: &str) -> Result<String, String> {
    let command = text.lines().next().unwrap_or("");
    let words: Vec<&str> = command
        .split([' ', ','])
        .filter(|w| !w.is_empty())
        .collect();
    let (Some(&"test"), Some(&kind)) = (words.first(), words.get(1)) else {
        return Err("line 1 is not a test command".into());
    };
    let facts = Facts::parse(text, functions(text)?)?;
    if kind == "run" {
        return run::run_file(text, &words[2..]);
    }
    let mut new = String::new();
    let mut function = String::new();
    for line in text.lines() {
        if line.starts_with(";>") {
            continue;
        }
        new.push_str(line);
        new.push('\n');
        if line.starts_with("function ") || !function.is_empty() {
            function.push_str(line);
            function.push('\n');
        }
        if line == "}" {
            let f = parse_function(&function).map_err(|e| format!("{e}\n{function}"))?;
            round_trip(&f)?;
            for out in run_function(kind, &words[2..], f, &facts)?.lines() {
                new.push_str(format!(";> {out}").trim_end());
                new.push('\n');
            }
            function.clear();
        }
    }
    Ok(new)
}

/// All functions of a file, without the expectations.
fn functions(text: &str) -> Result<Vec<Function>, String> {
    let lines = text.lines().filter(|l| !l.starts_with(";>"));
    let start = lines.skip_while(|l| !l.starts_with("function "));
    let source: Vec<&str> = start.collect();
    parse_functions(&source.join("\n")).map_err(|e| e.to_string())
}

fn round_trip(f: &Function) -> Result<(), String> {
    let text = f.to_string();
    let again = parse_functions(&text).map_err(|e| format!("printed text: {e}\n{text}"))?;
    if again.as_slice() != std::slice::from_ref(f) {
        return Err(format!("does not survive printing and parsing:\n{text}"));
    }
    Ok(())
}

fn run_function(
    kind: &str,
    args: &[&str],
    mut f: Function,
    facts: &Facts,
) -> Result<String, String> {
    match kind {
        "print" => Ok(f.to_string()),
        "verify" => {
            let options = match args {
                [] => VerifyOptions::CLI,
                ["low"] => VerifyOptions::LOW,
                ["final"] => VerifyOptions::FINAL,
                _ => return Err(format!("test verify {args:?}?")),
            };
            Ok(verify(&f, options).map_or_else(|e| e.to_string(), |()| "ok".into()))
        }
        "analysis" => {
            verify(&f, VerifyOptions::CLI).map_err(|e| e.to_string())?;
            Ok(analysis(&f))
        }
        "pass" => {
            verify(&f, VerifyOptions::CLI).map_err(|e| e.to_string())?;
            let mut cx = PassContext::new(facts);
            for name in args {
                if *name == "v256" {
                    cx.vectors = Type::V256;
                    continue;
                }
                let pass =
                    PassId::from_name(name).ok_or_else(|| format!("no such pass: {name}"))?;
                pass.info().apply(&mut f, &cx);
                verify(&f, VerifyOptions::CLI).map_err(|e| format!("after {name}: {e}\n{f}"))?;
            }
            Ok(f.to_string())
        }
        "compile" => compiled(&f, args),
        _ => Err(format!("no such test command: {kind}")),
    }
}

fn compiled(f: &Function, args: &[&str]) -> Result<String, String> {
    verify(f, VerifyOptions::FINAL).map_err(|e| e.to_string())?;
    let options = CodegenOptions {
        tier: if args.contains(&"quick") {
            Tier::Quick
        } else {
            Tier::Opt
        },
        features: match () {
            () if args.contains(&"avx") => Features::all(),
            () if args.contains(&"bmi") => Features::BMI1 | Features::BMI2 | Features::LZCNT,
            () => Features::empty(),
        },
        machine: MachinePasses {
            align_loops: args.contains(&"align-loops"),
            peephole: args.contains(&"peephole"),
            gather_loops: args.contains(&"gather-loops"),
            anchor_values: args.contains(&"anchor-values"),
        },
        policy: if args.contains(&"aot") {
            ConstPolicy::Aot
        } else {
            ConstPolicy::Jit
        },
        checker: true,
        text: true,
    };
    let blob = compile(f, &options).map_err(|e| e.to_string())?;
    let mut out = blob.text.clone().unwrap_or_default();
    for (n, c) in blob.fixups.iter().enumerate() {
        let _ = writeln!(out, "constant {n}: {c:?}");
    }
    for c in &blob.clauses {
        let _ = writeln!(
            out,
            "{:?} of region {}: {:#x}..{:#x} to {:#x}, slot {}(%rbp)",
            c.kind, c.region, c.start, c.end, c.handler, c.eh_slot
        );
    }
    for t in &blob.traps {
        let _ = writeln!(out, "trap at {:#x}: {}", t.offset, t.kind.name());
    }
    let _ = writeln!(
        out,
        "frame {} saved {:#x}",
        blob.frame.size, blob.frame.saved
    );
    Ok(out)
}

fn analysis(f: &Function) -> String {
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let frontier = DominanceFrontier::new(&cfg, &doms);
    let loops = Loops::new(&cfg, &doms);
    let live = Liveness::new(f, &cfg);
    let list = |blocks: &[Block]| {
        let names: Vec<String> = blocks.iter().map(|b| b.to_string()).collect();
        names.join(" ")
    };
    let mut out = String::new();
    for &b in cfg.rpo() {
        let idom = doms.idom(b).map_or("-".into(), |d| d.to_string());
        let values: Vec<String> = live.live_in(b).iter().map(|v| v.to_string()).collect();
        let _ = writeln!(
            out,
            "{b}: idom {idom}, frontier [{}], loop depth {}, live in [{}]",
            list(frontier.of(b)),
            loops.depth(b),
            values.join(" ")
        );
    }
    for l in &loops.loops {
        let _ = writeln!(
            out,
            "loop of {}: [{}] from [{}]",
            l.header,
            list(&l.blocks),
            list(&l.latches)
        );
    }
    if loops.irreducible {
        out.push_str("irreducible\n");
    }
    out
}
