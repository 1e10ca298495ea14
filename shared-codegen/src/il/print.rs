//! Methods as CIL assembler text, for people. Damaged parts are shown as comments, so that the rest can be read.

use super::body::{ClauseKind, EhClause, MethodBody};
use super::decode::{Decoder, Instr, Operand};
use crate::metadata::{
    IlNames, MethodDef, MethodDefRow, Module, Result, StandAloneSigRow, Token, sig,
};
use core::fmt::Write;

/// Keywords of method flags: mask, value, keyword (II.23.1.10).
const FLAGS: &[(u16, u16, &str)] = &[
    (0x7, 0x0, "privatescope"),
    (0x7, 0x1, "private"),
    (0x7, 0x2, "famandassem"),
    (0x7, 0x3, "assembly"),
    (0x7, 0x4, "family"),
    (0x7, 0x5, "famorassem"),
    (0x7, 0x6, "public"),
    (0x20, 0x20, "final"),
    (0x80, 0x80, "hidebysig"),
    (0x100, 0x100, "newslot"),
    (0x200, 0x200, "strict"),
    (0x400, 0x400, "abstract"),
    (0x800, 0x800, "specialname"),
    (0x1000, 0x1000, "rtspecialname"),
    (0x2000, 0x2000, "pinvokeimpl()"),
    (0x10, 0x10, "static"),
    (0x40, 0x40, "virtual"),
];

/// Keywords of implementation flags: mask, value, keyword (II.23.1.11).
const IMPL_FLAGS: &[(u16, u16, &str)] = &[
    (0x3, 0x0, "cil"),
    (0x3, 0x1, "native"),
    (0x3, 0x2, "optil"),
    (0x3, 0x3, "runtime"),
    (0x4, 0x0, "managed"),
    (0x4, 0x4, "unmanaged"),
    (0x8, 0x8, "noinlining"),
    (0x10, 0x10, "forwardref"),
    (0x20, 0x20, "synchronized"),
    (0x80, 0x80, "preservesig"),
    (0x100, 0x100, "aggressiveinlining"),
    (0x1000, 0x1000, "internalcall"),
];

fn keywords(table: &[(u16, u16, &'static str)], flags: u16) -> String {
    let set = table
        .iter()
        .filter(|(mask, value, _)| flags & mask == *value);
    set.map(|(_, _, word)| *word).collect::<Vec<_>>().join(" ")
}

/// A method's declaration and body.
pub fn print_method(module: &Module, row: MethodDefRow) -> Result<String> {
    let def = module.method_def(row)?;
    let mut out = format!(
        ".method {} {} {}\n{{\n",
        keywords(FLAGS, def.flags),
        or_comment(IlNames::operand(module, row.token())),
        keywords(IMPL_FLAGS, def.impl_flags),
    );
    let (token, rva) = (row.token(), def.rva);
    put(
        &mut out,
        format_args!("  // token {token}, address {rva:#x}\n"),
    );
    if module.pe().entry_point == token.0 {
        out.push_str("  .entrypoint\n");
    }
    if has_il(&def) {
        let body = MethodBody::parse(module, rva)?;
        print_body(module, &body, &mut out);
    }
    out.push_str("}\n");
    Ok(out)
}

fn has_il(def: &MethodDef) -> bool {
    def.rva != 0 && def.impl_flags & 3 == 0
}

fn put(out: &mut String, text: core::fmt::Arguments) {
    // Writing to a string does not fail.
    let _ = out.write_fmt(text);
}

fn or_comment(text: Result<String>) -> String {
    text.unwrap_or_else(|e| format!("/* {e} */"))
}

fn print_body(module: &Module, body: &MethodBody, out: &mut String) {
    let size = body.code.len();
    put(out, format_args!("  // code size {size} ({size:#x})\n"));
    put(out, format_args!("  .maxstack {}\n", body.max_stack));
    if !body.locals.is_null() {
        let init = if body.init_locals { "init " } else { "" };
        let locals = or_comment(locals(module, body.locals));
        put(out, format_args!("  .locals {init}({locals})\n"));
    }
    for instr in Decoder::new(body.code, 0) {
        match instr {
            Ok(instr) => {
                let operand = operand_text(module, &instr);
                let name = instr.opcode.name();
                let line = format!("  IL_{:04x}:  {name:<10} {operand}", instr.offset);
                put(out, format_args!("{}\n", line.trim_end()));
            }
            Err(e) => put(out, format_args!("  // {e}\n")),
        }
    }
    for clause in &body.clauses {
        put(out, format_args!("  {}\n", clause_text(module, clause)));
    }
}

fn locals(module: &Module, token: Token) -> Result<String> {
    let row = StandAloneSigRow(token.row());
    let types = sig::parse_locals(module.stand_alone_sig(row)?.signature)?;
    let texts = types.iter().enumerate().map(|(i, ty)| {
        let ty = or_comment(IlNames::type_sig(module, ty));
        format!("[{i}] {ty}")
    });
    Ok(texts.collect::<Vec<_>>().join(", "))
}

fn operand_text(module: &Module, instr: &Instr) -> String {
    match instr.operand {
        Operand::None => String::new(),
        Operand::Int(n) => n.to_string(),
        Operand::F32(f) if f.is_finite() => format!("{f:?}"),
        Operand::F64(f) if f.is_finite() => format!("{f:?}"),
        Operand::F32(f) => format!("float32({:#010x})", f.to_bits()),
        Operand::F64(f) => format!("float64({:#018x})", f.to_bits()),
        Operand::Target(t) => format!("IL_{t:04x}"),
        Operand::Switch(targets) => {
            let all: Vec<String> = targets.iter().map(|t| format!("IL_{t:04x}")).collect();
            format!("({})", all.join(", "))
        }
        Operand::Token(token) => match module.user_string(token) {
            Ok(utf16) => string_literal(utf16),
            Err(_) => or_comment(IlNames::operand(module, token)),
        },
    }
}

/// A quoted string, or its bytes if it is not valid UTF-16.
fn string_literal(utf16: &[u8]) -> String {
    let units = utf16
        .chunks_exact(2)
        .map(|c| u16::from_le_bytes([c[0], c[1]]));
    match char::decode_utf16(units).collect::<core::result::Result<String, _>>() {
        Ok(text) => format!("{text:?}"),
        Err(_) => {
            let bytes: Vec<String> = utf16.iter().map(|b| format!("{b:02x}")).collect();
            format!("bytearray ({})", bytes.join(" "))
        }
    }
}

fn clause_text(module: &Module, clause: &EhClause) -> String {
    let what = match clause.kind {
        ClauseKind::Catch(token) => {
            format!("catch {}", or_comment(IlNames::operand(module, token)))
        }
        ClauseKind::Filter(start) => format!("filter IL_{start:04x}"),
        ClauseKind::Finally => "finally".to_owned(),
        ClauseKind::Fault => "fault".to_owned(),
    };
    format!(
        ".try IL_{:04x} to IL_{:04x} {what} handler IL_{:04x} to IL_{:04x}",
        clause.try_start, clause.try_end, clause.handler_start, clause.handler_end
    )
}
