//! Compiles everything in real class libraries with all proofs on.

use shared_codegen::compile::{CodegenOptions, Tier};
use shared_codegen::passes::{OptSet, Verify};
use shared_codegen::pipeline::{Error, Plan, compile_method};
use shared_codegen::types::{MethodId, TypeContext, binding};
use std::collections::BTreeMap;

fn context() -> TypeContext {
    let path = binding::SearchPath::system(None);
    TypeContext::new(Box::new(binding::StandardBinder::reading(path)))
        .expect("mscorlib is installed")
}

/// Every method of a module in canonical form: generic parameters become `Canon`.
fn methods(ctx: &TypeContext, module: shared_codegen::types::ModuleId) -> Vec<MethodId> {
    let mut all = Vec::new();
    for row in ctx.module(module).rows() {
        let def = ctx.type_def(module, row);
        let count = ctx.generic_count(def);
        let owner = if count == 0 {
            def
        } else {
            ctx.instance(def, &vec![ctx.canon(); count as usize])
        };
        for m in ctx.methods(owner).unwrap_or_default() {
            let args = vec![ctx.canon(); ctx.generic_param_count(m) as usize];
            all.push(ctx.with_method_args(m, ctx.list(&args)));
        }
    }
    all
}

fn compile_all(ctx: &TypeContext, module: shared_codegen::types::ModuleId, plan: &Plan) {
    let mut failures: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let (mut compiled, mut bytes) = (0, 0);
    for m in methods(ctx, module) {
        if ctx.method_is_abstract(m) {
            continue;
        }
        let name = ctx.method_full_name(m);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            compile_method(ctx, m, plan)
        }));
        let reason = match outcome {
            Ok(Ok(blob)) => {
                bytes += blob.code.len();
                compiled += 1;
                continue;
            }
            Ok(Err(Error::Import(e))) => format!("import: {e}"),
            Ok(Err(e)) => format!(
                "DEFECT {}",
                e.to_string()
                    .lines()
                    .take(3)
                    .map(|l| l.chars().take(160).collect::<String>())
                    .collect::<Vec<_>>()
                    .join(" | ")
            ),
            Err(p) => format!(
                "PANIC {}",
                p.downcast_ref::<String>()
                    .cloned()
                    .or_else(|| p.downcast_ref::<&str>().map(|s| s.to_string()))
                    .unwrap_or_default()
                    .chars()
                    .take(200)
                    .collect::<String>()
            ),
        };
        let entry = failures.entry(reason).or_insert((0, name));
        entry.0 += 1;
    }
    println!("compiled {compiled}, {bytes} bytes");
    let mut sorted: Vec<_> = failures.iter().collect();
    sorted.sort_by_key(|(_, (n, _))| std::cmp::Reverse(*n));
    for (reason, (n, example)) in &sorted {
        println!("{n:6} {reason}   e.g. {example}");
    }
    let defects = sorted
        .iter()
        .filter(|(r, _)| !r.starts_with("import"))
        .count();
    assert_eq!(defects, 0, "defects of the compiler");
}

fn plan() -> Plan {
    Plan {
        passes: OptSet::quick(),
        codegen: CodegenOptions {
            tier: Tier::Quick,
            ..CodegenOptions::jit()
        },
        verify: Verify::Each,
        remarks: false,
        stages: false,
    }
}

#[test]
fn mscorlib_compiles() {
    let ctx = context();
    compile_all(&ctx, ctx.corlib(), &plan());
}

#[test]
fn mscorlib_compiles_optimized() {
    let ctx = context();
    let plan = Plan {
        passes: OptSet::all(),
        ..plan()
    };
    compile_all(&ctx, ctx.corlib(), &plan);
}

/// Prints the imported IR of the methods of mscorlib whose full name contains `$IR_OF` (a tool for debugging).
#[test]
#[ignore = "prints, checks nothing"]
fn print_ir() {
    let Ok(wanted) = std::env::var("IR_OF") else {
        return;
    };
    let ctx = context();
    for m in methods(&ctx, ctx.corlib()) {
        if ctx.method_full_name(m).contains(&wanted) {
            match shared_codegen::import::import_method(&ctx, m, &Default::default()) {
                Ok(f) => println!("{f}"),
                Err(e) => println!("{e}"),
            }
        }
    }
}

/// Register allocation of everything, both ways, proved.
#[test]
#[ignore = "takes half a minute"]
fn mscorlib_allocations_are_right() {
    let ctx = context();
    for tier in [Tier::Opt, Tier::Quick] {
        let mut plan = plan();
        plan.codegen.tier = tier;
        plan.codegen.checker = true;
        plan.verify = Verify::Ends;
        compile_all(&ctx, ctx.corlib(), &plan);
    }
}

/// Prints the code of the methods of mscorlib whose full name contains `METHOD`.
#[test]
#[ignore = "for people"]
fn show() {
    let wanted = std::env::var("METHOD").unwrap_or_default();
    let ctx = context();
    for tier in [Tier::Quick, Tier::Opt] {
        let mut plan = plan();
        plan.codegen.tier = tier;
        plan.codegen.text = true;
        for m in methods(&ctx, ctx.corlib()) {
            let name = ctx.method_full_name(m);
            if name.contains(&wanted)
                && let Ok(blob) = compile_method(&ctx, m, &plan)
            {
                println!("{name} {tier:?}, {} bytes", blob.code.len());
                println!("{}", blob.text.unwrap_or_default());
            }
        }
    }
}

/// Prints how long the stages take over all of mscorlib, one thread (a tool; `PASSES=quick|all`).
#[test]
#[ignore = "measures, checks nothing"]
fn stage_times() {
    use shared_codegen::import::{ContextOracle, ImportOptions, import_method};
    use shared_codegen::passes::{PassContext, run_pipeline};
    use std::time::{Duration, Instant};

    let ctx = context();
    let options = ImportOptions::default();
    let opts = match std::env::var("PASSES").as_deref() {
        Ok("all") => OptSet::all(),
        _ => OptSet::quick(),
    };
    let codegen = CodegenOptions::jit();
    let mut times: BTreeMap<String, (Duration, i64)> = BTreeMap::new();
    let mut add = |name: &str, time: Duration, insts: i64| {
        let entry = times.entry(name.to_owned()).or_default();
        entry.0 += time;
        entry.1 += insts;
    };
    for m in methods(&ctx, ctx.corlib()) {
        if ctx.method_is_abstract(m) {
            continue;
        }
        let start = Instant::now();
        let Ok(mut f) = import_method(&ctx, m, &options) else {
            continue;
        };
        let insts = |f: &shared_codegen::ir::Function| {
            let blocks = f.layout.iter();
            blocks.map(|b| f.blocks[b.index()].insts.len() as i64).sum()
        };
        add("0 import", start.elapsed(), insts(&f));
        let oracle = ContextOracle { ctx: &ctx, options };
        let mut cx = PassContext::new(&oracle);
        cx.verify = Verify::Off;
        let Ok(report) = run_pipeline(&mut f, &opts, &cx) else {
            continue;
        };
        for (n, run) in report.runs.iter().enumerate() {
            let name = format!("1 {n:2} {}", run.pass.info().name);
            add(&name, run.time, run.after as i64 - run.before as i64);
        }
        let start = Instant::now();
        let _ = shared_codegen::compile::compile(&f, &codegen);
        add("2 back end", start.elapsed(), insts(&f));
    }
    for (name, (time, insts)) in times {
        println!("{:8.1} ms {insts:+9} {name}", time.as_secs_f64() * 1e3);
    }
}
