//! Parsing functions.

use super::fixup;
use super::lex::{Cursor, Result};
use crate::abi::trap::TrapKind;
use crate::ir::{
    AliasClass, Block, BlockData, CallInfo, FloatCc, Function, Imm, ImmKind, InlineSite, Inst,
    InstData, IntCc, Lane, Lookup, LookupRef, MemRef, MemType, Op, Region, RegionData, RegionKind,
    Sig, Signature, Slot, SlotData, SourceLoc, Target, Type, Value, ValueData, ValueDef, typing,
};
use crate::types::{MethodId, TypeId};
use smallvec::SmallVec;

/// What is wrong with an IR text, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct ParseError {
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

/// Parses a text with exactly one function.
pub fn parse_function(text: &str) -> Result<Function> {
    let mut all = parse_functions(text)?;
    match (all.pop(), all.is_empty()) {
        (Some(f), true) => Ok(f),
        _ => Err(Cursor::new(text).error("expected one function")),
    }
}

/// Parses all functions of a text.
pub fn parse_functions(text: &str) -> Result<Vec<Function>> {
    let mut c = Cursor::new(text);
    let mut all = Vec::new();
    while !c.at_end() {
        all.push(Parser::new(&mut c).function()?);
    }
    Ok(all)
}

/// A value that the text does not define (a gap in the numbers).
const ABSENT: ValueData = ValueData {
    ty: Type::I32,
    def: ValueDef::Param(Block(u32::MAX), 0),
};

struct Parser<'c, 't> {
    c: &'c mut Cursor<'t>,
    f: Function,
}

impl<'c, 't> Parser<'c, 't> {
    fn new(c: &'c mut Cursor<'t>) -> Self {
        Parser {
            c,
            f: Function::default(),
        }
    }

    fn function(mut self) -> Result<Function> {
        self.c.expect_word("function")?;
        self.f.name = self.c.string()?;
        if self.c.peek_word() == "method" {
            self.f.method = Some(MethodId(self.c.id("method")?));
        }
        self.f.sig = self.signature()?;
        self.f.this_non_null = self.c.eat_word("this");
        self.c.expect('{')?;
        self.c.skip_lines();
        while self.c.peek() != '}' && self.c.peek_entity("block").is_none() {
            self.header()?;
            self.next_line()?;
        }
        while !self.c.eat('}') {
            self.block()?;
        }
        self.check_uses()?;
        Ok(self.f)
    }

    fn next_line(&mut self) -> Result<()> {
        self.c.expect_line_end()?;
        self.c.skip_lines();
        if self.c.at_end() {
            return Err(self.c.error("function without its closing brace"));
        }
        Ok(())
    }

    /// Every entity that is used must be defined.
    fn check_uses(&self) -> Result<()> {
        let defined = |v: Value| self.f.values.get(v.index()).is_some_and(|d| *d != ABSENT);
        let name = &self.f.name;
        let known = |b: Block| self.f.layout.contains(&b);
        for data in &self.f.insts {
            if let Some(v) = data.operands().find(|&v| !defined(v)) {
                return Err(self.c.error(format!("{v} in {name} is not defined")));
            }
            if let Some(t) = data.targets.iter().find(|t| !known(t.block)) {
                return Err(self
                    .c
                    .error(format!("{} in {name} is not defined", t.block)));
            }
        }
        Ok(())
    }

    fn type_name(&mut self) -> Result<Type> {
        let w = self.c.word()?;
        let found = Type::ALL.iter().find(|(_, n)| *n == w);
        found
            .map(|t| t.0)
            .ok_or_else(|| self.c.error(format!("no such type: {w}")))
    }

    fn mem_type(&mut self) -> Result<MemType> {
        let w = self.c.word()?;
        let found = MemType::ALL.iter().find(|(_, n)| *n == w);
        found
            .map(|t| t.0)
            .ok_or_else(|| self.c.error(format!("no such access type: {w}")))
    }

    fn signature(&mut self) -> Result<Signature> {
        let mut sig = Signature::default();
        self.c.expect('(')?;
        while !self.c.eat(')') {
            sig.params.push(self.type_name()?);
            if self.c.peek() != ')' {
                self.c.expect(',')?;
            }
        }
        if self.c.eat('-') {
            self.c.expect('>')?;
            sig.ret = Some(self.type_name()?);
        }
        if self.c.eat_word("and") {
            sig.second = Some(self.type_name()?);
        }
        sig.context = self.c.eat_word("context");
        sig.c_varargs = self.c.eat_word("varargs");
        Ok(sig)
    }

    // ---- header

    fn header(&mut self) -> Result<()> {
        let word = self.c.word()?;
        let digits = word.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
        let (kind, n) = word.split_at(digits);
        self.c.expect('=')?;
        let have = match kind {
            "sig" => self.f.sigs.len(),
            "lookup" => self.f.lookups.len(),
            "site" => self.f.inline_sites.len() + 1,
            "ss" => self.f.slots.len(),
            "region" => self.f.regions.len(),
            _ => return Err(self.c.error(format!("unknown declaration: {word}"))),
        };
        if n.parse() != Ok(have) {
            return Err(self.c.error(format!("{word} is out of order")));
        }
        match kind {
            "sig" => {
                let sig = self.signature()?;
                self.f.sigs.push(sig);
            }
            "lookup" => {
                let owner = MethodId(self.c.id("method")?);
                let fixup = fixup::parse(self.c)?;
                self.f.lookups.push(Lookup { owner, fixup });
            }
            "site" => {
                let method = MethodId(self.c.id("method")?);
                let call = self.loc()?;
                self.f.inline_sites.push(InlineSite { method, call });
            }
            "ss" => self.slot()?,
            _ => self.region()?,
        }
        Ok(())
    }

    fn slot(&mut self) -> Result<()> {
        let size = self.c.number()?;
        self.c.expect_word("align")?;
        let align = self.c.number()?;
        let ty = match self.c.peek_word() {
            "type" => Some(TypeId(self.c.id("type")?)),
            _ => None,
        };
        let zeroed = self.c.eat_word("zeroed");
        let eh = match self.c.eat_word("eh") {
            true => Some(Region(self.c.entity("region")?)),
            false => None,
        };
        self.f.slots.push(SlotData {
            size,
            align,
            ty,
            zeroed,
            eh,
        });
        Ok(())
    }

    fn region(&mut self) -> Result<()> {
        let kind = match self.c.word()? {
            "catch" if self.c.peek_word() == "type" => {
                RegionKind::Catch(TypeId(self.c.id("type")?))
            }
            "catch" => RegionKind::CatchLookup(LookupRef(self.c.entity("lookup")?)),
            "filter" => RegionKind::Filter(self.block_ref()?),
            "fault" => RegionKind::Fault,
            w => return Err(self.c.error(format!("no such region kind: {w}"))),
        };
        self.c.expect_word("handler")?;
        let handler = self.block_ref()?;
        self.c.expect_word("slot")?;
        let eh_slot = Slot(self.c.entity("ss")?);
        let parent = match self.c.eat_word("parent") {
            true => Some(Region(self.c.entity("region")?)),
            false => None,
        };
        self.f.regions.push(RegionData {
            parent,
            kind,
            handler,
            eh_slot,
        });
        Ok(())
    }

    fn loc(&mut self) -> Result<SourceLoc> {
        self.c.expect('@')?;
        let il = self.c.number()?;
        let site = match self.c.eat_glued(':') {
            true => self.c.number()?,
            false => 0,
        };
        Ok(SourceLoc { il, site })
    }

    // ---- blocks and instructions

    fn block_ref(&mut self) -> Result<Block> {
        Ok(Block(self.c.entity("block")?))
    }

    fn block(&mut self) -> Result<()> {
        let b = self.block_ref()?;
        if self.f.layout.contains(&b) {
            return Err(self.c.error(format!("{b} is defined twice")));
        }
        if self.f.blocks.len() <= b.index() {
            self.f.blocks.resize_with(b.index() + 1, BlockData::default);
        }
        self.f.layout.push(b);
        if self.c.eat('(') {
            while !self.c.eat(')') {
                let v = Value(self.c.entity("v")?);
                self.c.expect(':')?;
                let ty = self.type_name()?;
                let n = self.f.blocks[b.index()].params.len() as u32;
                self.define(v, ty, ValueDef::Param(b, n))?;
                self.f.blocks[b.index()].params.push(v);
                if self.c.peek() != ')' {
                    self.c.expect(',')?;
                }
            }
        }
        if self.c.peek_entity("region").is_some() {
            self.f.blocks[b.index()].region = Some(Region(self.c.entity("region")?));
        }
        self.f.blocks[b.index()].cold = self.c.eat_word("cold");
        self.c.expect(':')?;
        self.next_line()?;
        while self.c.peek() != '}' && self.c.peek_entity("block").is_none() {
            let i = self.inst()?;
            self.f.blocks[b.index()].insts.push(i);
            self.next_line()?;
        }
        Ok(())
    }

    fn define(&mut self, v: Value, ty: Type, def: ValueDef) -> Result<()> {
        if self.f.values.len() <= v.index() {
            self.f.values.resize(v.index() + 1, ABSENT);
        }
        let data = &mut self.f.values[v.index()];
        if *data != ABSENT {
            return Err(self.c.error(format!("{v} is defined twice")));
        }
        *data = ValueData { ty, def };
        Ok(())
    }

    fn inst(&mut self) -> Result<Inst> {
        let result = match self.c.peek_entity("v") {
            Some(n) => {
                self.c.word()?;
                self.c.expect('=')?;
                Some(Value(n))
            }
            None => None,
        };
        let name = self.c.word()?;
        let op = Op::from_name(name).ok_or_else(|| self.c.error(format!("no such op: {name}")))?;
        let mut ty = Type::I32;
        if op.uses_type() {
            self.c.expect('.')?;
            ty = self.type_name()?;
        }
        let imm = self.imm(op, ty)?;
        let args = self.values()?;
        let targets = self.targets()?;
        let loc = match self.c.peek() {
            '@' => self.loc()?,
            _ => SourceLoc::default(),
        };
        let ty = typing::canonical_type(&self.f, op, ty, &imm);
        let wanted = typing::result_type(&self.f, op, ty, &imm);
        let inst = Inst(self.f.insts.len() as u32);
        self.f.insts.push(InstData {
            op,
            ty,
            args,
            imm,
            targets,
            result,
            loc,
        });
        match (wanted, result) {
            (Some(t), Some(v)) => self.define(v, t, ValueDef::Result(inst))?,
            (None, None) => {}
            (Some(_), None) => return Err(self.c.error(format!("{name} has a result"))),
            (None, Some(_)) => return Err(self.c.error(format!("{name} has no result"))),
        }
        Ok(inst)
    }

    /// A comma list of values; a comma before a block is left for the targets.
    fn values<const N: usize>(&mut self) -> Result<SmallVec<[Value; N]>>
    where
        [Value; N]: smallvec::Array<Item = Value>,
    {
        let mut all = SmallVec::new();
        while let Some(n) = self.c.peek_entity("v") {
            self.c.word()?;
            all.push(Value(n));
            if !self.c.eat(',') {
                break;
            }
        }
        Ok(all)
    }

    fn targets(&mut self) -> Result<SmallVec<[Target; 2]>> {
        let mut all = SmallVec::new();
        while self.c.peek_entity("block").is_some() {
            let block = self.block_ref()?;
            let mut args = SmallVec::new();
            if self.c.eat('(') {
                args = self.values()?;
                self.c.expect(')')?;
            }
            all.push(Target { block, args });
            if !self.c.eat(',') {
                break;
            }
        }
        Ok(all)
    }

    // ---- immediates

    fn imm(&mut self, op: Op, ty: Type) -> Result<Imm> {
        Ok(match op.info().imm {
            ImmKind::None => Imm::None,
            ImmKind::Int => Imm::Int(self.c.number()?),
            ImmKind::Float => Imm::Float(self.float(ty)?),
            ImmKind::IntCc => Imm::IntCc(self.int_cc()?),
            ImmKind::FloatCc => {
                let w = self.c.word()?;
                let found = FloatCc::ALL.iter().find(|(_, n)| *n == w);
                let cc = found.ok_or_else(|| self.c.error(format!("no such condition: {w}")))?;
                Imm::FloatCc(cc.0)
            }
            ImmKind::Mem => Imm::Mem(self.mem()?),
            ImmKind::Slot => {
                let slot = Slot(self.c.entity("ss")?);
                let offset = self.c.number()?;
                let ty = match op {
                    Op::SlotAddr => MemType::I64,
                    _ => self.mem_type()?,
                };
                Imm::Slot(slot, offset, ty)
            }
            ImmKind::Fixup => Imm::Fixup(fixup::parse(self.c)?),
            ImmKind::Type => Imm::Type(TypeId(self.c.id("type")?)),
            ImmKind::Trap => Imm::Trap(self.trap()?),
            ImmKind::CondTrap => Imm::CondTrap(self.int_cc()?, self.trap()?),
            ImmKind::Call => {
                let tail = self.c.eat_word("tail");
                let method = match self.c.peek_word() {
                    "method" => Some(MethodId(self.c.id("method")?)),
                    _ => None,
                };
                let sig = Sig(self.c.entity("sig")?);
                if sig.index() >= self.f.sigs.len() {
                    return Err(self.c.error(format!("{sig} is not declared")));
                }
                Imm::Call(CallInfo { method, sig, tail })
            }
            ImmKind::Helper => Imm::Helper(self.c.helper()?),
            ImmKind::Lookup => Imm::Lookup(LookupRef(self.c.entity("lookup")?)),
            ImmKind::Region => Imm::Region(Region(self.c.entity("region")?)),
            ImmKind::Size => {
                let n = self.c.number()?;
                let second = match self.c.peek() {
                    '+' | '-' => self.c.number()?,
                    _ => 0,
                };
                Imm::Size(n, second)
            }
            ImmKind::Atomic => Imm::Atomic(self.mem_type()?, self.alias()?),
            ImmKind::Lane => Imm::Lane(self.lane()?),
            ImmKind::LaneShift => Imm::LaneShift(self.lane()?, self.c.number()?),
        })
    }

    fn lane(&mut self) -> Result<Lane> {
        let w = self.c.word()?;
        let found = Lane::ALL.iter().find(|(_, n)| *n == w);
        found
            .map(|t| t.0)
            .ok_or_else(|| self.c.error(format!("no such lanes: {w}")))
    }

    fn int_cc(&mut self) -> Result<IntCc> {
        let w = self.c.word()?;
        let found = IntCc::ALL.iter().find(|(_, n)| *n == w);
        found
            .map(|t| t.0)
            .ok_or_else(|| self.c.error(format!("no such condition: {w}")))
    }

    fn trap(&mut self) -> Result<TrapKind> {
        let w = self.c.word()?;
        TrapKind::from_name(w).ok_or_else(|| self.c.error(format!("no such trap: {w}")))
    }

    fn mem(&mut self) -> Result<MemRef> {
        Ok(MemRef {
            ty: self.mem_type()?,
            offset: self.c.number()?,
            alias: self.alias()?,
            volatile: self.c.eat_word("volatile"),
        })
    }

    fn alias(&mut self) -> Result<AliasClass> {
        Ok(match self.c.peek_word() {
            "field" => AliasClass::Field(self.c.id("field")?),
            "static" => AliasClass::Static(self.c.id("static")?),
            "element" => {
                self.c.word()?;
                self.c.expect(':')?;
                AliasClass::Element(self.mem_type()?)
            }
            w @ ("stack" | "immutable") => {
                self.c.word()?;
                match w {
                    "stack" => AliasClass::Stack,
                    _ => AliasClass::Immutable,
                }
            }
            _ => AliasClass::Any,
        })
    }

    fn float(&mut self, ty: Type) -> Result<u64> {
        let w = self.c.run()?;
        let bits = if let Some(hex) = w.strip_prefix("nan:0x") {
            u64::from_str_radix(hex, 16).ok()
        } else if ty == Type::F32 {
            w.parse::<f32>().ok().map(|x| x.to_bits() as u64)
        } else {
            w.parse::<f64>().ok().map(f64::to_bits)
        };
        bits.ok_or_else(|| self.c.error(format!("not a float: {w}")))
    }
}
