//! AT&T text of a form, as GNU as takes it.

use super::form::{Arg, Form, Width};
use super::operand::Amode;
use super::regs::{GPR_NAMES, Reg};
use crate::abi::fixup::Fixup;
use crate::mach::Label;
use std::fmt::Write;

/// Names of the things a function's text refers to.
pub trait Names {
    /// A label of this function.
    fn label(&self, l: Label, out: &mut String);
    /// The cell of a runtime constant.
    fn cell(&self, f: Fixup, out: &mut String);
    /// The code of a method that is called directly.
    fn code(&self, f: Fixup, out: &mut String);
}

/// Labels as `.L<prefix>_<n>`, cells by position in a list.
pub struct LocalNames<'a> {
    /// Distinguishes functions of one assembler file.
    pub prefix: &'a str,
}

impl Names for LocalNames<'_> {
    fn label(&self, l: Label, out: &mut String) {
        out.push_str(".L");
        out.push_str(self.prefix);
        out.push('_');
        push_int(out, l.0 as i64);
    }

    fn cell(&self, f: Fixup, out: &mut String) {
        let _ = write!(out, "\"{f:?}\"");
    }

    fn code(&self, f: Fixup, out: &mut String) {
        let _ = write!(out, "\"code {f:?}\"");
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
        Width::X => {
            out.push_str("xmm");
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
    if let Some((_, text)) = form.lock {
        out.push_str(text);
    }
    for part in form.name {
        out.push_str(part);
    }
    let mut sep = if form.star { " *" } else { " " };
    for arg in form.args.iter().map_while(Option::as_ref) {
        out.push_str(sep);
        sep = ", ";
        match arg {
            Arg::Reg(r, w)
            | Arg::RmReg(r, w)
            | Arg::Plus(r, w)
            | Arg::Implied(r, w)
            | Arg::Vex(r, w) => push_reg(out, *r, *w),
            Arg::Mem(m) => push_mem(out, m, names),
            Arg::Imm(v, _) => {
                out.push('$');
                push_int(out, *v);
            }
            Arg::ImpliedImm(v) => {
                out.push('$');
                push_int(out, *v as i64);
            }
        }
    }
}
