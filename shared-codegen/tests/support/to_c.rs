//! Translates functions to C, block by block: an oracle for the back end that shares nothing with it.

use shared_codegen::ir::{FloatCc, Function, Imm, Inst, IntCc, MemType, Op, Target, Type, Value};
use std::fmt::Write;

/// C helpers that the translation uses. Conversions are assembler because gcc folds those out of range otherwise.
pub const PRELUDE: &str = r#"
#define MEMORY(name, type) typedef type __attribute__((aligned(1), may_alias)) name;
MEMORY(m_i16, short) MEMORY(m_u16, unsigned short) MEMORY(m_u32, u32) MEMORY(m_u64, u64) MEMORY(m_f32, float) MEMORY(m_f64, double)
static inline u64 cvt64(double x) { u64 r; asm("cvttsd2si %1, %0" : "=r"(r) : "x"(x)); return r; }
static inline u32 cvt32(double x) { u32 r; asm("cvttsd2si %1, %0" : "=r"(r) : "x"(x)); return r; }
static inline u64 f64_to_u64(double x) { return x < 9223372036854775808.0 || x != x ? cvt64(x) : cvt64(x - 9223372036854775808.0) ^ (1ULL << 63); }
static inline u64 canon(double x) { return x != x ? 0x7ff8000000000000 : dbits(x); }
"#;

/// C type in which values are kept: integers without sign.
pub fn c_type(t: Type) -> &'static str {
    match t {
        Type::I32 => "u32",
        Type::F32 => "float",
        Type::F64 => "double",
        _ => "u64",
    }
}

/// The function in C, with this name.
pub fn function(f: &Function, name: &str) -> String {
    let mut c = String::new();
    let entry = &f.blocks[f.entry().index()];
    let params: Vec<String> = entry
        .params
        .iter()
        .map(|p| format!("{} a{}", c_type(f.ty(*p)), p.0))
        .collect();
    let ret = f.sig.ret.map_or("void", c_type);
    let _ = writeln!(c, "{ret} {name}({}) {{", params.join(", "));
    for (n, v) in f.values.iter().enumerate() {
        let _ = writeln!(c, "  {} v{n};", c_type(v.ty));
    }
    for p in &entry.params {
        let _ = writeln!(c, "  v{0} = a{0};", p.0);
    }
    for &b in &f.layout {
        let _ = writeln!(c, "b{}:;", b.0);
        for &i in &f.blocks[b.index()].insts {
            inst(f, i, &mut c);
        }
    }
    c.push_str("}\n");
    c
}

/// Assigns block parameters, all at once, and goes there.
fn goto(f: &Function, t: &Target) -> String {
    let params = &f.blocks[t.block.index()].params;
    let mut c = String::from("{ ");
    for (p, a) in params.iter().zip(&t.args) {
        let _ = write!(c, "{} t{} = v{}; ", c_type(f.ty(*p)), p.0, f.resolve(*a).0);
    }
    for p in params {
        let _ = write!(c, "v{0} = t{0}; ", p.0);
    }
    let _ = write!(c, "goto b{}; }}", t.block.0);
    c
}

fn inst(f: &Function, i: Inst, c: &mut String) {
    let d = &f.insts[i.index()];
    let arg = |n: usize| format!("v{}", f.resolve(d.args[n]).0);
    match d.op {
        Op::Jump => {
            let _ = writeln!(c, "  {}", goto(f, &d.targets[0]));
        }
        Op::Brif => {
            let (yes, no) = (goto(f, &d.targets[0]), goto(f, &d.targets[1]));
            let _ = writeln!(c, "  if ({}) {yes} else {no}", arg(0));
        }
        Op::Switch => {
            let _ = writeln!(c, "  switch ({}) {{", arg(0));
            for (n, t) in d.targets.iter().enumerate() {
                let case = if n + 1 == d.targets.len() {
                    "default".into()
                } else {
                    format!("case {n}")
                };
                let _ = writeln!(c, "  {case}: {}", goto(f, t));
            }
            c.push_str("  }\n");
        }
        Op::Return => {
            let _ = writeln!(
                c,
                "  return {};",
                if d.args.is_empty() { "".into() } else { arg(0) }
            );
        }
        Op::Store | Op::SlotStore => {
            let _ = writeln!(c, "  {}", store(f, i));
        }
        _ => {
            let value = expression(f, i);
            match d.result {
                Some(r) => writeln!(c, "  v{} = {value};", r.0),
                None => writeln!(c, "  {value};"),
            }
            .expect("strings take everything");
        }
    }
}

fn store(f: &Function, i: Inst) -> String {
    let d = &f.insts[i.index()];
    let Imm::Mem(m) = d.imm else {
        return "#error".into();
    };
    let (a, v) = (f.resolve(d.args[0]).0, f.resolve(d.args[1]).0);
    let ty = mem_c_type(m.ty);
    format!("*({ty}*)(v{a} + ({})) = ({ty})v{v};", m.offset)
}

fn mem_c_type(t: MemType) -> &'static str {
    match t {
        MemType::I8 => "signed char",
        MemType::U8 => "unsigned char",
        MemType::I16 => "m_i16",
        MemType::U16 => "m_u16",
        MemType::I32 => "m_u32",
        MemType::F32 => "m_f32",
        MemType::F64 => "m_f64",
        _ => "m_u64",
    }
}

fn signed(f: &Function, v: Value) -> String {
    let v = f.resolve(v);
    let ty = if f.ty(v) == Type::I32 { "i32" } else { "i64" };
    format!("({ty})v{}", v.0)
}

fn expression(f: &Function, i: Inst) -> String {
    let d = &f.insts[i.index()];
    let v = |n: usize| format!("v{}", f.resolve(d.args[n]).0);
    let s = |n: usize| signed(f, d.args[n]);
    let bin = |op: &str| format!("{} {op} {}", v(0), v(1));
    let bits = 8 * d.ty.bytes();
    let amount = |n: usize| format!("({} & {})", v(n), bits - 1);
    let wide = if bits == 32 { "ll" } else { "l" };
    match d.op {
        Op::Iconst => match d.imm {
            Imm::Int(n) => format!("{:#x}ULL", n as u64),
            _ => "#error".into(),
        },
        Op::Fconst => match (d.imm, d.ty) {
            (Imm::Float(b), Type::F32) => format!("bitsf({b:#x}u)"),
            (Imm::Float(b), _) => format!("bitsd({b:#x}ULL)"),
            _ => "#error".into(),
        },
        Op::Iadd | Op::Fadd | Op::AddrAdd => bin("+"),
        Op::Isub | Op::Fsub => bin("-"),
        Op::Imul | Op::Fmul => bin("*"),
        Op::Fdiv | Op::Udiv => bin("/"),
        Op::Urem => bin("%"),
        Op::Sdiv => format!("{} / {}", s(0), s(1)),
        Op::Srem => format!("{} % {}", s(0), s(1)),
        Op::And => bin("&"),
        Op::Or => bin("|"),
        Op::Xor => bin("^"),
        Op::Shl => format!("{} << {}", v(0), amount(1)),
        Op::ShrU => format!("{} >> {}", v(0), amount(1)),
        Op::ShrS => format!("{} >> {}", s(0), amount(1)),
        Op::Rotl => format!(
            "({0} << {1}) | ({0} >> (-{1} & {2}))",
            v(0),
            amount(1),
            bits - 1
        ),
        Op::Ineg | Op::Fneg => format!("-{}", v(0)),
        Op::Not => format!("~{}", v(0)),
        Op::Clz => format!(
            "{0} ? __builtin_clz{wide}({0}){1} : {bits}",
            v(0),
            if bits == 32 { " - 32" } else { "" }
        ),
        Op::Ctz => format!("{0} ? __builtin_ctz{wide}({0}) : {bits}", v(0)),
        Op::Popcnt => format!("__builtin_popcountll({})", v(0)),
        Op::Icmp => match d.imm {
            Imm::IntCc(cc) => int_compare(cc, &[v(0), v(1)], &[s(0), s(1)]),
            _ => "#error".into(),
        },
        Op::Fcmp => match d.imm {
            Imm::FloatCc(cc) => float_compare(cc, &v(0), &v(1)),
            _ => "#error".into(),
        },
        Op::Select => format!("{} ? {} : {}", v(0), v(1), v(2)),
        Op::AddrIndex => match d.imm {
            Imm::Size(scale, offset) => format!("{} + {} * {scale} + ({offset})", v(0), v(1)),
            _ => "#error".into(),
        },
        Op::AddrCast | Op::Zext32 | Op::Trunc | Op::Fpromote | Op::Fdemote => v(0),
        Op::Fabs => format!(
            "{}({})",
            if d.ty == Type::F32 { "fabsf" } else { "fabs" },
            v(0)
        ),
        Op::Fsqrt => format!(
            "{}({})",
            if d.ty == Type::F32 { "sqrtf" } else { "sqrt" },
            v(0)
        ),
        Op::Ffloor => format!(
            "{}({})",
            if d.ty == Type::F32 { "floorf" } else { "floor" },
            v(0)
        ),
        Op::Sext8 => format!("(u32)(i32)(signed char){}", v(0)),
        Op::Sext16 => format!("(u32)(i32)(short){}", v(0)),
        Op::Zext8 => format!("(unsigned char){}", v(0)),
        Op::Zext16 => format!("(unsigned short){}", v(0)),
        Op::Sext32 => format!("(u64)(i64){}", s(0)),
        Op::FromInt => s(0),
        Op::FromUint => v(0),
        Op::ToInt if d.ty == Type::I32 => format!("cvt32({})", v(0)),
        Op::ToInt => format!("cvt64({})", v(0)),
        Op::ToUint if d.ty == Type::I32 => format!("(u32)cvt64({})", v(0)),
        Op::ToUint => format!("f64_to_u64({})", v(0)),
        Op::Load => match d.imm {
            Imm::Mem(m) => {
                let extend = if m.ty.bytes() < 4 { "(u32)(i32)" } else { "" };
                format!(
                    "{extend}*({}*)({} + ({}))",
                    mem_c_type(m.ty),
                    v(0),
                    m.offset
                )
            }
            _ => "#error".into(),
        },
        Op::CallInternal => {
            let args: Vec<String> = (0..d.args.len()).map(v).collect();
            match d.imm {
                Imm::Call(info) => format!(
                    "native{}({})",
                    info.method.map_or(u32::MAX, |m| m.0),
                    args.join(", ")
                ),
                _ => "#error".into(),
            }
        }
        Op::Poll | Op::KeepAlive => "(void)0".into(),
        op => format!("#error {}", op.info().name),
    }
}

fn int_compare(cc: IntCc, u: &[String; 2], s: &[String; 2]) -> String {
    let (op, args) = match cc {
        IntCc::Eq => ("==", u),
        IntCc::Ne => ("!=", u),
        IntCc::Slt => ("<", s),
        IntCc::Sle => ("<=", s),
        IntCc::Sgt => (">", s),
        IntCc::Sge => (">=", s),
        IntCc::Ult => ("<", u),
        IntCc::Ule => ("<=", u),
        IntCc::Ugt => (">", u),
        IntCc::Uge => (">=", u),
    };
    format!("{} {op} {}", args[0], args[1])
}

fn float_compare(cc: FloatCc, a: &str, b: &str) -> String {
    match cc {
        FloatCc::Eq => format!("{a} == {b}"),
        FloatCc::Ne => format!("{a} != {b}"),
        FloatCc::Lt => format!("{a} < {b}"),
        FloatCc::Le => format!("{a} <= {b}"),
        FloatCc::Gt => format!("{a} > {b}"),
        FloatCc::Ge => format!("{a} >= {b}"),
        FloatCc::Ueq => format!("!({a} < {b} || {a} > {b})"),
        FloatCc::One => format!("{a} < {b} || {a} > {b}"),
        FloatCc::Ult => format!("!({a} >= {b})"),
        FloatCc::Ule => format!("!({a} > {b})"),
        FloatCc::Ugt => format!("!({a} <= {b})"),
        FloatCc::Uge => format!("!({a} < {b})"),
        FloatCc::Ord => format!("{a} == {a} && {b} == {b}"),
        FloatCc::Uno => format!("{a} != {a} || {b} != {b}"),
    }
}
