//! `--opt-report`: what the passes did, method by method, in the form that `docs/opt-report.md` describes.

use crate::compilation::Unit;
use crate::context::Input;
use crate::options::ExplainFormat;
use rustc_hash::FxHashSet;
use shared_codegen::il::{Decoder, MethodBody, Operand};
use shared_codegen::metadata::IlNames;
use shared_codegen::passes::remarks::{Item, Remark, Subject};
use shared_codegen::symbols::{Line, Symbols};
use shared_codegen::types::{MethodId, TypeContext};
use std::io::{BufWriter, Write};
use std::path::Path;

/// One step on the way to a place: an IL offset in a method, with the source line if there are symbols.
struct Step {
    method: MethodId,
    il: u32,
    line: Option<Line>,
}

/// A line of the report.
struct Entry {
    at: Vec<Step>,
    subject: &'static str,
    item: Option<String>,
    done: bool,
    text: String,
    pass: &'static str,
}

/// Prints the report of an image.
pub fn print(input: &Input, units: &[Unit], format: ExplainFormat) -> std::io::Result<()> {
    let symbols = Symbols::default();
    let reporter = Reporter {
        ctx: &input.ctx,
        symbols: &symbols,
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    for unit in units {
        let Ok(blob) = &unit.outcome else { continue };
        let entries = reporter.entries(unit.method, &blob.remarks);
        if format == ExplainFormat::Text && !entries.is_empty() {
            writeln!(out, "{}", unit.name)?;
        }
        for entry in &entries {
            match format {
                ExplainFormat::Text => writeln!(out, "  {}", reporter.text(entry))?,
                ExplainFormat::Json => {
                    writeln!(out, "{}", reporter.json(input.name(), &unit.name, entry))?;
                }
            }
        }
    }
    out.flush()
}

struct Reporter<'a> {
    ctx: &'a TypeContext,
    symbols: &'a Symbols,
}

impl Reporter<'_> {
    /// What there is to say of a method, in the order of its IL.
    fn entries(&self, method: MethodId, remarks: &[Remark]) -> Vec<Entry> {
        let mut entries: Vec<Entry> = remarks.iter().map(|r| self.entry(method, r)).collect();
        let has_call = |r: &&Remark| matches!(r.subject, Subject::Call | Subject::Allocation);
        let known: FxHashSet<u32> = remarks.iter().filter(has_call).map(|r| r.at[0].1).collect();
        for (il, item) in self.calls(method) {
            if !known.contains(&il) {
                entries.push(Entry {
                    at: vec![self.step(method, il)],
                    subject: Subject::Call.name(),
                    item,
                    done: true,
                    text: "no call is made: done by instructions, or never reached".to_owned(),
                    pass: "import",
                });
            }
        }
        entries.sort_by_key(|e| e.at.iter().map(|s| s.il).collect::<Vec<_>>());
        entries
    }

    fn entry(&self, method: MethodId, remark: &Remark) -> Entry {
        let mut at = Vec::with_capacity(remark.at.len());
        for &(inlined, il) in &remark.at {
            at.push(self.step(inlined.unwrap_or(method), il));
        }
        Entry {
            at,
            subject: remark.subject.name(),
            item: remark.verdict.item.map(|item| match item {
                Item::Method(m) => self.ctx.method_full_name(m),
                Item::Type(t) => self.ctx.full_name(t),
            }),
            done: remark.verdict.done,
            text: remark.verdict.text.clone(),
            pass: remark.pass,
        }
    }

    fn step(&self, method: MethodId, il: u32) -> Step {
        let line = self.symbols.line(self.ctx, method, il);
        Step { method, il, line }
    }

    /// The calls in the IL of a method, and what is called. (The importer makes instructions of some, and does not see those
    /// that nothing reaches.)
    fn calls(&self, method: MethodId) -> Vec<(u32, Option<String>)> {
        let module = self.ctx.module(self.ctx.method_module(method));
        let rva = self.ctx.method_rva(method);
        let has_il = self.ctx.method_def(method).is_some() && rva != 0;
        let Some(Ok(body)) = has_il.then(|| MethodBody::parse(module, rva)) else {
            return Vec::new();
        };
        let mut calls = Vec::new();
        for instr in Decoder::new(body.code, 0).flatten() {
            let is_call = matches!(
                instr.opcode.name(),
                "call" | "callvirt" | "calli" | "newobj"
            );
            if let (true, Operand::Token(token)) = (is_call, instr.operand) {
                calls.push((instr.offset, IlNames::operand(module, token).ok()));
            }
        }
        calls
    }

    fn text(&self, e: &Entry) -> String {
        let mut text = String::new();
        for (n, step) in e.at.iter().enumerate() {
            if n > 0 {
                text.push_str(" > ");
                text.push_str(&self.ctx.method_full_name(step.method));
                text.push(' ');
            }
            if let Some(line) = &step.line {
                text.push_str(&format!("{}:{} ", base_name(&line.file), line.line));
            }
            text.push_str(&format!("IL_{:04x}", step.il));
        }
        let item = e.item.iter().map(|i| format!(" {i}")).collect::<String>();
        format!("{text} {}{item}: {} [{}]", e.subject, e.text, e.pass)
    }

    fn json(&self, assembly: &str, method: &str, e: &Entry) -> serde_json::Value {
        let at = e.at.iter().enumerate().map(|(n, step)| {
            serde_json::json!({
                "method": (n > 0).then(|| self.ctx.method_full_name(step.method)),
                "il": step.il,
                "file": step.line.as_ref().map(|l| &l.file),
                "line": step.line.as_ref().map(|l| l.line),
            })
        });
        serde_json::json!({
            "assembly": assembly,
            "method": method,
            "at": at.collect::<Vec<_>>(),
            "subject": e.subject,
            "item": e.item,
            "done": e.done,
            "text": e.text,
            "pass": e.pass,
        })
    }
}

fn base_name(path: &str) -> &str {
    let name = Path::new(path).file_name().and_then(|n| n.to_str());
    name.unwrap_or(path)
}
