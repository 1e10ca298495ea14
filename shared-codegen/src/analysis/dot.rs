//! Graphs of a function in the language of Graphviz (`dot -Tsvg`).

use super::{Cfg, Dominators, Loops};
use crate::ir::text::Names;
use crate::ir::{Block, Function};
use std::fmt::{self, Write};
use std::str::FromStr;

/// What to draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Graph {
    /// Blocks without instructions and their edges, exceptional ones dashed.
    Cfg,
    /// The same with the instructions.
    Ir,
    /// The dominator tree.
    Dom,
    /// Blocks in boxes for the loops they are in.
    Loops,
}

impl FromStr for Graph {
    type Err = String;

    fn from_str(text: &str) -> Result<Graph, String> {
        match text {
            "cfg" => Ok(Graph::Cfg),
            "ir" | "ssa" => Ok(Graph::Ir),
            "dom" => Ok(Graph::Dom),
            "loops" => Ok(Graph::Loops),
            _ => Err(format!("no such graph: {text} (cfg, ssa, dom, loops)")),
        }
    }
}

/// The graph as text. Blocks that cannot be reached are not in it.
pub fn dot(f: &Function, names: &dyn Names, graph: Graph) -> String {
    let cfg = Cfg::new(f);
    let mut out = Dot {
        text: String::new(),
    };
    // Writing to a string does not fail.
    let _ = out.graph(f, names, &cfg, graph);
    out.text
}

struct Dot {
    text: String,
}

/// Text inside quotes; lines are flush left.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\l")
}

impl Dot {
    fn graph(&mut self, f: &Function, names: &dyn Names, cfg: &Cfg, graph: Graph) -> fmt::Result {
        writeln!(self.text, "digraph \"{}\" {{", quoted(&f.name))?;
        writeln!(self.text, "  node [shape=box, fontname=monospace];")?;
        for &b in cfg.rpo() {
            let mut label = b.to_string();
            if graph == Graph::Ir {
                label = instructions(f, names, b);
            }
            writeln!(self.text, "  {b} [label=\"{}\"];", quoted(&label))?;
        }
        match graph {
            Graph::Dom => self.tree(cfg)?,
            Graph::Loops => {
                self.loops(cfg)?;
                self.edges(f, cfg)?;
            }
            Graph::Cfg | Graph::Ir => self.edges(f, cfg)?,
        }
        writeln!(self.text, "}}")
    }

    fn edges(&mut self, f: &Function, cfg: &Cfg) -> fmt::Result {
        for &b in cfg.rpo() {
            for s in f.succs(b) {
                writeln!(self.text, "  {b} -> {s};")?;
            }
            for s in f.eh_succs(b) {
                writeln!(self.text, "  {b} -> {s} [style=dashed];")?;
            }
        }
        Ok(())
    }

    fn tree(&mut self, cfg: &Cfg) -> fmt::Result {
        let doms = Dominators::new(cfg);
        for &b in cfg.rpo() {
            if let Some(above) = doms.idom(b) {
                writeln!(self.text, "  {above} -> {b};")?;
            }
        }
        Ok(())
    }

    /// A box for each loop, inner loops inside of outer ones: a block stands in all boxes of the loops around it.
    fn loops(&mut self, cfg: &Cfg) -> fmt::Result {
        let loops = Loops::new(cfg, &Dominators::new(cfg));
        let mut heads: Vec<Block> = cfg.rpo().to_vec();
        heads.retain(|b| {
            loops
                .innermost(*b)
                .is_some_and(|l| loops.loops[l.index()].header == *b)
        });
        for head in heads.iter().filter(|h| loops.depth(**h) == 1) {
            self.nest(cfg, &loops, &heads, *head)?;
        }
        Ok(())
    }

    fn nest(&mut self, cfg: &Cfg, loops: &Loops, heads: &[Block], head: Block) -> fmt::Result {
        let Some(this) = loops.innermost(head) else {
            return Ok(());
        };
        writeln!(self.text, "  subgraph cluster_{head} {{")?;
        let own = cfg
            .rpo()
            .iter()
            .filter(|b| loops.innermost(**b) == Some(this));
        for b in own {
            writeln!(self.text, "  {b};")?;
        }
        let depth = loops.depth(head) + 1;
        let inside = |h: &&Block| loops.depth(**h) == depth && loops.contains(this, **h);
        for inner in heads.iter().filter(inside) {
            self.nest(cfg, loops, heads, *inner)?;
        }
        writeln!(self.text, "  }}")
    }
}

fn instructions(f: &Function, names: &dyn Names, b: Block) -> String {
    let mut text = format!("{b}:\n");
    for &inst in &f.blocks[b.index()].insts {
        let _ = writeln!(text, "{}", f.display_inst(inst, names));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_quoted() {
        assert_eq!(quoted("a\"b\\c\nd\n"), "a\\\"b\\\\c\\ld\\l");
        assert_eq!("ssa".parse(), Ok(Graph::Ir));
        assert!("tree".parse::<Graph>().is_err());
    }
}
