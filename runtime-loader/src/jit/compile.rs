//! Compiling a method and placing its code.
#![allow(unsafe_code, reason = "hands code addresses to Rust function types")]

use super::place::{Constants, place};
use super::{CodeMap, EntrySlot, helpers};
use crate::arch::native::cpu;
use crate::arch::native::thunks::Thunks;
use crate::icall::{Result, Thrown};
use crate::image::NotFromImage;
use crate::interp::{self, Refusal};
use crate::object::MethodDesc;
use crate::runtime::options::{JitTier, Options};
use crate::runtime::{Runtime, exit};
use core::sync::atomic::{AtomicU64, Ordering};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::abi::helper::HelperId;
use shared_codegen::compile::{CodegenOptions, Tier, compile_with};
use shared_codegen::emit::CodeBlob;
use shared_codegen::ir::Failure;
use shared_codegen::passes::{OptSet, Verify};
use shared_codegen::pipeline::{self, Plan, compile_method};
use shared_codegen::types::MethodId;
use std::collections::BTreeMap;
use std::time::Instant;

/// The compiler of a process.
pub struct Jit {
    helper_slots: Vec<EntrySlot>,
    plan: Plan,
    /// For methods that are interpreted: `-O`, else no passes.
    interpreter_plan: Plan,
    /// Thunk maker.
    pub thunks: Thunks,
    /// Exceptions of code that could not be compiled, by the address where the method's code starts.
    failures: Mutex<FxHashMap<usize, Vec<Failure>>>,
    native_cells: Mutex<FxHashMap<MethodId, EntrySlot>>,
    /// Figures.
    pub stats: JitStats,
}

/// What the compiler has done.
#[derive(Default, Debug)]
pub struct JitStats {
    /// Methods compiled.
    pub methods: AtomicU64,
    /// Nanoseconds spent.
    pub nanoseconds: AtomicU64,
    /// Bytes of code.
    pub bytes: AtomicU64,
    /// Methods of which only the stub was compiled, because they are interpreted.
    pub interpreted: AtomicU64,
    /// Methods that were to be interpreted and could not be.
    pub refused: Mutex<BTreeMap<Refusal, u64>>,
}

impl Jit {
    /// A compiler for these options.
    pub fn new(options: &Options) -> Result<Jit> {
        let memory = CodeMap::global().memory();
        let helper_slots = HelperId::ALL
            .iter()
            .map(|h| memory.new_slot(helpers::address(*h)))
            .collect::<core::result::Result<_, _>>()?;
        let tier = if options.jit == JitTier::Opt {
            Tier::Opt
        } else {
            Tier::Quick
        };
        let asked = options.optimize.as_ref().map(|list| OptSet::parse(list));
        let asked = asked
            .transpose()
            .map_err(|e| Thrown::system("ArgumentException", e.to_string()))?;
        let passes = match options.jit {
            JitTier::Quick => asked.unwrap_or(OptSet::quick()),
            JitTier::Opt => asked.unwrap_or(OptSet::all()),
            JitTier::Interpret => OptSet::quick(),
        };
        let codegen = CodegenOptions {
            tier,
            features: cpu::features(),
            checker: options.verify,
            ..CodegenOptions::jit()
        };
        let verify = if options.verify {
            Verify::Each
        } else {
            Verify::Off
        };
        Ok(Jit {
            helper_slots,
            plan: Plan {
                passes,
                codegen,
                verify,
                remarks: false,
                stages: false,
            },
            interpreter_plan: Plan {
                passes: asked.unwrap_or(OptSet::NONE),
                codegen,
                verify,
                remarks: false,
                stages: false,
            },
            thunks: Thunks::new(memory)?,
            failures: Mutex::default(),
            native_cells: Mutex::default(),
            stats: JitStats::default(),
        })
    }

    /// The cell with the address of a runtime helper.
    pub fn helper_slot(&self, helper: HelperId) -> EntrySlot {
        self.helper_slots[helper as usize]
    }

    /// The cell with the address of the native function of an internal call.
    pub fn native_cell(&self, rt: &Runtime, desc: &'static MethodDesc) -> Result<usize> {
        if let Some(cell) = self.native_cells.lock().get(&desc.method) {
            return Ok(cell.addr());
        }
        let cell = CodeMap::global().memory().new_slot(rt.native_code(desc)?)?;
        Ok(self
            .native_cells
            .lock()
            .entry(desc.method)
            .or_insert(cell)
            .addr())
    }

    /// Makes sure that a method (canonical) has code; returns its address.
    pub fn prepare(&self, rt: &Runtime, desc: &'static MethodDesc) -> Result<usize> {
        if let Some(code) = desc.compiled() {
            return Ok(code);
        }
        let address = match rt.images.take(rt, desc) {
            Ok(address) => address,
            Err(reason) => self.compile(rt, desc, &reason)?,
        };
        Ok(publish(rt, desc, address))
    }

    /// The code of a method (canonical) that has some or that an image supplies.
    pub fn precompiled(&self, rt: &Runtime, desc: &'static MethodDesc) -> Option<usize> {
        desc.compiled().or_else(|| {
            let address = rt.images.take(rt, desc).ok()?;
            Some(publish(rt, desc, address))
        })
    }

    fn compile(
        &self,
        rt: &Runtime,
        desc: &'static MethodDesc,
        reason: &NotFromImage,
    ) -> Result<usize> {
        let start = Instant::now();
        if rt.options.no_jit {
            exit::needs_jit(rt, desc.method, reason);
        }
        if rt.options.explain {
            let name = rt.types.method_full_name(desc.method);
            eprintln!("aotrun: {name} compiled: {reason}");
        }
        if rt.options.trace_compile {
            eprintln!("jit {}", rt.types.method_full_name(desc.method));
        }
        let interpreted = match rt.options.jit {
            JitTier::Interpret => self.interpreted(rt, desc),
            JitTier::Quick | JitTier::Opt => Ok(None),
        };
        let blob = interpreted
            .and_then(|stub| match stub {
                Some(stub) => Ok(stub),
                None => compile_method(&rt.types, desc.method, &self.plan),
            })
            .map_err(|e| failure(rt, desc, e))?;
        if let Some(reduced) = blob.reduced.filter(|_| rt.options.explain) {
            let name = rt.types.method_full_name(desc.method);
            eprintln!("aotrun: {name}: {}: {reduced}", reduced.code());
        }
        let address = self.place(rt, desc, &blob)?;
        self.stats.methods.fetch_add(1, Ordering::Relaxed);
        self.stats
            .bytes
            .fetch_add(blob.code.len() as u64, Ordering::Relaxed);
        self.stats
            .nanoseconds
            .fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        Ok(address)
    }

    /// The stub of a method that is to be interpreted, if it is one of the program's and can be.
    fn interpreted(
        &self,
        rt: &Runtime,
        desc: &MethodDesc,
    ) -> core::result::Result<Option<CodeBlob>, pipeline::Error> {
        if !interp::is_wanted(rt, desc) {
            return Ok(None);
        }
        match interp::prepare(rt, desc, &self.interpreter_plan)? {
            Ok(stub) => {
                self.stats.interpreted.fetch_add(1, Ordering::Relaxed);
                let emission = pipeline::emit_options(self.plan.codegen.policy);
                Ok(Some(compile_with(&stub, &self.plan.codegen, &emission)?))
            }
            Err(refusal) => {
                *self.stats.refused.lock().entry(refusal).or_default() += 1;
                if rt.options.explain {
                    let name = rt.types.method_full_name(desc.method);
                    eprintln!("aotrun: {name} compiled, not interpreted: {refusal}");
                }
                Ok(None)
            }
        }
    }

    fn place(&self, rt: &Runtime, desc: &'static MethodDesc, blob: &CodeBlob) -> Result<usize> {
        // Values first: finding them may load types or run out of memory.
        let mut bound = Bound::default();
        for fixup in &blob.fixups {
            bound.0.insert(*fixup, rt.fixup_value(*fixup)?);
        }
        let code = place(CodeMap::global(), blob, desc.method, &bound)?;
        if !blob.failures.is_empty() {
            self.failures
                .lock()
                .insert(code.start, blob.failures.clone());
        }
        Ok(code.start)
    }

    /// The exception a piece of a method raises because it could not be compiled.
    pub fn compile_failure(&self, code_start: usize, index: usize) -> Thrown {
        let failures = self.failures.lock();
        match failures.get(&code_start).and_then(|f| f.get(index)) {
            Some(f) => f.into(),
            None => Thrown::bare("System", "InvalidProgramException"),
        }
    }
}

/// The runtime constants of one method.
#[derive(Default)]
struct Bound(FxHashMap<Fixup, usize>);

impl Constants for Bound {
    fn value(&self, fixup: Fixup) -> u64 {
        self.cell(fixup) as u64
    }

    fn cell(&self, fixup: Fixup) -> usize {
        self.0
            .get(&fixup)
            .copied()
            .expect("the blob lists its constants")
    }

    fn code(&self, fixup: Fixup) -> usize {
        self.cell(fixup)
    }
}

/// The exception for a method that cannot be compiled.
fn failure(rt: &Runtime, desc: &MethodDesc, e: pipeline::Error) -> Thrown {
    let name = rt.types.method_full_name(desc.method);
    match e {
        pipeline::Error::Import(e) => {
            let mut failure = e.failure();
            // What is wrong with IL says nothing without the method.
            if !matches!(e, shared_codegen::import::Error::Type(_)) {
                failure.message = format!("{e} ({name})");
            }
            Thrown::from(&failure)
        }
        e => Thrown::system("ExecutionEngineException", format!("{name}: {e}")),
    }
}

/// Makes an address the code of a method, unless another thread was faster; returns what counts.
fn publish(rt: &Runtime, desc: &'static MethodDesc, address: usize) -> usize {
    let first = desc
        .code
        .compare_exchange(0, address, Ordering::AcqRel, Ordering::Acquire);
    if let Err(first) = first {
        return first;
    }
    if let Some(slot) = desc.entry.get() {
        slot.set_target(address);
    }
    rt.images.publish(desc.method, address);
    address
}
