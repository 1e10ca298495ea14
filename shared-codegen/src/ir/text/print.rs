//! Printing functions.

use super::{Names, fixup};
use crate::abi::fixup::Fixup;
use crate::ir::{
    AliasClass, Block, Function, Imm, Inst, MemRef, Op, RegionKind, Signature, SourceLoc, Type,
};
use crate::types::{MethodId, TypeId};
use std::fmt::{self, Write};

/// A function or one of its instructions, with names.
pub(super) struct Show<'a> {
    pub f: &'a Function,
    pub names: &'a dyn Names,
    pub only: Option<Inst>,
}

/// A runtime constant.
pub(super) struct ShowFixup<'a> {
    pub f: &'a Function,
    pub names: &'a dyn Names,
    pub fixup: Fixup,
}

impl fmt::Display for ShowFixup<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut p = Printer {
            out,
            f: self.f,
            names: self.names,
        };
        fixup::print(&self.fixup, &mut p)
    }
}

impl fmt::Display for Show<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut p = Printer {
            out,
            f: self.f,
            names: self.names,
        };
        match self.only {
            Some(i) => p.inst(i),
            None => p.function(),
        }
    }
}

pub(super) struct Printer<'a, 'o> {
    out: &'a mut fmt::Formatter<'o>,
    f: &'a Function,
    names: &'a dyn Names,
}

impl Write for Printer<'_, '_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.out.write_str(s)
    }
}

impl<'a> Printer<'a, '_> {
    pub fn names(&self) -> &'a dyn Names {
        self.names
    }

    pub fn id(&mut self, kind: &str, n: u32, name: Option<String>) -> fmt::Result {
        write!(self, "{kind}#{n}")?;
        match name {
            Some(s) => write!(self, "{{{}}}", s.replace(['{', '}', '\n'], "_")),
            None => Ok(()),
        }
    }

    pub fn type_id(&mut self, t: TypeId) -> fmt::Result {
        self.id("type", t.0, self.names.type_name(t))
    }

    pub fn method_id(&mut self, m: MethodId) -> fmt::Result {
        self.id("method", m.0, self.names.method_name(m))
    }

    fn comma_list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T) -> fmt::Result,
    ) -> fmt::Result {
        for (n, item) in items.into_iter().enumerate() {
            if n > 0 {
                self.write_str(", ")?;
            }
            each(self, item)?;
        }
        Ok(())
    }

    fn function(&mut self) -> fmt::Result {
        let f = self.f;
        write!(self, "function {:?} ", f.name)?;
        if let Some(m) = f.method {
            self.method_id(m)?;
            self.write_char(' ')?;
        }
        self.signature(&f.sig)?;
        if f.this_non_null {
            self.write_str(" this")?;
        }
        self.write_str(" {\n")?;
        self.header()?;
        for &b in &f.layout {
            self.block(b)?;
        }
        self.write_str("}\n")
    }

    fn signature(&mut self, sig: &Signature) -> fmt::Result {
        self.write_char('(')?;
        self.comma_list(&sig.params, |p, t| p.write_str(t.name()))?;
        self.write_char(')')?;
        if let Some(t) = sig.ret {
            write!(self, " -> {}", t.name())?;
        }
        if let Some(t) = sig.second {
            write!(self, " and {}", t.name())?;
        }
        if sig.context {
            self.write_str(" context")?;
        }
        if sig.c_varargs {
            self.write_str(" varargs")?;
        }
        Ok(())
    }

    fn header(&mut self) -> fmt::Result {
        let f = self.f;
        for (n, sig) in f.sigs.iter().enumerate() {
            write!(self, "    sig{n} = ")?;
            self.signature(sig)?;
            self.write_char('\n')?;
        }
        for (n, l) in f.lookups.iter().enumerate() {
            write!(self, "    lookup{n} = ")?;
            self.method_id(l.owner)?;
            self.write_char(' ')?;
            fixup::print(&l.fixup, self)?;
            self.write_char('\n')?;
        }
        for (n, site) in f.inline_sites.iter().enumerate() {
            write!(self, "    site{} = ", n + 1)?;
            self.method_id(site.method)?;
            self.write_char(' ')?;
            self.loc(site.call)?;
            self.write_char('\n')?;
        }
        self.slots()?;
        self.regions()
    }

    fn slots(&mut self) -> fmt::Result {
        for (n, s) in self.f.slots.iter().enumerate() {
            write!(self, "    ss{n} = {} align {}", s.size, s.align)?;
            if let Some(t) = s.ty {
                self.write_char(' ')?;
                self.type_id(t)?;
            }
            if s.zeroed {
                self.write_str(" zeroed")?;
            }
            if let Some(r) = s.eh {
                write!(self, " eh {r}")?;
            }
            self.write_char('\n')?;
        }
        Ok(())
    }

    fn regions(&mut self) -> fmt::Result {
        for (n, r) in self.f.regions.iter().enumerate() {
            write!(self, "    region{n} = ")?;
            match r.kind {
                RegionKind::Catch(t) => {
                    self.write_str("catch ")?;
                    self.type_id(t)?;
                }
                RegionKind::CatchLookup(l) => write!(self, "catch {l}")?,
                RegionKind::Filter(b) => write!(self, "filter {b}")?,
                RegionKind::Fault => self.write_str("fault")?,
            }
            write!(self, " handler {} slot {}", r.handler, r.eh_slot)?;
            if let Some(p) = r.parent {
                write!(self, " parent {p}")?;
            }
            self.write_char('\n')?;
        }
        Ok(())
    }

    fn block(&mut self, b: Block) -> fmt::Result {
        let data = &self.f.blocks[b.index()];
        write!(self, "{b}")?;
        if !data.params.is_empty() {
            self.write_char('(')?;
            self.comma_list(&data.params, |p, &v| write!(p, "{v}: {}", p.f.ty(v).name()))?;
            self.write_char(')')?;
        }
        if let Some(r) = data.region {
            write!(self, " {r}")?;
        }
        self.write_str(if data.cold { " cold:\n" } else { ":\n" })?;
        for &i in &data.insts {
            self.write_str("    ")?;
            self.inst(i)?;
            self.write_char('\n')?;
        }
        Ok(())
    }

    fn inst(&mut self, i: Inst) -> fmt::Result {
        let f = self.f;
        let data = &f.insts[i.index()];
        if let Some(v) = data.result {
            write!(self, "{v} = ")?;
        }
        self.write_str(data.op.info().name)?;
        if data.op.uses_type() {
            write!(self, ".{}", data.ty.name())?;
        }
        self.imm(data.op, data.ty, &data.imm)?;
        if !data.args.is_empty() {
            self.write_char(' ')?;
            self.comma_list(&data.args, |p, &v| write!(p, "{}", f.resolve(v)))?;
        }
        if !data.targets.is_empty() {
            let before = if data.args.is_empty() { " " } else { ", " };
            self.write_str(before)?;
            self.comma_list(&data.targets, |p, t| {
                write!(p, "{}", t.block)?;
                if t.args.is_empty() {
                    return Ok(());
                }
                p.write_char('(')?;
                p.comma_list(&t.args, |p, &v| write!(p, "{}", f.resolve(v)))?;
                p.write_char(')')
            })?;
        }
        if data.loc != SourceLoc::default() {
            self.write_char(' ')?;
            self.loc(data.loc)?;
        }
        Ok(())
    }

    fn loc(&mut self, loc: SourceLoc) -> fmt::Result {
        write!(self, "@{}", loc.il)?;
        if loc.site != 0 {
            write!(self, ":{}", loc.site)?;
        }
        Ok(())
    }

    fn imm(&mut self, op: Op, ty: Type, imm: &Imm) -> fmt::Result {
        if *imm == Imm::None {
            return Ok(());
        }
        self.write_char(' ')?;
        match *imm {
            Imm::None => Ok(()),
            Imm::Int(n) => write!(self, "{n}"),
            Imm::Float(bits) => self.float(ty, bits),
            Imm::IntCc(cc) => self.write_str(cc.name()),
            Imm::FloatCc(cc) => self.write_str(cc.name()),
            Imm::Mem(m) => self.mem(m),
            Imm::Slot(s, offset, m) => {
                write!(self, "{s}{offset:+}")?;
                if op == Op::SlotAddr {
                    return Ok(());
                }
                write!(self, " {}", m.name())
            }
            Imm::Fixup(x) => fixup::print(&x, self),
            Imm::Type(t) => self.type_id(t),
            Imm::Trap(k) => self.write_str(k.name()),
            Imm::CondTrap(cc, k) => write!(self, "{} {}", cc.name(), k.name()),
            Imm::Call(c) => {
                if c.tail {
                    self.write_str("tail ")?;
                }
                if let Some(m) = c.method {
                    self.method_id(m)?;
                    self.write_char(' ')?;
                }
                write!(self, "{}", c.sig)
            }
            Imm::Helper(h) => self.write_str(h.info().name),
            Imm::Lookup(l) => write!(self, "{l}"),
            Imm::Region(r) => write!(self, "{r}"),
            Imm::Size(n, 0) => write!(self, "{n}"),
            Imm::Size(n, m) => write!(self, "{n}{m:+}"),
            Imm::Lane(l) => self.write_str(l.name()),
            Imm::LaneShift(l, n) => write!(self, "{} {n}", l.name()),
            Imm::Atomic(m, a) => {
                self.write_str(m.name())?;
                self.alias(a)
            }
        }
    }

    fn mem(&mut self, m: MemRef) -> fmt::Result {
        write!(self, "{}{:+}", m.ty.name(), m.offset)?;
        self.alias(m.alias)?;
        if m.volatile {
            self.write_str(" volatile")?;
        }
        Ok(())
    }

    fn alias(&mut self, a: AliasClass) -> fmt::Result {
        match a {
            AliasClass::Any => Ok(()),
            AliasClass::Stack => self.write_str(" stack"),
            AliasClass::Field(n) => write!(self, " field#{n}"),
            AliasClass::Element(m) => write!(self, " element:{}", m.name()),
            AliasClass::Static(n) => write!(self, " static#{n}"),
            AliasClass::Immutable => self.write_str(" immutable"),
        }
    }

    fn float(&mut self, ty: Type, bits: u64) -> fmt::Result {
        // Rust's shortest decimal reads back to the same bits, signs of zero included; only NaNs need their bits.
        if ty == Type::F32 {
            let x = f32::from_bits(bits as u32);
            return match x.is_nan() {
                true => write!(self, "nan:{bits:#x}"),
                false => write!(self, "{x:?}"),
            };
        }
        let x = f64::from_bits(bits);
        match x.is_nan() {
            true => write!(self, "nan:{bits:#x}"),
            false => write!(self, "{x:?}"),
        }
    }
}
