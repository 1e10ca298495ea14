//! The text form of functions: [`std::fmt::Display`] of [`Function`] and its inverse, [`parse_function`].
//!
//! `parse(print(f)) == f` for every function that itself comes from the parser; for others it holds up to the numbers of
//! instructions, and dead values, blocks outside the layout and aliases are not printed (operands are printed resolved).
//!
//! Grammar, line by line; `;` starts a comment, indentation is free, `[x]` means optional, `x,*` a comma list:
//! ```text
//! function    = "function" string [method] signature ["this"] "{" header* block* "}"
//! signature   = "(" type,* ")" ["->" type] ["and" type] ["context"] ["varargs"]
//! header      = sigN "=" signature
//!             | lookupN "=" method fixup                         -- owner, constant
//!             | siteN "=" method loc                             -- inlined method, place of the call; N counts from 1
//!             | ssN "=" size "align" bytes [typeid] ["zeroed"] ["eh" regionN]
//!             | regionN "=" kind "handler" blockN "slot" ssN ["parent" regionN]
//! kind        = "catch" typeid | "catch" lookupN | "filter" blockN | "fault"
//! block       = blockN ["(" (vN ":" type),* ")"] [regionN] ["cold"] ":" inst*
//! inst        = [vN "="] op ["." type] [immediate] [vN,*] [target,*] [loc]
//! target      = blockN ["(" vN,* ")"]
//! loc         = "@" iloffset [":" N]                             -- N: inline site
//! type        = "i32" | "i64" | "f32" | "f64" | "ref" | "byref"
//! immediate, by op (`ImmKind`):
//!   Int       = decimal          Float = decimal | "inf" | "-inf" | "nan:" hexbits
//!   IntCc, FloatCc, Trap, Helper = name         CondTrap = cc trap
//!   Mem       = memtype ("+"|"-") offset [alias] ["volatile"]
//!   alias     = "stack" | "field#"N | "static#"N | "element:"memtype | "immutable"      (none: any)
//!   Slot      = ssN ("+"|"-") offset [memtype]
//!   Fixup     = kind operands    (see `fixup.rs`)
//!   Type      = typeid           Lookup = lookupN         Region = regionN
//!   Call      = [method] sigN    Size = bytes [("+"|"-") second]       Atomic = memtype [alias]
//! typeid      = "type#"N ["{" name "}"]      method, field, module likewise: "method#", "field#", "module#"
//! ```
//! `.type` is printed for ops whose table row has a free type. The name in braces comes from [`Names`] and is not read back.

mod fixup;
mod lex;
mod parse;
mod print;

pub use parse::{ParseError, parse_function, parse_functions};

use super::{Function, Inst};
use crate::abi::fixup::Fixup;
use crate::types::{FieldId, MethodId, ModuleId, TypeId};
use std::fmt;

/// Names of interned ids, for people who read dumps. The type context implements it.
pub trait Names {
    /// Full name of a type.
    fn type_name(&self, _: TypeId) -> Option<String> {
        None
    }
    /// Full name of a method.
    fn method_name(&self, _: MethodId) -> Option<String> {
        None
    }
    /// Full name of a field.
    fn field_name(&self, _: FieldId) -> Option<String> {
        None
    }
    /// Name of a module.
    fn module_name(&self, _: ModuleId) -> Option<String> {
        None
    }
}

/// Knows no names.
#[derive(Debug, Clone, Copy)]
pub struct NoNames;

impl Names for NoNames {}

impl Function {
    /// The text with names of types and methods.
    pub fn display<'a>(&'a self, names: &'a dyn Names) -> impl fmt::Display + 'a {
        print::Show {
            f: self,
            names,
            only: None,
        }
    }

    /// The text of one instruction, without line end.
    pub fn display_inst<'a>(&'a self, inst: Inst, names: &'a dyn Names) -> impl fmt::Display + 'a {
        print::Show {
            f: self,
            names,
            only: Some(inst),
        }
    }

    /// A runtime constant of the function's code as text.
    pub fn display_fixup<'a>(
        &'a self,
        fixup: Fixup,
        names: &'a dyn Names,
    ) -> impl fmt::Display + 'a {
        let f = self;
        print::ShowFixup { f, names, fixup }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display(&NoNames).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::fuzz::Random;
    use crate::ir::verify::{VerifyOptions, verify};

    const TEXTS: [&str; 2] = [
        include_str!("../../../tests/filetests/print/everything.ir"),
        include_str!("../../../tests/filetests/run/exceptions.ir"),
    ];

    /// Damaged texts are refused by the parser or judged by the verifier, without a panic.
    #[test]
    fn damaged_texts() {
        let mut r = Random::new(1);
        let mut parsed = 0;
        for round in 0..4000 {
            let text = TEXTS[round % TEXTS.len()];
            let (_, body) = text.split_once('\n').unwrap();
            let mut lines: Vec<String> = body.lines().map(str::to_owned).collect();
            for _ in 0..1 + r.below(3) {
                damage(&mut r, &mut lines);
            }
            if let Ok(functions) = parse_functions(&lines.join("\n")) {
                parsed += 1;
                for f in &functions {
                    let _ = verify(f, VerifyOptions::FINAL);
                    assert_eq!(parse_function(&f.to_string()).as_ref(), Ok(f));
                }
            }
        }
        assert!(parsed > 100, "only {parsed} damaged texts could be read");
    }

    fn damage(r: &mut Random, lines: &mut Vec<String>) {
        let (a, b) = (r.below(lines.len()), r.below(lines.len()));
        match r.below(4) {
            0 => lines.swap(a, b),
            1 => lines[a] = lines[b].clone(),
            2 => drop(lines.remove(a)),
            _ => {
                let mut chars: Vec<char> = lines[a].chars().collect();
                if !chars.is_empty() {
                    let at = r.below(chars.len());
                    chars[at] = ['0', '9', '1', '-', '{', 'λ', ' '][r.below(7)];
                }
                lines[a] = chars.into_iter().collect();
            }
        }
    }
}
