//! The code buffer: bytes, labels, branches of two lengths, a pool of constants behind the code.
//!
//! Every branch is written in its short form. [`CodeBuffer::finish`] lengthens those that do not
//! reach, until nothing changes (branches only grow, so this ends, and starting short gives the
//! smallest solution: exactly what GNU as chooses). Positions handed out before are *raw*: they
//! do not count the growth. [`Finished::offset`] translates them.

use super::Label;

/// A position in code whose branches are all short.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct RawOffset(pub u32);

/// Encodings of one branch: a short one with an 8-bit and a long one with a 32-bit displacement at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BranchForm {
    /// Opcode of the short form.
    pub short: u8,
    /// Opcode bytes of the long form; the first is left out if zero.
    pub long: [u8; 2],
}

impl BranchForm {
    fn long_opcode(&self) -> &[u8] {
        if self.long[0] == 0 {
            &self.long[1..]
        } else {
            &self.long
        }
    }

    /// How much longer the long form is.
    fn growth(&self) -> u32 {
        self.long_opcode().len() as u32 + 4 - 2
    }
}

#[derive(Clone, Copy, Debug)]
struct Branch {
    at: u32,
    target: Label,
    form: BranchForm,
    long: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Unbound,
    /// Raw offset, and how many branches stand before it.
    Code(u32, u32),
    Pool(u32),
}

/// A 32-bit field `target + addend - end of field's instruction`.
#[derive(Clone, Copy, Debug)]
struct RelField {
    at: u32,
    to_end: u8,
    target: Label,
    addend: i32,
}

/// A 32-bit field in the pool: `target - base`.
#[derive(Clone, Copy, Debug)]
struct Difference {
    at: u32,
    target: Label,
    base: Label,
}

/// Why code could not be completed. Both are defects of the code generator or of absurd input sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BufferError {
    /// A label is used but was never placed.
    #[error("label {} is used but not placed", .0.0)]
    Unplaced(Label),
    /// The function is too large.
    #[error("code of more than 2^30 bytes")]
    TooLarge,
}

/// Collects the code of one function.
#[derive(Debug, Default)]
pub struct CodeBuffer {
    bytes: Vec<u8>,
    labels: Vec<Place>,
    branches: Vec<Branch>,
    fields: Vec<RelField>,
    pool: Vec<u8>,
    pool_align: u32,
    differences: Vec<Difference>,
}

impl CodeBuffer {
    /// Makes labels `0..n` known (blocks).
    pub fn with_labels(n: u32) -> CodeBuffer {
        CodeBuffer {
            labels: vec![Place::Unbound; n as usize],
            pool_align: 1,
            ..CodeBuffer::default()
        }
    }

    /// A new label.
    pub fn new_label(&mut self) -> Label {
        self.labels.push(Place::Unbound);
        Label(self.labels.len() as u32 - 1)
    }

    /// The current position.
    pub fn pos(&self) -> RawOffset {
        RawOffset(self.bytes.len() as u32)
    }

    /// Appends code.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Places a label here.
    pub fn bind(&mut self, l: Label) {
        self.labels[l.index()] = Place::Code(self.bytes.len() as u32, self.branches.len() as u32);
    }

    /// Appends a branch.
    pub fn branch(&mut self, form: BranchForm, target: Label) {
        self.branches.push(Branch {
            at: self.bytes.len() as u32,
            target,
            form,
            long: false,
        });
        self.bytes.extend_from_slice(&[form.short, 0]);
    }

    /// Says that the 32-bit field `back` bytes before here, in an instruction that ends `to_end` bytes
    /// after the field's beginning, is the distance to a label plus addend.
    pub fn label_field(&mut self, at: RawOffset, to_end: u8, target: Label, addend: i32) {
        self.fields.push(RelField {
            at: at.0,
            to_end,
            target,
            addend,
        });
    }

    /// Appends data behind the code and places a label at it.
    pub fn pool_data(&mut self, l: Label, align: u32, data: &[u8]) {
        self.pool_place(l, align);
        self.pool.extend_from_slice(data);
    }

    /// Appends a table of 32-bit distances from the table to labels.
    pub fn pool_table(&mut self, table: Label, targets: &[Label]) {
        self.pool_place(table, 4);
        for &target in targets {
            self.differences.push(Difference {
                at: self.pool.len() as u32,
                target,
                base: table,
            });
            self.pool.extend_from_slice(&[0; 4]);
        }
    }

    fn pool_place(&mut self, l: Label, align: u32) {
        self.pool_align = self.pool_align.max(align);
        self.pool
            .resize(self.pool.len().next_multiple_of(align as usize), POOL_FILL);
        self.labels[l.index()] = Place::Pool(self.pool.len() as u32);
    }

    /// Chooses branch lengths, fills in all distances.
    pub fn finish(mut self) -> Result<Finished, BufferError> {
        if self.bytes.len() + 6 * self.branches.len() + self.pool.len() > 1 << 30 {
            return Err(BufferError::TooLarge);
        }
        if let Some(b) = self
            .branches
            .iter()
            .find(|b| self.labels[b.target.index()] == Place::Unbound)
        {
            return Err(BufferError::Unplaced(b.target));
        }
        let growth = self.relax();
        let mut out = self.expand(&growth);
        let code_size = out.len() as u32;
        if !self.pool.is_empty() {
            out.resize(
                out.len().next_multiple_of(self.pool_align as usize),
                POOL_FILL,
            );
        }
        let pool_start = out.len() as u32;
        out.extend_from_slice(&self.pool);
        let labels = self
            .labels
            .iter()
            .map(|p| match *p {
                Place::Code(raw, branches) => raw + growth[branches as usize],
                Place::Pool(at) => pool_start + at,
                Place::Unbound => u32::MAX,
            })
            .collect();
        let starts = self.branches.iter().map(|b| b.at).collect();
        let mut f = Finished {
            bytes: out,
            code_size,
            pool_start,
            labels,
            starts,
            growth,
        };
        for r in &self.fields {
            let at = f.offset(RawOffset(r.at));
            let v = f
                .label(r.target)?
                .wrapping_sub(at + r.to_end as u32)
                .wrapping_add_signed(r.addend);
            f.write(at, v);
        }
        for d in &self.differences {
            let v = f.label(d.target)?.wrapping_sub(f.label(d.base)?);
            f.write(pool_start + d.at, v);
        }
        Ok(f)
    }

    /// Lengthens branches until all reach. Returns the growth before each branch, and the total.
    fn relax(&mut self) -> Vec<u32> {
        let mut growth = vec![0; self.branches.len() + 1];
        loop {
            let mut changed = false;
            for i in 0..self.branches.len() {
                let b = self.branches[i];
                if b.long {
                    continue;
                }
                let Place::Code(raw, before) = self.labels[b.target.index()] else {
                    continue;
                };
                let from = (b.at + 2 + growth[i]) as i64;
                let to = (raw + growth[before as usize]) as i64;
                if i8::try_from(to - from).is_err() {
                    self.branches[i].long = true;
                    changed = true;
                }
            }
            if !changed {
                return growth;
            }
            let mut sum = 0;
            for (i, b) in self.branches.iter().enumerate() {
                growth[i] = sum;
                sum += if b.long { b.form.growth() } else { 0 };
            }
            growth[self.branches.len()] = sum;
        }
    }

    /// The code with branches at their final length and with displacement.
    fn expand(&self, growth: &[u32]) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            self.bytes.len() + growth[self.branches.len()] as usize + self.pool.len() + 16,
        );
        let mut done = 0;
        for b in &self.branches {
            out.extend_from_slice(&self.bytes[done..b.at as usize]);
            done = b.at as usize + 2;
            let Place::Code(raw, before) = self.labels[b.target.index()] else {
                continue;
            };
            let to = raw + growth[before as usize];
            if b.long {
                out.extend_from_slice(b.form.long_opcode());
                out.extend_from_slice(&to.wrapping_sub(out.len() as u32 + 4).to_le_bytes());
            } else {
                out.extend_from_slice(&[b.form.short, to.wrapping_sub(out.len() as u32 + 2) as u8]);
            }
        }
        out.extend_from_slice(&self.bytes[done..]);
        out
    }
}

/// Fills gaps: breakpoints, so that running into one shows.
pub const POOL_FILL: u8 = 0xcc;

/// Complete code.
#[derive(Debug)]
pub struct Finished {
    /// Code, then the pool.
    pub bytes: Vec<u8>,
    /// Bytes of code without the pool.
    pub code_size: u32,
    /// Where the pool starts.
    pub pool_start: u32,
    labels: Vec<u32>,
    starts: Vec<u32>,
    growth: Vec<u32>,
}

impl Finished {
    /// Where a raw position ended up.
    pub fn offset(&self, raw: RawOffset) -> u32 {
        raw.0 + self.growth[self.starts.partition_point(|&s| s < raw.0)]
    }

    /// Offset of a label.
    pub fn label(&self, l: Label) -> Result<u32, BufferError> {
        match self.labels[l.index()] {
            u32::MAX => Err(BufferError::Unplaced(l)),
            at => Ok(at),
        }
    }

    fn write(&mut self, at: u32, v: u32) {
        self.bytes[at as usize..at as usize + 4].copy_from_slice(&v.to_le_bytes());
    }
}
