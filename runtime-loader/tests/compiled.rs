//! Code of the code generator under the unwinder, the polls and the collector. The class libraries are played by
//! a host that knows a handful of method numbers.
#![allow(unsafe_code, reason = "calls compiled code")]

use parking_lot::{Mutex, MutexGuard};
use runtime_loader::arch::native::calls::{CallKind, ManagedCall};
use runtime_loader::arch::native::cpu;
use runtime_loader::arch::native::stubs;
use runtime_loader::arch::native::thunks::Thunks;
use runtime_loader::eh::{self, Frame, Host, TraceFrame, TraceStart};
use runtime_loader::gc::{self, GcMap, raw};
use runtime_loader::jit::place::{Constants, place};
use runtime_loader::jit::{CodeMap, EntrySlot};
use runtime_loader::threads::{self, ThreadContext};
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::abi::helper::HelperId;
use shared_codegen::abi::layout::method_table as mt;
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::compile::{CodegenOptions, ConstPolicy, MachinePasses, Tier, compile};
use shared_codegen::emit::{ClauseKind, EhClause};
use shared_codegen::ir::Type;
use shared_codegen::ir::text::parse_functions;
use shared_codegen::isa::x64::Features;
use shared_codegen::types::{MethodId, TypeId};
use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Methods by number; the exception "objects" are made-up addresses.
const SOURCE: &str = include_str!("compiled.ir");

struct Program {
    thunks: Thunks,
    entries: Vec<EntrySlot>,
    helpers: HashMap<HelperId, EntrySlot>,
    natives: Vec<EntrySlot>,
    options: CodegenOptions,
}

// Quick code with immediates, optimized code with cells, the same for this processor.
static PROGRAMS: LazyLock<[Program; 3]> = LazyLock::new(|| {
    eh::install_host(&HOST);
    eh::signals::install().unwrap();
    let quick = CodegenOptions {
        checker: true,
        ..CodegenOptions::jit()
    };
    let opt = CodegenOptions {
        tier: Tier::Opt,
        policy: ConstPolicy::Aot,
        features: Features::empty(),
        machine: MachinePasses::ALL,
        ..quick
    };
    let host = CodegenOptions {
        features: cpu::features(),
        ..opt
    };
    [
        Program::new(0, quick),
        Program::new(1, opt),
        Program::new(2, host),
    ]
});
static ONE: Mutex<()> = Mutex::new(());

extern "C" fn new_object(table: usize) -> usize {
    // SAFETY: compiled code passes the one method table there is, whose objects have 32 bytes.
    unsafe { raw::allocate(table, 32) }
}

extern "C" fn native_throws(exception: usize) -> usize {
    threads::current().set_pending_exception(exception);
    0
}

extern "C" fn native_collects(object: usize) -> usize {
    gc::collect();
    object
}

impl Program {
    fn new(number: u32, options: CodegenOptions) -> Program {
        let map = CodeMap::global();
        let memory = map.memory();
        let thunks = Thunks::new(memory).unwrap();
        let count = parse_functions(SOURCE).unwrap().len() as u32;
        let entries = (0..count)
            .map(|i| thunks.new_entry(number << 16 | i).unwrap())
            .collect();
        let helper = |h, stub: usize| (h, memory.new_slot(stub).unwrap());
        let stub = |s: unsafe extern "C" fn()| s as *const () as usize;
        let helpers = HashMap::from([
            helper(HelperId::Throw, stub(stubs::throw)),
            helper(HelperId::Rethrow, stub(stubs::rethrow)),
            helper(HelperId::ThrowPending, stub(stubs::throw_pending)),
            helper(HelperId::ResumeUnwind, stub(stubs::resume_unwind)),
            helper(HelperId::Poll, stub(stubs::poll)),
            helper(HelperId::PollWide, stub(stubs::poll_wide)),
            helper(HelperId::NewObject, new_object as *const () as usize),
        ]);
        let natives = [
            native_throws as *const () as usize,
            native_collects as *const () as usize,
        ];
        let natives = natives.map(|n| memory.new_slot(n).unwrap()).into();
        Program {
            thunks,
            entries,
            helpers,
            natives,
            options,
        }
    }

    fn compile(&self, index: usize) -> usize {
        let mut functions = parse_functions(SOURCE).unwrap();
        let function = functions.swap_remove(index);
        let blob =
            compile(&function, &self.options).unwrap_or_else(|e| panic!("{}: {e}", function.name));
        let code = place(CodeMap::global(), &blob, MethodId(index as u32), self).unwrap();
        self.entries[index].set_target(code.start);
        code.start
    }

    /// Calls a function by name; result and pending exception.
    fn call(&self, name: &str, args: &[u64]) -> (u64, usize) {
        let functions = parse_functions(SOURCE).unwrap();
        let index = functions.iter().position(|f| f.name == name).unwrap();
        let t = threads::current();
        let entry = self.thunks.entry(self.entries[index]).unwrap();
        let mut call = ManagedCall::new(entry, CallKind::Catch);
        call.ints[..args.len()].copy_from_slice(args);
        // SAFETY: the functions take integers and references only.
        unsafe { call.run(t) };
        (call.int_result, t.take_pending_exception())
    }
}

impl Constants for Program {
    fn value(&self, fixup: Fixup) -> u64 {
        match fixup {
            Fixup::MethodTable(_) => *NODE as u64,
            other => panic!("no value for {other:?}"),
        }
    }

    fn cell(&self, fixup: Fixup) -> usize {
        match fixup {
            Fixup::MethodEntry(m) => self.entries[m.0 as usize].addr(),
            Fixup::NativeCode(m) => self.natives[m.0 as usize].addr(),
            Fixup::Helper(h) => self.helpers[&h].addr(),
            Fixup::MethodTable(_) => {
                static CELL: LazyLock<EntrySlot> =
                    LazyLock::new(|| CodeMap::global().memory().new_slot(*NODE).unwrap());
                CELL.addr()
            }
            other => panic!("no cell for {other:?}"),
        }
    }

    fn code(&self, fixup: Fixup) -> usize {
        panic!("no direct call of {fixup:?}")
    }
}

/// A class of two references.
static NODE: LazyLock<usize> = LazyLock::new(|| {
    let table = vec![0u64; mt::VTABLE as usize / 8].leak();
    let map = Box::leak(Box::new(GcMap::object(&[16, 24])));
    table[mt::COMPONENT_SIZE as usize / 8] = 32 << 32;
    table[mt::FLAGS as usize / 8] = u64::from(mt::FLAG_HAS_REFS);
    table[mt::GC_MAP as usize / 8] = core::ptr::from_ref(map) as u64;
    table.as_ptr() as usize
});

struct TestHost {
    trace: Mutex<Vec<u32>>,
}

static HOST: TestHost = TestHost {
    trace: Mutex::new(Vec::new()),
};

impl Host for TestHost {
    fn resolve_method(&self, _: &ThreadContext, id: u32, _: usize, _: usize) -> usize {
        PROGRAMS[id as usize >> 16].compile(id as usize & 0xffff)
    }

    fn resolve_virtual(&self, _: &ThreadContext, _: u32, _: usize) -> usize {
        0
    }

    fn resolve_interface(&self, _: &ThreadContext, _: usize, _: usize) -> usize {
        0
    }

    /// Exception `0x1000 * n + anything` is of type `n`; type 0 catches all.
    fn catches(&self, exception: usize, _: &Frame, clause: &EhClause) -> bool {
        match clause.kind {
            ClauseKind::Catch(TypeId(0)) => true,
            ClauseKind::Catch(t) => exception / 0x1000 == t.0 as usize,
            _ => false,
        }
    }

    fn trap_exception(&self, kind: TrapKind) -> usize {
        0x1000 * (100 + kind as usize)
    }

    fn record_trace(&self, _: usize, frames: &[TraceFrame], start: TraceStart) {
        let mut trace = self.trace.lock();
        if start == TraceStart::Fresh {
            trace.clear();
        }
        let names: Vec<u32> = frames.iter().map(|f| f.code().unwrap().method.0).collect();
        trace.extend(names);
    }

    fn unhandled(&self, _: usize) {}

    fn poll_request(&self, _: &ThreadContext) {}
}

fn session() -> MutexGuard<'static, ()> {
    let guard = ONE.lock();
    threads::attach();
    guard
}

const NULL: u64 = 0x1000 * (100 + TrapKind::NullReference as u64);
const DIVIDE: u64 = 0x1000 * (100 + TrapKind::DivideByZero as u64);
const OVERFLOW: u64 = 0x1000 * (100 + TrapKind::StackOverflow as u64);

fn check(name: &str, args: &[u64], result: u64, pending: u64) {
    let _one = session();
    for (i, program) in PROGRAMS.iter().enumerate() {
        for _ in 0..2 {
            let got = program.call(name, args);
            assert_eq!(
                got,
                (result, pending as usize),
                "{name}{args:x?} in program {i}"
            );
        }
    }
    threads::detach();
}

#[test]
fn catches_by_type() {
    check("catch_type", &[0x5001], 0x5001, 0);
    check("catch_type", &[0x6001], 6, 0);
    check("catch_type", &[0x7001], 0, 0x7001);
}

#[test]
fn traps_are_caught() {
    check("catch_trap", &[0, 1], NULL, 0);
    check(
        "catch_trap",
        &[core::ptr::from_ref(&[0u64, 7]) as u64, 0],
        DIVIDE,
        0,
    );
    check(
        "catch_trap",
        &[core::ptr::from_ref(&[0u64, 7]) as u64, 2],
        3,
        0,
    );
}

#[test]
fn finally_runs_and_goes_on() {
    let mut log = [0u64; 2];
    let address = core::ptr::from_mut(&mut log) as u64;
    check("with_finally", &[0x8001, address], 0, 0x8001);
    check("with_finally", &[0, address], 1, 0);
    check("catch_finally", &[0x5001, address], 0x5001, 0);
    assert_eq!(core::hint::black_box(log), [12, 6]);
}

#[test]
fn filters_decide() {
    check("with_filter", &[0x5001], 1, 0);
    check("with_filter", &[0x5002], 0, 0x5002);
    check("with_filter", &[0], 7, 0);
}

#[test]
fn rethrow_keeps_the_trace() {
    check("catch_rethrown", &[0x5001], 0x5001, 0);
    let trace = HOST.trace.lock().clone();
    assert!(trace.len() >= 3, "{trace:?}");
}

#[test]
fn native_exceptions_are_raised() {
    check("catch_native", &[0x5001], 0x5002, 0);
}

#[test]
fn stack_overflow_is_caught() {
    check("catch_overflow", &[], OVERFLOW, 0);
}

#[test]
fn overflow_by_large_frames_is_noticed_before_they_are_made() {
    for bytes in (0..1 << 20).step_by(30_000) {
        check("catch_large_overflow", &[bytes], OVERFLOW, 0);
    }
}

#[test]
fn lists_survive_collections() {
    check("make_and_count", &[20_000], 20_000, 0);
}

#[test]
fn localloc_survives_handlers() {
    check("localloc_catch", &[64], 42, 0);
}

/// Two loops add up vectors while another thread stops them again and again.
#[test]
fn polls_keep_vectors() {
    let _one = session();
    for (program, name) in [(1, "small_vectors"), (2, "large_vectors")] {
        if name == "large_vectors" && PROGRAMS[program].options.features.vectors() != Type::V256 {
            continue;
        }
        let data: [u64; 4] = [1, 1 << 20, 1 << 40, 3];
        let stop = AtomicU64::new(0);
        let program = &PROGRAMS[program];
        let rounds = AtomicU64::new(0);
        let got = std::thread::scope(|scope| {
            scope.spawn(|| {
                threads::attach();
                while rounds.load(Ordering::Relaxed) == 0 {
                    std::hint::spin_loop();
                }
                for _ in 0..20 {
                    gc::collect();
                }
                stop.store(1, Ordering::Relaxed);
                threads::detach();
            });
            let arguments = [
                data.as_ptr() as u64,
                stop.as_ptr() as u64,
                rounds.as_ptr() as u64,
            ];
            program.call(name, &arguments)
        });
        let each: u64 = data.iter().sum();
        let expected = rounds.into_inner().wrapping_mul(each);
        assert_eq!(got, (expected, 0), "{name}");
    }
    threads::detach();
}
