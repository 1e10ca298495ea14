//! Random programs compute the same before and after every pass and the whole pipeline. `RANDOM_PROGRAMS=n` tries more of them,
//! `RANDOM_SEED=n` starts elsewhere. A failing program is reduced and printed.

use shared_codegen::ir::eval::Const;
use shared_codegen::ir::fuzz::{Program, build, generate, reduce};
use shared_codegen::ir::interp::{InterpError, Memory, SimpleHost, run};
use shared_codegen::ir::text::parse_function;
use shared_codegen::ir::verify::{VerifyOptions, verify};
use shared_codegen::ir::{Function, Imm, Op};
use shared_codegen::passes::table::PassId;
use shared_codegen::passes::{NoFacts, OptSet, PassContext, run_pipeline};
use shared_codegen::types::{MethodId, TypeId};

const FUEL: u64 = 50_000;

/// What can be seen of a run from outside.
#[derive(PartialEq, Debug)]
enum Seen {
    Value(u64),
    Exception(Option<TypeId>),
    TooLong,
}

fn observe(f: &Function, args: &[Const]) -> Result<(Seen, Vec<u64>), String> {
    let mut host = SimpleHost::new([f.clone()]);
    let mut mem = Memory::new();
    let seen = match run(&mut host, &mut mem, MethodId(1), args, FUEL) {
        Ok(c) => Seen::Value(c.map_or(0, |c| c.bits)),
        Err(InterpError::Unhandled(object)) => Seen::Exception(host.type_of(&mem, object)),
        Err(InterpError::OutOfFuel) => Seen::TooLong,
        Err(e) => return Err(e.to_string()),
    };
    Ok((seen, host.log.iter().map(|(_, a)| a[0].bits).collect()))
}

/// Runs that must agree, each with a name.
fn variants(f: &Function) -> Result<Vec<(String, Function)>, String> {
    let cx = PassContext::new(&NoFacts);
    let mut all = Vec::new();
    for &pass in PassId::ALL {
        let info = pass.info();
        if info.required {
            continue;
        }
        let mut g = f.clone();
        info.apply(&mut g, &cx);
        verify(&g, VerifyOptions::CLI).map_err(|e| format!("after {}: {e}\n{g}", info.name))?;
        all.push((info.name.to_owned(), g));
    }
    for (name, opts) in [
        ("the required passes", OptSet::default()),
        ("the pipeline", PassId::ALL.iter().copied().collect()),
    ] {
        let mut g = f.clone();
        run_pipeline(&mut g, &opts, &cx).map_err(|e| format!("{name}: {e}"))?;
        verify(&g, VerifyOptions::FINAL).map_err(|e| format!("after {name}: {e}\n{g}"))?;
        all.push((name.to_owned(), g));
    }
    Ok(all)
}

fn check(program: &Program) -> Result<(), String> {
    let f = build(program);
    verify(&f, VerifyOptions::CLI).map_err(|e| format!("as built: {e}\n{f}"))?;
    let text = f.to_string();
    match parse_function(&text) {
        Ok(g) if g.to_string() == text => {}
        Ok(_) => return Err(format!("the text changes\n{text}")),
        Err(e) => return Err(format!("the text cannot be read: {e}\n{text}")),
    }
    let variants = variants(&f)?;
    let inputs = [
        (0, 0, 0.0),
        (5, -3, 2.5),
        (-1, i64::MAX, f64::NAN),
        (i32::MIN, 7, -1e20),
    ];
    for (a, b, c) in inputs {
        let args = [Const::i32(a), Const::i64(b), Const::f64(c)];
        let plain = observe(&f, &args)?;
        if plain.0 == Seen::TooLong {
            continue;
        }
        for (name, g) in &variants {
            let other = observe(g, &args).map_err(|e| format!("after {name}: {e}\n{g}"))?;
            if other != plain {
                return Err(format!(
                    "{args:?} gives {plain:x?}, after {name} {other:x?}\n{f}\nafter {name}:\n{g}"
                ));
            }
        }
    }
    Ok(())
}

fn number(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.and_then(|v| v.parse().ok()).unwrap_or(default)
}

#[test]
fn passes_keep_what_random_programs_compute() {
    let first = number("RANDOM_SEED", 1);
    for seed in first..first + number("RANDOM_PROGRAMS", 300) {
        let program = generate(seed);
        if check(&program).is_err() {
            let small = reduce(program, |p| check(p).is_err());
            let why = check(&small).expect_err("the reduced program fails too");
            panic!("seed {seed}: {small:?}\n{why}");
        }
    }
}

/// A fault that a pass could have: its name, and what it does to functions.
type Fault = (&'static str, fn(&mut Function));

const FAULTS: [Fault; 4] = [
    ("overflow is not looked for", |f| {
        for data in f.insts.iter_mut().filter(|d| d.op == Op::AddOvfS) {
            data.op = Op::Iadd;
        }
    }),
    ("exceptions change places with calls", |f| {
        for b in f.layout.clone() {
            let insts = &mut f.blocks[b.index()].insts;
            for n in 1..insts.len() {
                let [first, second] = [n - 1, n].map(|k| &f.insts[insts[k].index()]);
                let throws = matches!(second.op, Op::DivS | Op::RemS | Op::AddOvfS | Op::ConvOvfS);
                let needs = |v| second.args.contains(&v);
                if first.op == Op::Call && throws && !first.result.is_some_and(needs) {
                    insts.swap(n - 1, n);
                }
            }
        }
    }),
    ("a handler sees a variable as it was", |f| {
        let lost: Vec<bool> = f.insts.iter().map(|i| i.op == Op::SlotStore).collect();
        for b in f.layout.clone() {
            if f.blocks[b.index()].region.is_some() {
                f.blocks[b.index()].insts.retain(|i| !lost[i.index()]);
            }
        }
    }),
    ("minus zero is zero", |f| {
        for data in f.insts.iter_mut().filter(|d| d.op == Op::Fconst) {
            if data.imm == Imm::Float((-0.0f64).to_bits()) {
                data.imm = Imm::Float(0);
            }
        }
    }),
];

/// What the comparison is for: if a pass did this, some of the programs would tell.
#[test]
fn faults_are_noticed() {
    let args = [Const::i32(5), Const::i64(-3), Const::f64(2.5)];
    for (name, fault) in FAULTS {
        let noticed = (1..3000).any(|seed| {
            let f = build(&generate(seed));
            let mut g = f.clone();
            fault(&mut g);
            let plain = observe(&f, &args);
            let ends = plain.as_ref().is_ok_and(|p| p.0 != Seen::TooLong);
            ends && observe(&g, &args) != plain
        });
        assert!(noticed, "{name}");
    }
}
