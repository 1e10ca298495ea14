//! Builds one executable from functions and calls, runs it, compares.

use shared_codegen::abi::fixup::Fixup;
use shared_codegen::abi::layout::thread;
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::compile::{
    CodegenOptions, ConstPolicy, EmitOptions, MachinePasses, Tier, compile_with,
};
use shared_codegen::emit::{CodeBlob, text};
use shared_codegen::ir::{Function, Type};
use shared_codegen::isa::x64::Features;
use shared_codegen::isa::x64::emit::ConstMode;
use std::fmt::Write;
use std::process::Command;

/// An argument.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// Bits of an integer or float.
    Bits(u64),
    /// Address of the buffer.
    Buffer,
}

/// What a call is expected to do.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Outcome {
    /// Return these bits (of the result type's width; all NaNs are the same).
    Value(u64),
    /// Trap.
    Trap(TrapKind),
    /// Call a helper that raises.
    Throws,
    /// Something no test expects, as status and value.
    Other(u64, u64),
}

/// One call.
#[derive(Clone, Debug)]
pub struct Case {
    /// Index of the function.
    pub function: usize,
    /// Arguments.
    pub args: Vec<Arg>,
    /// Expected.
    pub expect: Outcome,
}

fn bits(word: &str, ty: Type) -> Option<u64> {
    Some(match ty {
        Type::F64 => word.parse::<f64>().ok()?.to_bits(),
        Type::F32 => word.parse::<f32>().ok()?.to_bits() as u64,
        _ => match word.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok()?,
            None => word.parse::<i64>().ok()? as u64,
        },
    })
}

impl Case {
    /// Reads `"name"(args) = result`.
    pub fn parse(line: &str, functions: &[Function]) -> Option<Case> {
        let (name, rest) = line.strip_prefix('"')?.split_once('"')?;
        let (args, result) = rest.trim().strip_prefix('(')?.rsplit_once(") =")?;
        let function = functions.iter().position(|f| f.name == name)?;
        let sig = &functions[function].sig;
        let words = args.split(',').map(str::trim).filter(|w| !w.is_empty());
        let args = words
            .zip(&sig.params)
            .map(|(w, ty)| {
                if w == "buf" {
                    Some(Arg::Buffer)
                } else {
                    bits(w, *ty).map(Arg::Bits)
                }
            })
            .collect::<Option<Vec<_>>>()?;
        let expect = match (result.trim(), sig.ret) {
            ("throws", _) => Outcome::Throws,
            (r, _) if r.starts_with("trap ") => Outcome::Trap(TrapKind::from_name(&r[5..])?),
            ("", None) => Outcome::Value(0),
            (r, Some(ty)) => Outcome::Value(bits(r, ty)?),
            _ => return None,
        };
        (args.len() == sig.params.len()).then_some(Case {
            function,
            args,
            expect,
        })
    }
}

/// Runs the cases under every combination of allocator and features this machine has.
pub fn run_everywhere(name: &str, functions: &[Function], cases: &[Case]) {
    let mut features = Features::empty();
    features.set(Features::BMI1, is_x86_feature_detected!("bmi1"));
    features.set(Features::BMI2, is_x86_feature_detected!("bmi2"));
    features.set(Features::LZCNT, is_x86_feature_detected!("lzcnt"));
    for (tier, features) in [
        (Tier::Quick, Features::empty()),
        (Tier::Opt, Features::empty()),
        (Tier::Opt, features),
    ] {
        let options = CodegenOptions {
            tier,
            features,
            machine: match tier {
                Tier::Quick => MachinePasses::default(),
                Tier::Opt => MachinePasses::ALL,
            },
            policy: ConstPolicy::Aot,
            checker: true,
            text: true,
        };
        let Some(got) = run(functions, cases, &options) else {
            return;
        };
        let wrong: Vec<String> = cases
            .iter()
            .zip(got)
            .filter(|(c, g)| !agree(c.expect, *g, functions[c.function].sig.ret))
            .map(|(c, g)| {
                format!(
                    "{:?}{:x?}: expected {:x?}, got {g:x?}",
                    functions[c.function].name, c.args, c.expect
                )
            })
            .collect();
        let some = &wrong[..wrong.len().min(20)];
        assert!(
            wrong.is_empty(),
            "{name}, {tier:?}, {features:?}: {} wrong\n{}",
            wrong.len(),
            some.join("\n")
        );
    }
}

fn agree(expect: Outcome, got: Outcome, ret: Option<Type>) -> bool {
    let (Outcome::Value(a), Outcome::Value(b)) = (expect, got) else {
        return expect == got;
    };
    match ret {
        None => true,
        Some(Type::I32) => a as u32 == b as u32,
        Some(Type::F32) => {
            let (a, b) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
            a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
        }
        Some(Type::F64) => {
            let (a, b) = (f64::from_bits(a), f64::from_bits(b));
            a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
        }
        Some(_) => a == b,
    }
}

/// Compiles, links, runs. `None` without assembler and linker.
fn run(functions: &[Function], cases: &[Case], options: &CodegenOptions) -> Option<Vec<Outcome>> {
    let mut source = constants() + "\t.text\n";
    let mut cells: Vec<Fixup> = Vec::new();
    let mut blobs: Vec<CodeBlob> = Vec::new();
    for (n, f) in functions.iter().enumerate() {
        let prefix = format!("f{n}");
        let emission = EmitOptions {
            consts: ConstMode::Cell,
            text: Some(&prefix),
            ..EmitOptions::default()
        };
        let blob =
            compile_with(f, options, &emission).unwrap_or_else(|e| panic!("{}: {e}\n{f}", f.name));
        let first = cells.len();
        cells.extend(&blob.fixups);
        let cell = |k: usize, out: &mut String| {
            let _ = write!(out, "cell_{}", first + k);
        };
        // The same code as instructions and as data, in turn.
        match n % 4 {
            3 => text::function_as_data(&blob, &format!("f{n}"), &cell, &|_, _| {}, &mut source),
            _ => text::function(
                &blob,
                &format!("f{n}"),
                &prefix,
                &cell,
                &|_, _| {},
                &mut source,
            ),
        }
        blobs.push(blob);
    }
    source.push_str(FRAME);
    for c in cases {
        push_call(c, &functions[c.function], &mut source);
    }
    source.push_str("\tmovq %rbx, %rdx\n\tjmp finish\n\t.data\n\t.balign 8\n");
    for (k, f) in cells.iter().enumerate() {
        let _ = writeln!(source, "cell_{k}: .quad {}", cell_value(f, functions));
    }
    let _ = writeln!(
        source,
        "\t.bss\n\t.balign 16\nresults: .skip {}",
        16 * cases.len() + 16
    );
    let out = execute(&source)?;
    assert_eq!(
        out.len(),
        16 * cases.len(),
        "the program stopped early:\n{source}"
    );
    let word = |b: &[u8]| u64::from_le_bytes(b.try_into().expect("8 bytes"));
    let results = out.chunks(16).map(|r| (word(&r[..8]), word(&r[8..])));
    Some(
        results
            .zip(cases)
            .map(|((status, value), c)| match status {
                0 => Outcome::Value(value),
                1 => match blobs[c.function].trap_at(value as u32) {
                    Some(kind) => Outcome::Trap(kind),
                    None => Outcome::Other(status, value),
                },
                2 => Outcome::Throws,
                _ => Outcome::Other(status, value),
            })
            .collect(),
    )
}

/// What the cell of a runtime constant holds.
fn cell_value(f: &Fixup, functions: &[Function]) -> String {
    match f {
        Fixup::MethodEntry(m) | Fixup::MethodCode(m) => {
            match functions.iter().position(|f| f.method == Some(*m)) {
                Some(n) => format!("f{n}"),
                None => "helper_unknown".into(),
            }
        }
        Fixup::Helper(h) => match h.info().name {
            name @ ("poll" | "mem_move" | "mem_set" | "new_object" | "new_array"
            | "throw_pending") => {
                format!("helper_{name}")
            }
            "new_small_object" => "helper_new_object".into(),
            "new_small_array" => "helper_new_array".into(),
            _ => "helper_unknown".into(),
        },
        Fixup::NativeCode(_) => "native".into(),
        _ => "method_table".into(),
    }
}

/// A call with arguments in registers and its result appended to `results`.
fn push_call(c: &Case, f: &Function, out: &mut String) {
    const INTS: [&str; 6] = ["rdi", "rsi", "rdx", "rcx", "r8", "r9"];
    let (mut ints, mut floats) = (0, 0);
    for (arg, ty) in c.args.iter().zip(&f.sig.params) {
        let value = match arg {
            Arg::Bits(b) => format!("{b:#x}"),
            Arg::Buffer => "buffer".into(),
        };
        if ty.is_float() {
            let _ = writeln!(out, "\tmovabsq ${value}, %rax\n\tmovq %rax, %xmm{floats}");
            floats += 1;
        } else {
            let _ = writeln!(out, "\tmovabsq ${value}, %{}", INTS[ints]);
            ints += 1;
        }
    }
    let _ = writeln!(
        out,
        "\tleaq f{n}(%rip), %r11\n\tcall call_r11",
        n = c.function
    );
    if f.sig.ret.is_some_and(Type::is_float) {
        out.push_str("\tmovq %xmm0, %rax\n");
    }
    out.push_str("\tcall record\n");
}

/// Assembles, links, runs.
fn execute(source: &str) -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().ok()?;
    let path = |n: &str| dir.path().join(n);
    std::fs::write(path("t.s"), source).ok()?;
    let (src, obj, exe) = (path("t.s"), path("t.o"), path("t"));
    for (tool, args) in [("as", [&src, &obj]), ("ld", [&obj, &exe])] {
        let out = Command::new(tool)
            .arg(args[0])
            .arg("-o")
            .arg(args[1])
            .output()
            .ok()?;
        assert!(
            out.status.success(),
            "{tool}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    let out = Command::new(exe).output().ok()?;
    assert!(out.status.success(), "{:?}\n{source}", out.status);
    Some(out.stdout)
}

/// Entry, signal handler, helpers, the thread context. `rbx` is the end of the results so far,
/// `status` what is recorded for the call in progress: 0 returned, 1 trapped (value: offset in the function), 2 a helper that raises was called.
const FRAME: &str = r#"
	.balign 16, 0xcc
	.globl _start
_start:
	leaq thread(%rip), %r15
	leaq results(%rip), %rbx
	movq %rsp, %rbp
	# Object bits: biased so that the word of the heap's first 256 bytes is the first of object_bits.
	leaq heap(%rip), %rax
	shrq $8, %rax
	shlq $2, %rax
	leaq object_bits(%rip), %rcx
	subq %rax, %rcx
	movq %rcx, THREAD_BITS(%r15)
	# sigaction for SIGILL, SIGFPE, SIGSEGV: SA_SIGINFO | SA_NODEFER | SA_RESTORER
	.irp sig, 4, 8, 11
	movl $13, %eax
	movl $\sig, %edi
	leaq action(%rip), %rsi
	xorl %edx, %edx
	movl $8, %r10d
	syscall
	.endr
	jmp calls
trapped:
	# rdx: ucontext; its rip is at 168. The interrupted call is left.
	movq 168(%rdx), %rax
	subq current(%rip), %rax
	movq $1, status(%rip)
	jmp leave
helper_throw_pending:
helper_unknown:
	movq $2, status(%rip)
leave:
	leaq thread(%rip), %r15
	movq $0, THREAD_PENDING(%r15)
	movq saved_rbx(%rip), %rbx
	movq saved_rsp(%rip), %rsp
	movq %rsp, %rbp
	ret
call_r11:
	movq %r11, current(%rip)
	movq %rsp, saved_rsp(%rip)
	movq %rbx, saved_rbx(%rip)
	movq $0, status(%rip)
	leaq heap(%rip), %r13
	movq %r13, THREAD_CURSOR(%r15)
	addq $2048, %r13
	movq %r13, THREAD_LIMIT(%r15)
	movabsq $0x1111111111111111, %r12
	movq %r12, %r13
	movq %r12, %r14
	subq $8, %rsp
	call *%r11
	addq $8, %rsp
	# Callee-saved registers must have survived.
	cmpq saved_rbx(%rip), %rbx
	jne broken
	cmpq %r12, %r13
	jne broken
	cmpq %r12, %r14
	jne broken
	cmpq saved_rsp(%rip), %rsp
	jne broken
	ret
broken:
	movq $3, status(%rip)
	jmp leave
record:
	movq status(%rip), %rcx
	movq %rcx, (%rbx)
	movq %rax, 8(%rbx)
	addq $16, %rbx
	ret
finish:
	leaq results(%rip), %rsi
	subq %rsi, %rdx
	movl $1, %edi
1:	movl $1, %eax
	syscall
	testq %rax, %rax
	jle 2f
	addq %rax, %rsi
	subq %rax, %rdx
	jnz 1b
2:	movl $60, %eax
	xorl %edi, %edi
	syscall
restorer:
	ud2
helper_poll:
	ret
helper_mem_move:
	movq %rdx, %rcx
	rep movsb
	ret
helper_mem_set:
	movq %rdx, %rcx
	movl %esi, %eax
	rep stosb
	ret
helper_new_object:
	leaq heap+4096(%rip), %rax
	movq %rdi, (%rax)
	movq $-1, 8(%rax)
	ret
helper_new_array:
	leaq heap+4096(%rip), %rax
	movq %rdi, (%rax)
	movq %rsi, 24(%rax)
	movq $-1, 8(%rax)
	ret
native:
	# Sums six integers; a sum of 77 sets the pending exception. Every scratch register is changed.
	leaq (%rdi,%rsi), %rax
	addq %rdx, %rax
	addq %rcx, %rax
	addq %r8, %rax
	addq %r9, %rax
	movq $-1, %rcx
	movq $-1, %rdx
	movq $-1, %rsi
	movq $-1, %rdi
	movq $-1, %r8
	movq $-1, %r9
	movq $-1, %r10
	movq $-1, %r11
	cmpq $77, %rax
	jne 1f
	movq $1, THREAD_PENDING(%r15)
1:	ret
	.data
	.balign 16
action:	.quad trapped, 0x44000004, restorer, 0
status:	.quad 0
current: .quad 0
saved_rsp: .quad 0
saved_rbx: .quad 0
method_table: .long 0, 24
	.fill 300, 8, 7
buffer:
	.set i, 0
	.rept 256
	.byte i
	.set i, i+1
	.endr
thread:	.skip 4096
	.bss
	.balign 4096
heap:	.skip 8192
object_bits: .skip 128
	.text
calls:
"#;

/// Constants of the frame's text.
fn constants() -> String {
    format!(
        "\t.set THREAD_PENDING, {}\n\t.set THREAD_CURSOR, {}\n\t.set THREAD_LIMIT, {}\n\t.set THREAD_BITS, {}\n",
        thread::PENDING_EXCEPTION,
        thread::ALLOC_CURSOR,
        thread::ALLOC_LIMIT,
        thread::OBJECT_BITS,
    )
}
