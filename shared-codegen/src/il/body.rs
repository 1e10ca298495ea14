//! Method headers and exception clauses (ECMA-335 II.25.4).

use super::decode::{Decoder, Operand};
use super::nesting::are_sound;
use crate::metadata::{Error, Module, Result, Token};
use crate::pe::{u16_at, u32_at};

/// A method body.
#[derive(Clone, Debug)]
pub struct MethodBody {
    /// Most values on the evaluation stack, says the header.
    pub max_stack: u16,
    /// Locals start as zero.
    pub init_locals: bool,
    /// StandAloneSig of the locals, or null.
    pub locals: Token,
    /// The instructions.
    pub code: &'static [u8],
    /// Exception clauses, inner before outer.
    pub clauses: Vec<EhClause>,
}

/// An exception clause. Offsets are into the code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EhClause {
    /// What it does.
    pub kind: ClauseKind,
    /// First protected byte.
    pub try_start: u32,
    /// One past the last protected byte.
    pub try_end: u32,
    /// First byte of the handler.
    pub handler_start: u32,
    /// One past the last byte of the handler.
    pub handler_end: u32,
}

impl EhClause {
    /// The clause lies in code of this length, what it protects and its handler apart, a filter in front of the handler, and the
    /// method does not start in its handler.
    pub(super) fn is_sound(&self, len: usize) -> bool {
        let own_start = self.own_start();
        let in_code = self.try_start <= self.try_end
            && self.try_end as usize <= len
            && own_start <= self.handler_start
            && self.handler_start <= self.handler_end
            && self.handler_end as usize <= len;
        let apart = self.try_end <= own_start || self.handler_end <= self.try_start;
        let filter = !matches!(self.kind, ClauseKind::Filter(start) if start >= self.handler_start);
        in_code && apart && filter && own_start > 0
    }

    /// First byte of the filter, or of the handler if there is none.
    pub(super) fn own_start(&self) -> u32 {
        match self.kind {
            ClauseKind::Filter(start) => start,
            _ => self.handler_start,
        }
    }

    /// A `leave` between these offsets goes from the handler of a catch clause back into the middle of its own try (Visual
    /// Basic does so).
    pub fn reenters(&self, from: u32, to: u32) -> bool {
        matches!(self.kind, ClauseKind::Catch(_) | ClauseKind::Filter(_))
            && self.handles(from)
            && (self.try_start + 1..self.try_end).contains(&to)
    }

    /// The offset is protected.
    pub fn protects(&self, offset: u32) -> bool {
        (self.try_start..self.try_end).contains(&offset)
    }

    /// The offset lies in the handler.
    pub fn handles(&self, offset: u32) -> bool {
        (self.handler_start..self.handler_end).contains(&offset)
    }

    /// Protects the same code.
    pub fn same_try(&self, other: &EhClause) -> bool {
        (self.try_start, self.try_end) == (other.try_start, other.try_end)
    }
}

/// Kinds of exception clauses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClauseKind {
    /// Catches instances of a type.
    Catch(Token),
    /// Asks the filter that starts here and ends where the handler starts.
    Filter(u32),
    /// Runs on every way out.
    Finally,
    /// Runs on the exceptional way out.
    Fault,
}

impl MethodBody {
    /// A body without locals and exception clauses.
    pub fn of_code(code: &'static [u8]) -> MethodBody {
        MethodBody {
            max_stack: 8,
            init_locals: true,
            locals: Token(0),
            code,
            clauses: Vec::new(),
        }
    }

    /// Reads the body at an address.
    pub fn parse(module: &Module, rva: u32) -> Result<MethodBody> {
        let bytes = module
            .data_at(rva)
            .ok_or(Error::Body("address outside of the file"))?;
        Self::parse_bytes(bytes)
    }

    /// Reads a body from its first header byte.
    pub fn parse_bytes(bytes: &'static [u8]) -> Result<MethodBody> {
        let truncated = || Error::Body("truncated");
        let first = *bytes.first().ok_or_else(truncated)?;
        match first & 3 {
            2 => {
                let len = (first >> 2) as usize;
                let code = bytes.get(1..1 + len).ok_or_else(truncated)?;
                Ok(MethodBody {
                    max_stack: 8,
                    init_locals: false,
                    locals: Token::NULL,
                    code,
                    clauses: Vec::new(),
                })
            }
            3 => Self::parse_fat(bytes).ok_or_else(truncated)?,
            _ => Err(Error::Body("unknown header format")),
        }
    }

    /// Decodes all instructions and tells which offsets start one. Branch targets and clause borders that do not
    /// are errors.
    pub fn instruction_starts(&self) -> Result<Vec<bool>> {
        let mut starts = vec![false; self.code.len() + 1];
        let mut targets = Vec::new();
        for instr in Decoder::new(self.code, 0) {
            let instr = instr?;
            starts[instr.offset as usize] = true;
            match instr.operand {
                Operand::Target(t) => targets.push(t),
                Operand::Switch(all) => targets.extend(all.iter()),
                _ => {}
            }
        }
        if !targets.iter().all(|t| starts[*t as usize]) {
            return Err(Error::Body("branch into an instruction"));
        }
        starts[self.code.len()] = true;
        let is_border = |at: u32| starts.get(at as usize) == Some(&true);
        let fits = |c: &EhClause| {
            let filter = match c.kind {
                ClauseKind::Filter(start) => start,
                _ => c.handler_start,
            };
            [
                c.try_start,
                c.try_end,
                c.handler_start,
                c.handler_end,
                filter,
            ]
            .into_iter()
            .all(is_border)
        };
        if !self.clauses.iter().all(fits) {
            return Err(Error::Body("exception clause splits an instruction"));
        }
        Ok(starts)
    }

    fn parse_fat(bytes: &'static [u8]) -> Option<Result<MethodBody>> {
        let flags = u16_at(bytes, 0)?;
        let header = (flags >> 12) as usize * 4;
        if header < 12 {
            return Some(Err(Error::Body("header too small")));
        }
        let len = u32_at(bytes, 4)? as usize;
        let code = bytes.get(header..header.checked_add(len)?)?;
        let mut body = MethodBody {
            max_stack: u16_at(bytes, 2)?,
            init_locals: flags & 0x10 != 0,
            locals: Token(u32_at(bytes, 8)?),
            code,
            clauses: Vec::new(),
        };
        if flags & 8 == 0 {
            return Some(Ok(body));
        }
        let mut at = (header + len).next_multiple_of(4);
        loop {
            let kind = *bytes.get(at)?;
            let fat = kind & 0x40 != 0;
            let size = if fat {
                u32_at(bytes, at)? >> 8
            } else {
                u32::from(*bytes.get(at + 1)?)
            } as usize;
            if kind & 1 != 0 {
                let width = if fat { 24 } else { 12 };
                // Some compilers leave the section's header out of its size.
                for i in 0..size / width {
                    match read_clause(bytes, at + 4 + i * width, fat)? {
                        Ok(clause) => body.clauses.push(clause),
                        Err(e) => return Some(Err(e)),
                    }
                }
            }
            if kind & 0x80 == 0 || size < 4 {
                break;
            }
            at += size;
        }
        if !are_sound(&body.clauses, len) {
            return Some(Err(Error::Body(
                "exception clause outside of the code, or its parts overlap",
            )));
        }
        Some(Ok(body))
    }
}

fn read_clause(bytes: &[u8], at: usize, fat: bool) -> Option<Result<EhClause>> {
    let [flags, try_start, try_len, handler_start, handler_len, last] = if fat {
        [0, 4, 8, 12, 16, 20].map(|o| u32_at(bytes, at + o))
    } else {
        let byte = |o: usize| bytes.get(at + o).map(|b| u32::from(*b));
        let half = |o: usize| u16_at(bytes, at + o).map(u32::from);
        [
            half(0),
            half(2),
            byte(4),
            half(5),
            byte(7),
            u32_at(bytes, at + 8),
        ]
    };
    let last = last?;
    let kind = match flags? {
        0 => ClauseKind::Catch(Token(last)),
        1 => ClauseKind::Filter(last),
        2 => ClauseKind::Finally,
        4 => ClauseKind::Fault,
        _ => return Some(Err(Error::Body("unknown exception clause"))),
    };
    let (try_start, handler_start) = (try_start?, handler_start?);
    let (Some(try_end), Some(handler_end)) = (
        try_start.checked_add(try_len?),
        handler_start.checked_add(handler_len?),
    ) else {
        return Some(Err(Error::Body("exception clause outside of the code")));
    };
    Some(Ok(EhClause {
        kind,
        try_start,
        try_end,
        handler_start,
        handler_end,
    }))
}
