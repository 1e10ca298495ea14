//! Compiling a method and placing its code.
#![allow(unsafe_code, reason = "hands code addresses to Rust function types")]

use super::code_map::{ContextLocation, MethodCode};
use super::{CodeMap, EntrySlot, helpers};
use crate::arch::native::thunks::Thunks;
use crate::icall::{Result, Thrown};
use crate::object::MethodDesc;
use crate::runtime::Runtime;
use crate::runtime::options::{JitTier, Options};
use core::sync::atomic::{AtomicU64, Ordering};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::abi::helper::HelperId;
use shared_codegen::compile::{CodegenOptions, Tier};
use shared_codegen::emit::{CodeBlob, Reloc, RelocKind};
use shared_codegen::ir::Failure;
use shared_codegen::passes::{OptSet, Verify};
use shared_codegen::pipeline::{self, Plan, compile_method};
use std::time::Instant;

/// The compiler of a process.
pub struct Jit {
    helper_slots: Vec<EntrySlot>,
    plan: Plan,
    /// Thunk maker.
    pub thunks: Thunks,
    /// Exceptions of code that could not be compiled, by the address where the method's code starts.
    failures: Mutex<FxHashMap<usize, Vec<Failure>>>,
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
}

impl Jit {
    /// A compiler for these options.
    pub fn new(options: &Options) -> Result<Jit> {
        let memory = CodeMap::global().memory();
        let helper_slots = HelperId::ALL.iter().map(|h| memory.new_slot(helpers::address(*h))).collect::<core::result::Result<_, _>>()?;
        let tier = if options.jit == JitTier::Opt { Tier::Opt } else { Tier::Quick };
        let mut passes = if tier == Tier::Opt { OptSet::all() } else { OptSet::quick() };
        if let Some(list) = &options.optimize {
            passes = OptSet::parse(list).map_err(|e| Thrown::system("ArgumentException", e.to_string()))?;
        }
        let codegen = CodegenOptions { tier, checker: options.verify, ..CodegenOptions::jit() };
        let verify = if options.verify { Verify::Each } else { Verify::Off };
        Ok(Jit {
            helper_slots,
            plan: Plan { passes, codegen, verify },
            thunks: Thunks::new(memory)?,
            failures: Mutex::default(),
            stats: JitStats::default(),
        })
    }

    /// The cell with the address of a runtime helper.
    pub fn helper_slot(&self, helper: HelperId) -> EntrySlot {
        self.helper_slots[helper as usize]
    }

    /// Makes sure that a method (canonical) has code; returns its address.
    pub fn prepare(&self, rt: &Runtime, desc: &'static MethodDesc) -> Result<usize> {
        if let Some(code) = desc.compiled() {
            return Ok(code);
        }
        let start = Instant::now();
        if rt.options.trace_compile {
            eprintln!("jit {}", rt.types.method_full_name(desc.method));
        }
        let blob = compile_method(&rt.types, desc.method, &self.plan).map_err(|e| failure(rt, desc, e))?;
        let address = self.place(rt, desc, &blob)?;
        self.stats.methods.fetch_add(1, Ordering::Relaxed);
        self.stats.bytes.fetch_add(blob.code.len() as u64, Ordering::Relaxed);
        self.stats.nanoseconds.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        match desc.code.compare_exchange(0, address, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                if let Some(slot) = desc.entry.get() {
                    slot.set_target(address);
                }
                Ok(address)
            }
            // Another thread was faster; its code counts.
            Err(first) => Ok(first),
        }
    }

    fn place(&self, rt: &Runtime, desc: &'static MethodDesc, blob: &CodeBlob) -> Result<usize> {
        // Values first: finding them may load types or run out of memory.
        let values = blob.relocs.iter().map(|r| rt.fixup_value(r.fixup)).collect::<Result<Vec<usize>>>()?;
        let memory = CodeMap::global().memory();
        let address = memory.allocate(blob.code.len())?;
        let mut code = blob.code.clone();
        for (reloc, value) in blob.relocs.iter().zip(values) {
            apply(&mut code, reloc, address, value);
        }
        memory.write(address, &code);
        if !blob.failures.is_empty() {
            self.failures.lock().insert(address, blob.failures.clone());
        }
        CodeMap::global().register(MethodCode {
            method: desc.method,
            start: address,
            len: blob.code_size,
            frame: blob.frame,
            clauses: blob.clauses.clone().into(),
            traps: blob.traps.clone().into(),
            lines: blob.lines.clone().into(),
            inline_sites: blob.inline_sites.clone().into(),
            context: ContextLocation::None,
        });
        Ok(address)
    }

    /// The exception a piece of a method raises because it could not be compiled.
    pub fn compile_failure(&self, code_start: usize, index: usize) -> Thrown {
        let failures = self.failures.lock();
        match failures.get(&code_start).and_then(|f| f.get(index)) {
            Some(f) => Thrown::of(f.namespace, f.class, f.message.clone()),
            None => Thrown::bare("System", "InvalidProgramException"),
        }
    }
}

fn apply(code: &mut [u8], reloc: &Reloc, start: usize, value: usize) {
    let at = reloc.offset as usize;
    match reloc.kind {
        RelocKind::Abs64 => code[at..at + 8].copy_from_slice(&(value as u64).to_le_bytes()),
        RelocKind::Cell32 | RelocKind::CallCell32 | RelocKind::Direct32 => {
            let from = (start + at + 4) as i64;
            let distance = value as i64 - from + i64::from(reloc.addend);
            let distance = i32::try_from(distance).expect("code and its cells lie within 2 GiB");
            code[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
    }
}

/// The exception for a method that cannot be compiled.
fn failure(rt: &Runtime, desc: &MethodDesc, e: pipeline::Error) -> Thrown {
    let name = rt.types.method_full_name(desc.method);
    match e {
        pipeline::Error::Import(e) => {
            let (namespace, class) = e.exception();
            Thrown::of(namespace, class, format!("{e} ({name})"))
        }
        e => Thrown::system("ExecutionEngineException", format!("{name}: {e}")),
    }
}
