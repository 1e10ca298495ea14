//! The code buffer: bytes, labels, branches of two lengths, padding in front of loops, a pool of
//! constants behind the code.
//!
//! Every branch is written in its short form. [`CodeBuffer::finish`] lengthens those that do not
//! reach, until nothing changes (branches only grow, so this ends, and starting short gives the
//! smallest solution: exactly what GNU as chooses). Positions handed out before are *raw*: they
//! do not count the growth. [`Finished::offset`] translates them.
//!
//! Padding and the lengths of branches depend on each other. Padding is chosen first and stays while
//! the branches are lengthened, starting anew; where a loop then does not begin as wished, the
//! padding is chosen again. That may go round in circles: after a few times the first padding that
//! changes stays as it is. What is left is a loop that begins somewhere else, never wrong code, and
//! branches have the lengths that GNU as chooses for the same padding.

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

/// Where padding may be put so that what follows begins at a multiple of some number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alignment {
    /// The number, a power of two.
    pub to: u32,
    /// More padding than this is not worth it: then there is none.
    pub most: u32,
}

impl Alignment {
    /// Padding at this offset.
    fn padding(self, at: u32) -> u32 {
        match at.next_multiple_of(self.to) - at {
            n if n > self.most => 0,
            n => n,
        }
    }
}

/// Something in the code whose length is settled at the end.
#[derive(Clone, Copy, Debug)]
struct Growing {
    at: u32,
    /// By how much it is longer than its raw form.
    growth: u32,
    kind: Growth,
}

#[derive(Clone, Copy, Debug)]
enum Growth {
    Branch {
        target: Label,
        form: BranchForm,
    },
    Padding(Alignment),
    /// Padding that does not change any more.
    Settled,
}

impl Growing {
    /// Bytes of the raw form.
    fn raw_size(&self) -> u32 {
        match self.kind {
            Growth::Branch { .. } => 2,
            Growth::Padding(_) | Growth::Settled => 0,
        }
    }

    /// First raw position that the growth moves.
    fn moves(&self) -> u32 {
        match self.kind {
            Growth::Branch { .. } => self.at + 1,
            Growth::Padding(_) | Growth::Settled => self.at,
        }
    }
}

/// How often padding is chosen.
const PADDING_ROUNDS: usize = 24;
/// After so many rounds the first padding that still changes stays as it is.
const FREE_ROUNDS: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Unbound,
    /// Raw offset, and how many growing things stand before it.
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
    growing: Vec<Growing>,
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
        self.labels[l.index()] = Place::Code(self.bytes.len() as u32, self.growing.len() as u32);
    }

    /// Appends a branch.
    pub fn branch(&mut self, form: BranchForm, target: Label) {
        self.growing.push(Growing {
            at: self.bytes.len() as u32,
            growth: 0,
            kind: Growth::Branch { target, form },
        });
        self.bytes.extend_from_slice(&[form.short, 0]);
    }

    /// Wants what comes next to begin at a multiple. [`Finished::padding`] tells in the order of the calls what became
    /// of it.
    pub fn align(&mut self, alignment: Alignment) {
        self.growing.push(Growing {
            at: self.bytes.len() as u32,
            growth: 0,
            kind: Growth::Padding(alignment),
        });
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

    /// Chooses branch lengths and padding (`fillers[n]` has `n + 1` bytes), fills in all distances.
    pub fn finish(mut self, fillers: &'static [&'static [u8]]) -> Result<Finished, BufferError> {
        if self.bytes.len() + 32 * self.growing.len() + self.pool.len() > 1 << 30 {
            return Err(BufferError::TooLarge);
        }
        for g in &self.growing {
            if let Growth::Branch { target, .. } = g.kind
                && self.labels[target.index()] == Place::Unbound
            {
                return Err(BufferError::Unplaced(target));
            }
        }
        let growth = self.settle();
        let mut out = self.expand(&growth, fillers);
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
                Place::Code(raw, before) => raw + growth[before as usize],
                Place::Pool(at) => pool_start + at,
                Place::Unbound => u32::MAX,
            })
            .collect();
        let paddings = self.growing.iter();
        let paddings = paddings.filter(|g| !matches!(g.kind, Growth::Branch { .. }));
        let mut f = Finished {
            bytes: out,
            code_size,
            pool_start,
            pool_align: self.pool_align,
            labels,
            paddings: paddings.map(|g| g.growth).collect(),
            starts: self.growing.iter().map(Growing::moves).collect(),
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

    /// Chooses padding and lengths. Returns the growth before each growing thing, and the total.
    fn settle(&mut self) -> Vec<u32> {
        let mut growth = self.relax();
        for round in 0..PADDING_ROUNDS {
            let Some(first) = self.choose_padding(&growth) else {
                break;
            };
            if round >= FREE_ROUNDS {
                self.growing[first].kind = Growth::Settled;
            }
            growth = self.relax();
        }
        growth
    }

    /// Chooses the padding for code that has grown like this; later padding counts on the changes of
    /// earlier one. Gives the first that changed.
    fn choose_padding(&mut self, growth: &[u32]) -> Option<usize> {
        let mut moved = 0i64;
        let mut first = None;
        for (i, (g, &before)) in self.growing.iter_mut().zip(growth).enumerate() {
            if let Growth::Padding(alignment) = g.kind {
                let at = (i64::from(g.at + before) + moved) as u32;
                let padding = alignment.padding(at);
                if padding != g.growth {
                    moved += i64::from(padding) - i64::from(g.growth);
                    first = first.or(Some(i));
                    g.growth = padding;
                }
            }
        }
        first
    }

    /// Makes all branches short, then lengthens them until all reach. Returns what [`Self::settle`] does.
    fn relax(&mut self) -> Vec<u32> {
        for g in &mut self.growing {
            if let Growth::Branch { .. } = g.kind {
                g.growth = 0;
            }
        }
        loop {
            let growth = self.sums();
            let mut changed = false;
            for i in 0..self.growing.len() {
                let g = self.growing[i];
                let Growth::Branch { target, form } = g.kind else {
                    continue;
                };
                let Place::Code(raw, before) = self.labels[target.index()] else {
                    continue;
                };
                let from = (g.at + 2 + growth[i]) as i64;
                let to = (raw + growth[before as usize]) as i64;
                if g.growth == 0 && i8::try_from(to - from).is_err() {
                    self.growing[i].growth = form.growth();
                    changed = true;
                }
            }
            if !changed {
                return growth;
            }
        }
    }

    /// Growth before each growing thing, and the total.
    fn sums(&self) -> Vec<u32> {
        let mut sums = Vec::with_capacity(self.growing.len() + 1);
        let mut sum = 0;
        for g in &self.growing {
            sums.push(sum);
            sum += g.growth;
        }
        sums.push(sum);
        sums
    }

    /// The code with padding, and branches at their final length and with displacement.
    fn expand(&self, growth: &[u32], fillers: &'static [&'static [u8]]) -> Vec<u8> {
        let total = growth[self.growing.len()] as usize;
        let mut out = Vec::with_capacity(self.bytes.len() + total + self.pool.len() + 16);
        let mut done = 0;
        for g in &self.growing {
            out.extend_from_slice(&self.bytes[done..g.at as usize]);
            done = (g.at + g.raw_size()) as usize;
            match g.kind {
                Growth::Padding(_) | Growth::Settled => {
                    padding(g.growth, fillers).for_each(|n| out.extend_from_slice(n));
                }
                Growth::Branch { target, form } => {
                    let Place::Code(raw, before) = self.labels[target.index()] else {
                        continue;
                    };
                    let to = raw + growth[before as usize];
                    if g.growth > 0 {
                        out.extend_from_slice(form.long_opcode());
                        out.extend_from_slice(&to.wrapping_sub(out.len() as u32 + 4).to_le_bytes());
                    } else {
                        let distance = to.wrapping_sub(out.len() as u32 + 2) as u8;
                        out.extend_from_slice(&[form.short, distance]);
                    }
                }
            }
        }
        out.extend_from_slice(&self.bytes[done..]);
        out
    }
}

/// That many bytes that do nothing, as few instructions as there are.
pub fn padding(
    bytes: u32,
    fillers: &'static [&'static [u8]],
) -> impl Iterator<Item = &'static [u8]> {
    let mut left = bytes as usize;
    std::iter::from_fn(move || {
        let n = left.min(fillers.len());
        left -= n;
        n.checked_sub(1).map(|n| fillers[n])
    })
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
    /// What the pool's start is a multiple of.
    pub pool_align: u32,
    /// Bytes of padding at each place that asked for it.
    pub paddings: Vec<u32>,
    labels: Vec<u32>,
    starts: Vec<u32>,
    growth: Vec<u32>,
}

impl Finished {
    /// Where a raw position ended up.
    pub fn offset(&self, raw: RawOffset) -> u32 {
        raw.0 + self.growth[self.starts.partition_point(|&s| s <= raw.0)]
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
