//! Making an image: collects the tables of compiled methods and writes them as assembler source.
//!
//! Code stands in parts, each its own source file: the first file holds the tables and the symbol
//! `aotc_code` at the start of its (empty) `.text`, the parts follow it in link order. Places of methods are computed here
//! and hold because every part is aligned to [`PART_ALIGN`] and a function's text assembles to exactly its bytes.

use super::blobs::BlobWriter;
use super::clauses::ClauseRecord;
use super::dependencies::DependencyRecord;
use super::failures::FailureRecord;
use super::fixups::{self, CellRecord, FixupRef};
use super::header::{HeaderFields, SECTIONS_AT, Section};
use super::left_out::{LeftOutRecord, Reason};
use super::lines::{SiteRecord, push_lines};
use super::methods::{HashRecord, MethodRecord};
use super::record::Record;
use super::traps::TrapRecord;
use super::{COMPILER, HEADER_SYMBOL, Hash, MONO_SYMBOL, MONO_SYMBOL_SIZE, abi_hash};
use crate::abi::fixup::Fixup;
use crate::emit::{CodeBlob, text};
use crate::types::{MethodId, TypeContext};
use indexmap::IndexSet;
use std::fmt::Write;

/// Alignment of each part of the code.
pub const PART_ALIGN: u32 = 64;

/// Where a method was put.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Offset from the start of the code.
    pub offset: u32,
    /// The cell of each of the blob's fixups; none for methods that are only called directly.
    pub cells: Vec<Option<u32>>,
}

/// Collects the tables of an image. The order of calls decides the bytes.
#[derive(Debug, Default)]
pub struct ImageWriter {
    pub(super) blobs: BlobWriter,
    pub(super) clauses: Vec<ClauseRecord>,
    features: u32,
    options: String,
    dependencies: Vec<DependencyRecord>,
    identity: blake3::Hasher,
    cells: IndexSet<Fixup>,
    methods: Vec<MethodRecord>,
    index: Vec<(u64, Vec<u8>, u32)>,
    lists: Vec<FixupRef>,
    traps: Vec<TrapRecord>,
    lines: Vec<u8>,
    sites: Vec<SiteRecord>,
    /// Names of the methods, and encodings of the inlined ones by site: their blobs come last, because only stack traces
    /// and people read them, and what a start reads should lie close together.
    names: Vec<String>,
    site_methods: Vec<Vec<u8>>,
    failures: Vec<FailureRecord>,
    left_out: Vec<LeftOutRecord>,
    code_end: u32,
}

impl ImageWriter {
    /// An empty image of code for these CPU features made with these options.
    pub fn new(features: u32, options: &str) -> ImageWriter {
        ImageWriter {
            features,
            options: options.into(),
            ..ImageWriter::default()
        }
    }

    /// Adds an assembly the code depends on; the first one is the assembly the image is of.
    pub fn add_dependency(&mut self, name: &str, size: usize, hash: &Hash) {
        let blob = self.blobs.add(name.into());
        self.dependencies
            .push(DependencyRecord::new(blob, size, hash));
        self.identity.update(name.as_bytes()).update(hash);
    }

    /// Starts a part of the code.
    pub fn begin_part(&mut self) {
        self.code_end = self.code_end.next_multiple_of(PART_ALIGN);
    }

    /// Adds a method at the end of the current part. `more` are constants to be bound with it for the sake of methods that it
    /// calls directly.
    pub fn add_method(
        &mut self,
        ctx: &TypeContext,
        method: MethodId,
        name: &str,
        blob: &CodeBlob,
        more: &[Fixup],
    ) -> Placed {
        let mut key = Vec::new();
        ctx.encode_method(method, &mut key);
        let offset = self.code_end.next_multiple_of(blob.align.max(16));
        self.code_end = offset + blob.code.len() as u32;
        let mut record = self.ends();
        record.key = self.blobs.add(key.clone()).0;
        self.names.push(name.into());
        record.code = offset;
        record.code_size = blob.code_size;
        record.frame_size = blob.frame.size;
        record.saved = blob.frame.saved.into();
        let number = self.methods.len() as u32;
        self.methods.push(record);
        self.index
            .push((ctx.stable_method_hash(method), key, number));
        let own = blob.fixups.iter();
        let needed = blob.cell_fixups();
        let cells = own.map(|f| needed.contains(f).then(|| self.cell(*f)));
        let cells: Vec<Option<u32>> = cells.collect();
        let more = more.iter().map(|&f| self.cell(f));
        let bound: Vec<u32> = cells.iter().flatten().copied().chain(more).collect();
        self.add_lists(ctx, blob, &bound);
        Placed { offset, cells }
    }

    fn cell(&mut self, fixup: Fixup) -> u32 {
        self.cells.insert_full(fixup).0 as u32
    }

    fn add_lists(&mut self, ctx: &TypeContext, blob: &CodeBlob, bound: &[u32]) {
        let bound = bound.iter();
        self.lists.extend(bound.map(|&cell| FixupRef { cell }));
        blob.clauses.iter().for_each(|c| self.add_clause(ctx, c));
        self.traps.extend(blob.traps.iter().map(TrapRecord::new));
        push_lines(&blob.lines, &mut self.lines);
        for site in &blob.inline_sites {
            let mut method = Vec::new();
            ctx.encode_method(site.method, &mut method);
            self.site_methods.push(method);
            self.sites.push(SiteRecord {
                method: 0,
                il: site.call.il,
                site: site.call.site,
            });
        }
        for f in &blob.failures {
            let record = FailureRecord {
                namespace: self.blobs.add(f.namespace.into()).0,
                class: self.blobs.add(f.class.into()).0,
                message: self.blobs.add(f.message.as_str().into()).0,
                subject: self.blobs.add(f.subject.as_str().into()).0,
            };
            self.failures.push(record);
        }
    }

    /// Notes that a method has no code.
    pub fn leave_out(
        &mut self,
        ctx: &TypeContext,
        method: MethodId,
        name: &str,
        reason: Reason,
        detail: &str,
    ) {
        let mut key = Vec::new();
        ctx.encode_method(method, &mut key);
        let record = LeftOutRecord {
            method: self.blobs.add(key).0,
            name: self.blobs.add(name.into()).0,
            reason: reason as u32,
            detail: self.blobs.add(detail.into()).0,
        };
        self.left_out.push(record);
    }

    /// Number of cells so far.
    pub fn cell_count(&self) -> usize {
        self.cells.len()
    }

    /// Bytes of code so far.
    pub fn code_size(&self) -> u32 {
        self.code_end
    }

    /// A record that starts its lists where they end now.
    fn ends(&self) -> MethodRecord {
        MethodRecord {
            code: self.code_end,
            fixups: self.lists.len() as u32,
            clauses: self.clauses.len() as u32,
            traps: self.traps.len() as u32,
            lines: self.lines.len() as u32,
            sites: self.sites.len() as u32,
            failures: self.failures.len() as u32,
            ..MethodRecord::default()
        }
    }

    /// The source of the first file: header, tables, cells.
    pub fn finish(mut self, ctx: &TypeContext) -> String {
        let cells: Vec<CellRecord> = (0..self.cells.len())
            .map(|n| {
                let mut bytes = Vec::new();
                fixups::encode(ctx, self.cells[n], &mut bytes);
                CellRecord {
                    fixup: self.blobs.add(bytes).0,
                }
            })
            .collect();
        self.add_late_blobs();
        self.methods.push(self.ends());
        let header = self.header(cells.len() as u32);
        self.index.sort_unstable();
        let index = self.index.iter().map(|(hash, _, method)| HashRecord {
            low: *hash as u32,
            high: (hash >> 32) as u32,
            method: *method,
        });
        let index: Vec<HashRecord> = index.collect();
        let (blob_index, blob_heap) = self.blobs.finish();
        let tables = [
            (Section::BlobIndex, blob_index),
            (Section::BlobHeap, blob_heap),
            (Section::Dependencies, bytes_of(&self.dependencies)),
            (Section::Methods, bytes_of(&self.methods)),
            (Section::MethodIndex, bytes_of(&index)),
            (Section::CellFixups, bytes_of(&cells)),
            (Section::FixupLists, bytes_of(&self.lists)),
            (Section::Clauses, bytes_of(&self.clauses)),
            (Section::Traps, bytes_of(&self.traps)),
            (Section::Lines, core::mem::take(&mut self.lines)),
            (Section::Sites, bytes_of(&self.sites)),
            (Section::Failures, bytes_of(&self.failures)),
            (Section::LeftOut, bytes_of(&self.left_out)),
        ];
        let cell_bytes = 8 * cells.len() as u32;
        source(&header, self.code_end, cell_bytes, &tables)
    }

    fn add_late_blobs(&mut self) {
        for (site, method) in self.sites.iter_mut().zip(self.site_methods.drain(..)) {
            site.method = self.blobs.add(method).0;
        }
        for (record, name) in self.methods.iter_mut().zip(self.names.drain(..)) {
            record.name = self.blobs.add(name.into()).0;
        }
    }

    fn header(&mut self, cells: u32) -> HeaderFields {
        let mut identity = core::mem::take(&mut self.identity);
        identity
            .update(&abi_hash())
            .update(COMPILER.as_bytes())
            .update(&self.features.to_le_bytes())
            .update(self.options.as_bytes());
        HeaderFields {
            features: self.features,
            content_id: *identity.finalize().as_bytes(),
            compiler: self.blobs.add(COMPILER.into()).0,
            options: self.blobs.add(self.options.as_str().into()).0,
            cells,
        }
    }
}

fn bytes_of<R: Record>(records: &[R]) -> Vec<u8> {
    let mut out = Vec::with_capacity(records.len() * R::SIZE);
    records.iter().for_each(|r| r.write(&mut out));
    out
}

/// The first source file.
fn source(
    header: &HeaderFields,
    code_size: u32,
    cell_bytes: u32,
    tables: &[(Section, Vec<u8>)],
) -> String {
    let bytes: usize = tables.iter().map(|(_, b)| b.len()).sum();
    let mut out = String::with_capacity(3 * bytes + 4096);
    let code = Section::Code.symbol();
    let cells = Section::Cells.symbol();
    let _ = write!(
        out,
        "\t.section .note.GNU-stack,\"\",@progbits\n\t.text\n\t.balign {PART_ALIGN}\n\
         \t.globl {code}\n\t.hidden {code}\n{code}:\n\
         \t.bss\n\t.balign 64\n\t.globl {cells}\n\t.hidden {cells}\n{cells}:\n\t.zero {cell_bytes}\n\
         \t.section .rodata\n\t.balign 64\n\t.globl {HEADER_SYMBOL}\n\
         \t.type {HEADER_SYMBOL}, @object\n\t.size {HEADER_SYMBOL}, {}\n{HEADER_SYMBOL}:\n.Limage:\n",
        super::header::SIZE
    );
    if code_size == 0 {
        // Without any code there would be no executable segment for the section to be in.
        out.push_str("\t.text\n\t.byte 0xcc\n\t.section .rodata\n");
    }
    let fields = header.to_bytes();
    debug_assert_eq!(fields.len(), SECTIONS_AT);
    text::data(&fields, &mut out);
    for s in Section::ALL {
        let size = match s {
            Section::Code => code_size,
            Section::Cells => cell_bytes,
            _ => {
                let table = tables.iter().find(|(t, _)| t == s);
                table.map_or(0, |(_, b)| b.len() as u32)
            }
        };
        let _ = writeln!(out, "\t.long {}-.Limage, {size}", s.symbol());
    }
    for (s, bytes) in tables {
        let _ = writeln!(out, "\t.balign 8\n{}:", s.symbol());
        text::data(bytes, &mut out);
    }
    let _ = write!(
        out,
        "\t.balign 8\n\t.globl {MONO_SYMBOL}\n\t.type {MONO_SYMBOL}, @object\n\
         \t.size {MONO_SYMBOL}, {MONO_SYMBOL_SIZE}\n{MONO_SYMBOL}:\n\t.zero {MONO_SYMBOL_SIZE}\n"
    );
    out
}

/// What a part's source starts with.
pub fn part_head() -> String {
    format!("\t.section .note.GNU-stack,\"\",@progbits\n\t.text\n\t.balign {PART_ALIGN}, 0xcc\n")
}

/// Appends the code of a placed method to the source of its part: as instructions if `prefix` (the one its text was made
/// with) is given, else as data. `offset_of` says where the code of directly called methods is.
pub fn push_method(
    blob: &CodeBlob,
    symbol: &str,
    placed: &Placed,
    prefix: Option<&str>,
    offset_of: &dyn Fn(Fixup) -> u32,
    out: &mut String,
) {
    let cell = |k: usize, out: &mut String| {
        let n = placed.cells.get(k).copied().flatten().unwrap_or_default();
        let _ = write!(out, "{}+{}", Section::Cells.symbol(), 8 * n);
    };
    let direct = |k: usize, out: &mut String| {
        let offset = blob.fixups.get(k).map_or(0, |f| offset_of(*f));
        let _ = write!(out, "{}+{offset}", Section::Code.symbol());
    };
    out.push_str("\t.type ");
    text::push_symbol(out, symbol);
    out.push_str(", @function\n");
    match prefix {
        Some(prefix) => text::function(blob, symbol, prefix, &cell, &direct, out),
        None => text::function_as_data(blob, symbol, &cell, &direct, out),
    }
    out.push_str("\t.size ");
    text::push_symbol(out, symbol);
    out.push_str(", .-");
    text::push_symbol(out, symbol);
    out.push('\n');
}
