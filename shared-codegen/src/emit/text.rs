//! Assembler source of compiled functions, in two shapes: readable instructions, or the code bytes as
//! data (assembles about twice as fast). Both give the same object code.

use super::{CodeBlob, RelocKind};
use std::fmt::Write;

/// Appends a quoted symbol name.
pub fn push_symbol(out: &mut String, name: &str) {
    out.push('"');
    for c in name.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push('?'),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Appends a function as instructions. `prefix` is the one its text was made with; `symbol` names the
/// function; `cell` and `direct` give the symbols of the cells and directly called code of the runtime constant at
/// a position of `blob.fixups`.
pub fn function(
    blob: &CodeBlob,
    symbol: &str,
    prefix: &str,
    cell: &dyn Fn(usize, &mut String),
    direct: &dyn Fn(usize, &mut String),
    out: &mut String,
) {
    let uses = |k: usize, direct: bool| {
        blob.relocs
            .iter()
            .any(|r| r.fixup == blob.fixups[k] && (r.kind == RelocKind::Direct32) == direct)
    };
    for k in 0..blob.fixups.len() {
        for (kind, name, is_direct) in [("c", cell, false), ("d", direct, true)] {
            if uses(k, is_direct) {
                let _ = write!(out, "\t.set .L{kind}{prefix}_{k}, ");
                name(k, out);
                out.push('\n');
            }
        }
    }
    head(blob, symbol, out);
    out.push_str(blob.text.as_deref().unwrap_or("\t.error \"no text\"\n"));
}

/// Appends a function as data with the same parameters.
pub fn function_as_data(
    blob: &CodeBlob,
    symbol: &str,
    cell: &dyn Fn(usize, &mut String),
    direct: &dyn Fn(usize, &mut String),
    out: &mut String,
) {
    head(blob, symbol, out);
    let mut done = 0;
    for r in &blob.relocs {
        let at = r.offset as usize;
        data(&blob.code[done..at], out);
        let k = blob
            .fixups
            .iter()
            .position(|f| *f == r.fixup)
            .unwrap_or(usize::MAX);
        match r.kind {
            RelocKind::Abs64 => {
                out.push_str("\t.quad ");
                cell(k, out);
                out.push('\n');
                done = at + 8;
            }
            kind => {
                out.push_str("\t.long ");
                if kind == RelocKind::Direct32 {
                    direct(k, out)
                } else {
                    cell(k, out)
                }
                let _ = writeln!(out, "-.-4{:+}", r.addend);
                done = at + 4;
            }
        }
    }
    data(&blob.code[done..], out);
}

fn head(blob: &CodeBlob, symbol: &str, out: &mut String) {
    let _ = writeln!(out, "\t.balign {}, 0xcc", blob.align.max(16));
    push_symbol(out, symbol);
    out.push_str(":\n");
}

/// Bytes as `.quad` lines with a tail of `.byte`.
pub(crate) fn data(bytes: &[u8], out: &mut String) {
    let (quads, rest) = bytes.as_chunks::<8>();
    for line in quads.chunks(8) {
        for (i, q) in line.iter().enumerate() {
            let _ = write!(
                out,
                "{}{:#x}",
                if i == 0 { "\t.quad " } else { "," },
                u64::from_le_bytes(*q)
            );
        }
        out.push('\n');
    }
    for (i, b) in rest.iter().enumerate() {
        let _ = write!(out, "{}{b:#x}", if i == 0 { "\t.byte " } else { "," });
    }
    if !rest.is_empty() {
        out.push('\n');
    }
}
