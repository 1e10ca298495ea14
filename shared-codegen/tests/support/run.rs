//! `test run`: calls of functions in the interpreter, before and after passes.

use shared_codegen::ir::eval::Const;
use shared_codegen::ir::interp::{InterpError, Memory, SimpleHost, run};
use shared_codegen::ir::text::parse_functions;
use shared_codegen::ir::verify::{VerifyOptions, verify};
use shared_codegen::ir::{Function, Type};
use shared_codegen::passes::table::PassId;
use shared_codegen::passes::{NoFacts, OptSet, PassContext, run_pipeline};
use shared_codegen::types::MethodId;

const FUEL: u64 = 100_000;

pub fn run_file(text: &str, passes: &[&str]) -> Result<String, String> {
    let (_, body) = text.split_once('\n').unwrap_or(("", ""));
    let functions = parse_functions(body).map_err(|e| e.to_string())?;
    for f in &functions {
        verify(f, VerifyOptions::CLI).map_err(|e| e.to_string())?;
        super::round_trip(f)?;
    }
    let variants = variants(&functions, passes)?;
    let mut new = String::new();
    for line in text.lines().filter(|l| !l.starts_with(";>")) {
        new.push_str(line);
        new.push('\n');
        let Some(call) = line.strip_prefix(";!") else {
            continue;
        };
        let plain = call_text(&functions, call)?;
        for (name, functions) in &variants {
            let other = call_text(functions, call)?;
            if other != plain {
                return Err(format!("{call} gives {plain}, but {other} after {name}"));
            }
        }
        new.push_str(&format!(";> {plain}\n"));
    }
    Ok(new)
}

/// The functions after each pass, after all of them, and after the whole pipeline.
fn variants(
    functions: &[Function],
    passes: &[&str],
) -> Result<Vec<(String, Vec<Function>)>, String> {
    let cx = PassContext::new(&NoFacts);
    let mut variants = Vec::new();
    let mut all = functions.to_vec();
    for name in passes {
        let pass = PassId::from_name(name).ok_or_else(|| format!("no such pass: {name}"))?;
        let mut one = functions.to_vec();
        for f in one.iter_mut().chain(&mut all) {
            pass.info().apply(f, &cx);
            verify(f, VerifyOptions::CLI).map_err(|e| format!("after {name}: {e}\n{f}"))?;
        }
        variants.push((name.to_string(), one));
    }
    variants.push(("all passes named".into(), all));
    let mut low = functions.to_vec();
    for f in &mut low {
        run_pipeline(f, &PassId::ALL.iter().copied().collect::<OptSet>(), &cx)
            .map_err(|e| e.to_string())?;
        verify(f, VerifyOptions::FINAL).map_err(|e| format!("after the pipeline: {e}\n{f}"))?;
    }
    variants.push(("the pipeline".into(), low));
    Ok(variants)
}

/// Runs `method#N(args)` and says what comes out.
fn call_text(functions: &[Function], call: &str) -> Result<String, String> {
    let bad = || format!("not a call: {call}");
    let call = call.trim();
    let (name, rest) = call.split_once('(').ok_or_else(bad)?;
    let n: u32 = name
        .strip_prefix("method#")
        .and_then(|n| n.parse().ok())
        .ok_or_else(bad)?;
    let f = functions
        .iter()
        .find(|f| f.method == Some(MethodId(n)))
        .ok_or_else(|| format!("no function is method#{n}"))?;
    let words = rest.trim_end_matches(')').split(',').map(str::trim);
    let args: Option<Vec<Const>> = words
        .filter(|w| !w.is_empty())
        .zip(&f.sig.params)
        .map(|(w, &ty)| argument(w, ty))
        .collect();
    let args = args.ok_or_else(bad)?;
    let mut host = SimpleHost::new(functions.iter().cloned());
    let mut mem = Memory::new();
    let outcome = run(&mut host, &mut mem, MethodId(n), &args, FUEL);
    let mut text = match outcome {
        Ok(None) => "returns".to_owned(),
        Ok(Some(c)) => show(c),
        Err(InterpError::Unhandled(object)) => match host.type_of(&mem, object) {
            Some(t) => format!("exception type#{}", t.0),
            None => "exception of unknown type".into(),
        },
        Err(e) => return Err(format!("{call}: {e}")),
    };
    for (m, args) in &host.log {
        let args: Vec<String> = args.iter().map(|&c| show(c)).collect();
        text.push_str(&format!(", called method#{}({})", m.0, args.join(", ")));
    }
    Ok(text)
}

fn argument(word: &str, ty: Type) -> Option<Const> {
    match ty {
        Type::I32 | Type::I64 => word.parse().ok().map(|n| Const::of(ty, n)),
        Type::F32 => word.parse().ok().map(Const::f32),
        Type::F64 => word.parse().ok().map(Const::f64),
        Type::Ref | Type::ByRef => (word == "null").then(|| Const::of(ty, 0)),
        Type::V128 | Type::V256 => None,
    }
}

/// NaNs are all one; addresses only null or not.
fn show(c: Const) -> String {
    match c.ty {
        Type::I32 | Type::I64 => c.signed().to_string(),
        Type::F32 | Type::F64 if c.float().is_nan() => "NaN".into(),
        Type::F32 => format!("{:?}", f32::from_bits(c.bits as u32)),
        Type::F64 => format!("{:?}", c.float()),
        Type::Ref | Type::ByRef if c.bits == 0 => "null".into(),
        Type::Ref | Type::ByRef => "an address".into(),
        Type::V128 | Type::V256 => "a vector".into(),
    }
}
