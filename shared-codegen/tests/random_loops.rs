//! Random loops over arrays compute the same, raise the same and leave the same in memory before and after the passes on loops.
//! `RANDOM_PROGRAMS=n` tries more of them, `RANDOM_SEED=n` starts elsewhere.

use shared_codegen::abi::layout;
use shared_codegen::ir::eval::Const;
use shared_codegen::ir::fuzz::{ARRAY_FIELD, COUNT_FIELD, LoopProgram, Random, random_loop};
use shared_codegen::ir::interp::{InterpError, Memory, SimpleHost, run};
use shared_codegen::ir::verify::{VerifyOptions, verify};
use shared_codegen::ir::{Function, Imm, IntCc, MemType, Op, Type};
use shared_codegen::passes::table::PassId;
use shared_codegen::passes::{NoFacts, OptSet, PassContext, run_pipeline};
use shared_codegen::types::{MethodId, TypeId};
use std::collections::BTreeMap;

const FUEL: u64 = 20_000;

/// Arguments: lengths of the arrays or null, whether there is an object, its number, and the two numbers.
#[derive(Clone, Copy, Debug)]
struct Input {
    lengths: [Option<u32>; 4],
    object: bool,
    /// The second array is the first one.
    same: bool,
    count: i32,
    numbers: [i32; 2],
}

/// What can be seen of a run from outside.
#[derive(PartialEq, Debug)]
enum Seen {
    Value(u64),
    Exception(Option<TypeId>),
    TooLong,
}

fn array(mem: &mut Memory, ty: MemType, length: Option<u32>, salt: u64) -> u64 {
    let Some(length) = length else { return 0 };
    let bytes = layout::array::DATA as u64 + (length * ty.bytes()) as u64;
    let at = mem.alloc(bytes).expect("there is memory");
    let set = |mem: &mut Memory, offset: i32, ty, bits| {
        let done = mem.store(at + offset as u64, ty, bits);
        done.expect("inside the array");
    };
    set(mem, layout::array::LENGTH, MemType::I64, length as u64);
    for n in 0..length {
        let x = (n as u64 * 7 + salt) % 45;
        let bits = match ty {
            MemType::F32 => (x as f32).to_bits() as u64,
            MemType::F64 => (x as f64).to_bits(),
            _ => x,
        };
        let offset = layout::array::DATA + (n * ty.bytes()) as i32;
        set(mem, offset, ty, bits);
    }
    at
}

/// The result and the memory of a run.
fn observe(f: &Function, element: MemType, input: &Input) -> Result<(Seen, Vec<u8>), String> {
    let mut host = SimpleHost::new([f.clone()]);
    let mut mem = Memory::new();
    let start = mem.alloc(16).expect("there is memory");
    let types = [MemType::I32, MemType::I32, element, MemType::I32];
    let mut arrays = [0; 4];
    for n in 0..4 {
        arrays[n] = array(&mut mem, types[n], input.lengths[n], n as u64);
    }
    if input.same {
        arrays[1] = arrays[0];
    }
    let mut object = 0;
    if input.object {
        object = mem.alloc(48).expect("there is memory");
        let fields = [
            (ARRAY_FIELD, MemType::Ref, arrays[3]),
            (COUNT_FIELD, MemType::I32, input.count as u64),
        ];
        for (offset, ty, bits) in fields {
            let done = mem.store(object + offset as u64, ty, bits);
            done.expect("inside the object");
        }
    }
    let end = mem.alloc(16).expect("there is memory");
    let mut args: Vec<Const> = [arrays[0], arrays[1], arrays[2], object]
        .map(|a| Const::of(Type::Ref, a as i64))
        .into();
    args.extend(input.numbers.map(Const::i32));
    let seen = match run(&mut host, &mut mem, MethodId(1), &args, FUEL) {
        Ok(c) => Seen::Value(c.map_or(0, |c| c.bits)),
        Err(InterpError::Unhandled(object)) => Seen::Exception(host.type_of(&mem, object)),
        Err(InterpError::OutOfFuel) => Seen::TooLong,
        Err(e) => return Err(e.to_string()),
    };
    let bytes = mem.bytes(start, end - start).expect("it was allocated");
    Ok((seen, bytes.to_vec()))
}

/// Passes that prepare loops, then those on loops, each of which may be the last.
const CHAIN: [PassId; 13] = {
    use PassId::*;
    [
        SimplifyCfg,
        Gvn,
        BoundsCheckElim,
        StrengthReduce,
        RotateLoops,
        SimplifyCfg,
        Licm,
        PromoteLoads,
        Vectorize,
        SplitLoops,
        Gvn,
        StoreElim,
        Dce,
    ]
};

/// Functions that passes changed, and how often the operations on vectors occur.
type Changes = BTreeMap<&'static str, u32>;

fn variants(f: &Function, changes: &mut Changes) -> Result<Vec<(String, Function)>, String> {
    let mut cx = PassContext::new(&NoFacts);
    let mut all = Vec::new();
    let chains = [
        (Type::V128, None),
        (Type::V256, None),
        (Type::V256, Some(PassId::Licm)),
        (Type::V128, Some(PassId::Gvn)),
        (Type::V256, Some(PassId::SplitLoops)),
    ];
    for (vectors, skipped) in chains {
        cx.vectors = vectors;
        let mut g = f.clone();
        for pass in CHAIN {
            if skipped == Some(pass) {
                continue;
            }
            let name = pass.info().name;
            *changes.entry(name).or_default() += pass.info().apply(&mut g, &cx) as u32;
            verify(&g, VerifyOptions::CLI).map_err(|e| format!("after {name}: {e}\n{g}"))?;
        }
        for &i in g.layout.iter().flat_map(|b| &g.blocks[b.index()].insts) {
            let op = g.insts[i.index()].op;
            if op.is_vector() {
                *changes.entry(op.info().name).or_default() += 1;
            }
        }
        let name = format!("the chain without {skipped:?}, up to {}", vectors.name());
        all.push((name, g));
    }
    let mut g = f.clone();
    let everything: OptSet = PassId::ALL.iter().copied().collect();
    run_pipeline(&mut g, &everything, &cx).map_err(|e| format!("the pipeline: {e}"))?;
    verify(&g, VerifyOptions::FINAL).map_err(|e| format!("after the pipeline: {e}\n{g}"))?;
    all.push(("the pipeline".to_owned(), g));
    Ok(all)
}

fn inputs(r: &mut Random) -> Vec<Input> {
    let all = |n| Input {
        lengths: [Some(n); 4],
        object: true,
        same: false,
        count: n as i32,
        numbers: [n as i32, 1],
    };
    let mut inputs = vec![all(16), all(7), all(1), all(0)];
    let long = all(33 + r.below(40) as u32);
    inputs.extend([
        long,
        Input { same: true, ..long },
        all(70 + r.below(90) as u32),
    ]);
    let extreme = [i32::MAX, i32::MIN, -1, i32::MAX - 2];
    for _ in 0..6 {
        let mut length = || match r.below(12) {
            0 => None,
            1..=4 => Some(r.below(80) as u32),
            _ => Some(r.below(30) as u32),
        };
        let lengths = [length(), length(), length(), length()];
        let mut number = || match r.below(8) {
            0 => extreme[r.below(4)],
            _ => r.below(24) as i32 - 3,
        };
        inputs.push(Input {
            lengths,
            count: number(),
            numbers: [number(), number()],
            object: r.below(10) != 0,
            same: r.below(4) == 0,
        });
    }
    inputs
}

fn check(seed: u64, changes: &mut Changes) -> Result<(), String> {
    let LoopProgram {
        function: f,
        element,
    } = random_loop(seed);
    verify(&f, VerifyOptions::CLI).map_err(|e| format!("as built: {e}\n{f}"))?;
    let variants = variants(&f, changes)?;
    for input in inputs(&mut Random::new(seed)) {
        let plain = observe(&f, element, &input).map_err(|e| format!("as built: {e}\n{f}"))?;
        if plain.0 == Seen::TooLong {
            continue;
        }
        for (name, g) in &variants {
            let other = observe(g, element, &input);
            let other = other.map_err(|e| format!("{input:?} after {name}: {e}\n{f}\n{g}"))?;
            if other != plain {
                return Err(format!(
                    "{input:?} gives {:x?}, after {name} {:x?}, the memory is {}\n{f}\nafter {name}:\n{g}",
                    plain.0,
                    other.0,
                    if plain.1 == other.1 {
                        "equal"
                    } else {
                        "different"
                    }
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
fn passes_keep_what_random_loops_compute() {
    let first = number("RANDOM_SEED", 1);
    let count = number("RANDOM_PROGRAMS", 600);
    let mut changes = Changes::new();
    for seed in first..first + count {
        if let Err(why) = check(seed, &mut changes) {
            panic!("seed {seed}: {why}");
        }
    }
    // Otherwise nothing was tried.
    for pass in [
        PassId::StrengthReduce,
        PassId::RotateLoops,
        PassId::Licm,
        PassId::SplitLoops,
        PassId::Vectorize,
    ] {
        let name = pass.info().name;
        assert!(changes[name] as u64 > count / 8, "{name}: {changes:?}");
    }
    for op in Op::ALL.iter().filter(|op| op.is_vector() && count >= 500) {
        let name = op.info().name;
        assert!(changes.contains_key(name), "no {name}: {changes:?}");
    }
    let name = PassId::PromoteLoads.info().name;
    assert!(changes[name] as u64 > count / 40, "{name}: {changes:?}");
}

/// A fault that a pass could have: its name, and what it does to functions.
type Fault = (&'static str, fn(&mut Function));

const FAULTS: [Fault; 3] = [
    ("checks are lost", |f| {
        let lost: Vec<bool> = f.insts.iter().map(|i| i.op == Op::BoundsCheck).collect();
        for b in f.layout.clone() {
            f.blocks[b.index()].insts.retain(|i| !lost[i.index()]);
        }
    }),
    ("a round too many", |f| {
        for data in f.insts.iter_mut().filter(|d| d.op == Op::Icmp) {
            if data.imm == Imm::IntCc(IntCc::Slt) {
                data.imm = Imm::IntCc(IntCc::Sle);
            }
        }
    }),
    ("stores move behind checks", |f| {
        for b in f.layout.clone() {
            let insts = &mut f.blocks[b.index()].insts;
            for n in 1..insts.len() {
                let ops = [n - 1, n].map(|k| f.insts[insts[k].index()].op);
                if ops[0] == Op::Store && matches!(ops[1], Op::BoundsCheck | Op::NullCheck) {
                    insts.swap(n - 1, n);
                }
            }
        }
    }),
];

/// What the comparison is for: if a pass did this, some of the loops would tell.
#[test]
fn faults_are_noticed() {
    for (name, fault) in FAULTS {
        let noticed = (1..400).any(|seed| {
            let LoopProgram {
                function: f,
                element,
            } = random_loop(seed);
            let mut g = f.clone();
            fault(&mut g);
            inputs(&mut Random::new(seed)).iter().any(|input| {
                let plain = observe(&f, element, input);
                let ends = plain.as_ref().is_ok_and(|p| p.0 != Seen::TooLong);
                ends && observe(&g, element, input) != plain
            })
        });
        assert!(noticed, "{name}");
    }
}
