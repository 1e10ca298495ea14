//! AT&T text of a form, as GNU as takes it.

use super::form::{Form, Slot, Width};
use super::operand::Amode;
use super::regs::{GPR_NAMES, Reg};
use crate::abi::fixup::Fixup;
use crate::mach::Label;
use std::fmt::Write;

/// A set that keeps the order of insertion.
pub type FxIndexSet<T> = indexmap::IndexSet<T, rustc_hash::FxBuildHasher>;

/// Names of the things a function's text refers to.
pub trait Names {
    /// A label of this function.
    fn label(&self, l: Label, out: &mut String);
    /// The cell of a runtime constant.
    fn cell(&self, f: Fixup, out: &mut String);
    /// The code of a method that is called directly.
    fn code(&self, f: Fixup, out: &mut String);
}

/// Local symbols of one function: labels `.L<prefix>_<n>`, cells `.Lc<prefix>_<k>`, code called
/// directly `.Ld<prefix>_<k>`, with k the position in the function's list of runtime constants. Whoever
/// writes the assembler file says with `.set` where these are.
pub struct LocalNames<'a> {
    /// Distinguishes functions of one assembler file.
    pub prefix: &'a str,
    /// Positions of runtime constants.
    pub fixups: &'a FxIndexSet<Fixup>,
}

impl LocalNames<'_> {
    fn symbol(&self, kind: &str, n: usize, out: &mut String) {
        out.push_str(kind);
        out.push_str(self.prefix);
        out.push('_');
        push_int(out, n as i64);
    }

    fn position(&self, f: Fixup) -> usize {
        self.fixups.get_index_of(&f).unwrap_or(self.fixups.len())
    }
}

impl Names for LocalNames<'_> {
    fn label(&self, l: Label, out: &mut String) {
        self.symbol(".L", l.index(), out);
    }

    fn cell(&self, f: Fixup, out: &mut String) {
        self.symbol(".Lc", self.position(f), out);
    }

    fn code(&self, f: Fixup, out: &mut String) {
        self.symbol(".Ld", self.position(f), out);
    }
}

/// Appends a decimal number (faster than `write!`, and it counts: a third of all operands are numbers).
fn push_int(out: &mut String, v: i64) {
    let mut buf = [0u8; 20];
    let mut at = buf.len();
    let mut n = v.unsigned_abs();
    loop {
        at -= 1;
        buf[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    if v < 0 {
        out.push('-');
    }
    out.extend(buf[at..].iter().map(|&b| b as char));
}

pub(super) fn push_reg(out: &mut String, r: Reg, w: Width) {
    out.push('%');
    match w {
        Width::X | Width::Y => {
            out.push_str(if w == Width::X { "xmm" } else { "ymm" });
            push_int(out, r.hw() as i64);
        }
        w => out.push_str(GPR_NAMES[r.hw() as usize][w as usize]),
    }
}

fn push_mem(out: &mut String, m: &Amode, names: &dyn Names) {
    match *m {
        Amode::Mem {
            base,
            index,
            shift,
            disp,
        } => {
            if disp != 0 || !base.is_some() {
                push_int(out, disp as i64);
            }
            if !base.is_some() && !index.is_some() {
                return;
            }
            out.push('(');
            if base.is_some() {
                push_reg(out, base, Width::Q);
            }
            if index.is_some() {
                out.push(',');
                push_reg(out, index, Width::Q);
                out.push(',');
                push_int(out, 1 << shift);
            }
            out.push(')');
        }
        Amode::Label(l, offset) => {
            names.label(l, out);
            if offset != 0 {
                if offset > 0 {
                    out.push('+');
                }
                push_int(out, offset as i64);
            }
            out.push_str("(%rip)");
        }
        Amode::Fixup(f) => {
            names.cell(f, out);
            out.push_str("(%rip)");
        }
        ref m => {
            // Not in emitted code; readable in dumps before frame layout.
            let _ = write!(out, "{m:?}");
        }
    }
}

/// Appends the text of a form, without indentation and line end.
pub fn print(form: &Form, names: &dyn Names, out: &mut String) {
    out.push_str(form.lead_text());
    if form.avx {
        out.push('v');
    }
    out.push_str(form.name);
    out.push_str(form.suffix[0].text());
    out.push_str(form.suffix[1].text());
    let mut sep = if form.star { " *" } else { " " };
    for arg in form.args {
        if matches!(arg, Slot::None) {
            break;
        }
        out.push_str(sep);
        sep = ", ";
        match arg {
            Slot::Reg(r, w)
            | Slot::RmReg(r, w)
            | Slot::Plus(r, w)
            | Slot::Implied(r, w)
            | Slot::Vex(r, w) => push_reg(out, r, w),
            Slot::Mem => push_mem(out, &form.mem, names),
            Slot::Imm => push_imm(out, form.imm),
            Slot::ImpliedImm(v) => push_imm(out, v as i64),
            Slot::None => {}
        }
    }
}

fn push_imm(out: &mut String, v: i64) {
    out.push('$');
    push_int(out, v);
}
