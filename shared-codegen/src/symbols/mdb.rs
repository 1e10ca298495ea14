//! Symbol files of the Mono C# compiler (`X.exe.mdb`, `Mono.CompilerServices.SymbolWriter` version 50): which lines
//! the instructions of methods come from.
//!
//! The line table of a method is a program in the style of DWARF. Everything is bounds-checked: a damaged file has no lines.

use super::Line;
use rustc_hash::FxHashMap;

const MAGIC: u64 = 0x45e8_2623_fd7f_a614;
const MAJOR_VERSION: u32 = 50;
/// Bytes in front of the offset table: magic, version, module id.
const HEADER: usize = 32;
const MODULE_ID: core::ops::Range<usize> = 16..32;
/// Bytes of a row of the method table: token, data, line table.
const METHOD_ROW: usize = 12;
/// Bytes of a row of the source table: index, data.
const SOURCE_ROW: usize = 8;

/// Words of the offset table that are used, by their position.
mod word {
    pub const DATA_OFFSET: usize = 1;
    pub const SOURCE_COUNT: usize = 6;
    pub const SOURCES: usize = 7;
    pub const METHOD_COUNT: usize = 9;
    pub const METHODS: usize = 10;
    pub const LINE_BASE: usize = 16;
    pub const LINE_RANGE: usize = 17;
    pub const OPCODE_BASE: usize = 18;
}

/// Opcodes of line programs.
mod op {
    pub const EXTENDED: u8 = 0;
    pub const COPY: u8 = 1;
    pub const ADVANCE_PC: u8 = 2;
    pub const ADVANCE_LINE: u8 = 3;
    pub const SET_FILE: u8 = 4;
    pub const CONST_ADD_PC: u8 = 8;
    pub const EXTENDED_END: u8 = 1;
}

/// An opened symbol file.
pub struct Mdb {
    bytes: Vec<u8>,
    /// Line program of each method, by token.
    methods: FxHashMap<u32, usize>,
    sources: Vec<String>,
    line_base: i32,
    line_range: u32,
    opcode_base: u8,
}

/// A reader that ends instead of running over the end.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn u8(&mut self) -> Option<u8> {
        let b = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(b)
    }

    fn u32(&mut self) -> Option<u32> {
        let b = self.bytes.get(self.at..self.at.checked_add(4)?)?;
        self.at += 4;
        Some(u32::from_le_bytes(b.try_into().ok()?))
    }

    /// Seven bits a byte, lowest first.
    fn packed(&mut self) -> Option<u32> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let b = self.u8()?;
            value |= u32::from(b & 0x7f) << shift.min(31);
            if b & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.packed()? as usize;
        let text = self.bytes.get(self.at..self.at.checked_add(len)?)?;
        core::str::from_utf8(text).ok()
    }
}

impl Mdb {
    /// Opens a symbol file; `None` if it is none, of another version, or of a module with another id.
    pub fn open(bytes: Vec<u8>, module: [u8; 16]) -> Option<Mdb> {
        let at = |at| Reader { bytes: &bytes, at };
        let magic = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
        if magic != MAGIC || at(8).u32()? != MAJOR_VERSION || bytes.get(MODULE_ID)? != module {
            return None;
        }
        let word = |n: usize| at(HEADER + 4 * n).u32();
        let _ = word(word::DATA_OFFSET)?;
        let methods = word(word::METHODS)? as usize;
        let rows = (0..word(word::METHOD_COUNT)? as usize)
            .map(|n| {
                let mut row = at(methods.checked_add(n.checked_mul(METHOD_ROW)?)?);
                let (token, _data, lines) = (row.u32()?, row.u32()?, row.u32()?);
                Some((token, lines as usize))
            })
            .collect::<Option<_>>()?;
        let sources = word(word::SOURCES)? as usize;
        let names = (0..word(word::SOURCE_COUNT)? as usize)
            .map(|n| {
                let mut row = at(sources.checked_add(n.checked_mul(SOURCE_ROW)?)?);
                let (_index, data) = (row.u32()?, row.u32()?);
                at(data as usize).text().map(str::to_owned)
            })
            .collect::<Option<_>>()?;
        Some(Mdb {
            methods: rows,
            sources: names,
            line_base: word(word::LINE_BASE)? as i32,
            line_range: word(word::LINE_RANGE)?.max(1),
            opcode_base: word(word::OPCODE_BASE)? as u8,
            bytes,
        })
    }

    /// The line of an IL offset of a method.
    pub fn line(&self, token: u32, il: u32) -> Option<Line> {
        let mut found = None;
        self.run(*self.methods.get(&token)?, |offset, line, file| {
            if offset <= il {
                found = Some((line, file));
            }
        })?;
        let (line, file) = found?;
        let file = self.sources.get((file as usize).checked_sub(1)?)?;
        Some(Line {
            file: file.clone(),
            line,
        })
    }

    /// Runs a line program: `row` gets the IL offset at which each line starts, the line, and the number of its file.
    fn run(&self, start: usize, mut row: impl FnMut(u32, u32, u32)) -> Option<()> {
        let mut r = Reader {
            bytes: &self.bytes,
            at: start,
        };
        let (mut offset, mut line, mut file) = (0u32, 1u32, 1u32);
        let mut modified = false;
        loop {
            let opcode = r.u8()?;
            if opcode == op::EXTENDED {
                let len = usize::from(r.u8()?);
                let end = r.at + len;
                if r.u8()? == op::EXTENDED_END {
                    if modified {
                        row(offset, line, file);
                    }
                    return Some(());
                }
                modified = true;
                r.at = end;
            } else if opcode >= self.opcode_base {
                let n = u32::from(opcode - self.opcode_base);
                offset = offset.wrapping_add(n / self.line_range);
                let step = self.line_base.wrapping_add((n % self.line_range) as i32);
                line = line.wrapping_add_signed(step);
                row(offset, line, file);
                modified = false;
            } else {
                match opcode {
                    op::COPY => row(offset, line, file),
                    op::ADVANCE_PC => offset = offset.wrapping_add(r.packed()?),
                    op::ADVANCE_LINE => line = line.wrapping_add(r.packed()?),
                    op::SET_FILE => file = r.packed()?,
                    op::CONST_ADD_PC => {
                        let most = u32::from(u8::MAX - self.opcode_base);
                        offset = offset.wrapping_add(most / self.line_range);
                    }
                    _ => return None,
                }
                modified = opcode != op::COPY;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one source and one method whose lines are 0→3, 4→5, 10→4.
    fn sample() -> Vec<u8> {
        let program = [
            op::ADVANCE_LINE,
            2,
            op::COPY,        // line 3 at 0
            9 + (4 * 8 + 3), // 4 on, line +2
            op::ADVANCE_PC,
            6,
            9, // line -1
            op::EXTENDED,
            1,
            op::EXTENDED_END,
        ];
        let mut words = [0u32; 20];
        let data = HEADER + 80;
        let source_data = data + program.len();
        words[word::DATA_OFFSET] = data as u32;
        words[word::SOURCE_COUNT] = 1;
        words[word::SOURCES] = (source_data + 5) as u32;
        words[word::METHOD_COUNT] = 1;
        words[word::METHODS] = (source_data + 5 + SOURCE_ROW) as u32;
        words[word::LINE_BASE] = -1i32 as u32;
        words[word::LINE_RANGE] = 8;
        words[word::OPCODE_BASE] = 9;
        let mut file = MAGIC.to_le_bytes().to_vec();
        file.extend(MAJOR_VERSION.to_le_bytes());
        file.extend([0; 4]);
        file.extend([7; 16]);
        file.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        file.extend(program);
        file.extend(b"\x04a.cs");
        file.extend(
            [1u32, source_data as u32]
                .iter()
                .flat_map(|w| w.to_le_bytes()),
        );
        file.extend(
            [0x0600_0001u32, 0, data as u32]
                .iter()
                .flat_map(|w| w.to_le_bytes()),
        );
        file
    }

    #[test]
    fn lines() {
        let mdb = Mdb::open(sample(), [7; 16]).expect("a symbol file");
        let at = |il| mdb.line(0x0600_0001, il).map(|l| l.line);
        assert_eq!(
            [at(0), at(3), at(4), at(9), at(10), at(99)],
            [3, 3, 5, 5, 4, 4].map(Some)
        );
        assert_eq!(
            mdb.line(0x0600_0001, 0).map(|l| l.file).as_deref(),
            Some("a.cs")
        );
        assert!(mdb.line(0x0600_0002, 0).is_none());
        assert!(Mdb::open(sample(), [8; 16]).is_none());
    }

    #[test]
    fn truncated_and_damaged_files_have_no_lines_or_wrong_ones_but_never_fail() {
        let whole = sample();
        for len in 0..whole.len() {
            assert!(
                Mdb::open(whole[..len].to_vec(), [7; 16])
                    .is_none_or(|m| m.line(0x0600_0001, 5).is_none())
            );
        }
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                if let Some(m) = Mdb::open(bytes, [7; 16]) {
                    let _ = m.line(0x0600_0001, 5);
                }
            }
        }
    }
}
