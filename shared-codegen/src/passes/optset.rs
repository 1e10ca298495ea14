//! Sets of optional passes and their option syntax: `-O quick|default|all`, then names with `-` to switch off,
//! as in `-O=all,-inline`.

use super::table::{Effort, PASSES, PassId, passes_of};
use crate::compile::MachinePasses;
use std::fmt::Write;

/// Mono's optimization names that have no pass of their own here; accepted and ignored.
const WITHOUT_EFFECT: &[&str] = &[
    "linears",
    "cmov",
    "shared",
    "sched",
    "fcmov",
    "leaf",
    "aot",
    "precomp",
    "float32",
    "sse2",
    "gshared",
    "gsharedvt",
    "unsafe",
];

/// A set of passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OptSet(u64);

/// What is wrong with an `-O` option.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OptError {
    /// No such pass or level.
    #[error("unknown optimization `{0}` (see -O=help)")]
    Unknown(String),
    /// A pass that cannot be switched off.
    #[error("`{0}` cannot be switched off")]
    Required(String),
    /// `-O=help`: print [`help_text`] and stop.
    #[error("help on optimizations is asked for")]
    Help,
}

impl OptSet {
    /// No optional pass.
    pub const NONE: OptSet = OptSet(0);

    /// The fast set.
    pub fn quick() -> OptSet {
        passes_of(Effort::Quick)
    }

    /// The default set.
    pub fn default_set() -> OptSet {
        passes_of(Effort::Default)
    }

    /// Every pass.
    pub fn all() -> OptSet {
        passes_of(Effort::All)
    }

    /// The pass is in the set.
    pub fn contains(&self, pass: PassId) -> bool {
        self.0 & bit(pass) != 0
    }

    /// What of it concerns the back end.
    pub fn machine(&self) -> MachinePasses {
        MachinePasses {
            align_loops: self.contains(PassId::AlignLoops),
            peephole: self.contains(PassId::Peephole),
            gather_loops: self.contains(PassId::GatherLoops),
            anchor_values: self.contains(PassId::AnchorValues),
        }
    }

    /// Adds a pass.
    pub fn insert(&mut self, pass: PassId) {
        self.0 |= bit(pass);
    }

    /// Removes a pass.
    pub fn remove(&mut self, pass: PassId) {
        self.0 &= !bit(pass);
    }

    /// The passes that are in both sets.
    pub fn intersection(self, other: OptSet) -> OptSet {
        OptSet(self.0 & other.0)
    }

    /// Changes the set as an `-O` option says: words separated by commas, taken from left to right. A level replaces
    /// the set, a name adds a pass, `-name` removes one.
    pub fn apply(&mut self, option: &str) -> Result<(), OptError> {
        for word in option.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            self.apply_word(word)?;
        }
        Ok(())
    }

    /// The set an `-O` option means, starting from the default set.
    pub fn parse(option: &str) -> Result<OptSet, OptError> {
        let mut set = OptSet::default_set();
        set.apply(option)?;
        Ok(set)
    }

    fn apply_word(&mut self, word: &str) -> Result<(), OptError> {
        let (name, on) = match word.strip_prefix('-') {
            Some(rest) => (rest, false),
            None => (word.strip_prefix('+').unwrap_or(word), true),
        };
        match name {
            "help" => return Err(OptError::Help),
            "quick" if on => *self = OptSet::quick(),
            "default" if on => *self = OptSet::default_set(),
            "all" if on => *self = OptSet::all(),
            "none" if on => *self = OptSet::NONE,
            "all" => *self = OptSet::NONE,
            _ => return self.apply_pass(name, on),
        }
        Ok(())
    }

    fn apply_pass(&mut self, name: &str, on: bool) -> Result<(), OptError> {
        let pass = match PassId::from_name(name) {
            Some(pass) => pass,
            None if WITHOUT_EFFECT.contains(&name) => return Ok(()),
            None => return Err(OptError::Unknown(name.into())),
        };
        if on {
            self.insert(pass);
        } else if pass.info().required {
            return Err(OptError::Required(name.into()));
        } else {
            self.remove(pass);
        }
        Ok(())
    }

    /// The set as option text that [`OptSet::parse`] reads back.
    pub fn to_option(self) -> String {
        let mut text = String::from("none");
        for &p in PassId::ALL.iter().filter(|&&p| self.contains(p)) {
            let _ = write!(text, ",{}", p.info().name);
        }
        text
    }
}

impl FromIterator<PassId> for OptSet {
    fn from_iter<I: IntoIterator<Item = PassId>>(passes: I) -> OptSet {
        OptSet(passes.into_iter().map(bit).fold(0, |a, b| a | b))
    }
}

fn bit(pass: PassId) -> u64 {
    1 << pass as u8
}

/// The text of `-O=help`.
pub fn help_text() -> String {
    let mut text = String::from(
        "Optimizations: -O LEVEL[,NAME][,-NAME]... with LEVEL one of none, quick, default, all.\n\n",
    );
    for p in PASSES {
        let effort = match p.effort {
            _ if p.required => "always",
            Effort::Quick => "quick",
            Effort::Default => "default",
            Effort::All => "all",
        };
        let _ = write!(text, "  {:<18} {:<8} {}", p.name, effort, p.about);
        if !p.aliases.is_empty() {
            let _ = write!(text, " (also: {})", p.aliases.join(", "));
        }
        text.push('\n');
    }
    let _ = write!(
        text,
        "\nAccepted for compatibility, without effect: {}\n",
        WITHOUT_EFFECT.join(", ")
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_grow() {
        let (q, d, a) = (OptSet::quick(), OptSet::default_set(), OptSet::all());
        assert_eq!(q.0 & d.0, q.0);
        assert_eq!(d.0 & a.0, d.0);
    }

    #[test]
    fn words_apply_from_left_to_right() {
        let set = OptSet::parse("all,-inline").unwrap();
        assert!(!set.contains(PassId::Inline) && set.contains(PassId::Dce));
        let set = OptSet::parse("none,deadce").unwrap();
        assert_eq!(set, [PassId::Dce].into_iter().collect());
        assert_eq!(OptSet::parse(&set.to_option()), Ok(set));
        assert_eq!(OptSet::parse("sse2"), Ok(OptSet::default_set()));
    }

    #[test]
    fn wrong_words_are_named() {
        assert_eq!(
            OptSet::parse("-expand"),
            Err(OptError::Required("expand".into()))
        );
        assert_eq!(OptSet::parse("foo"), Err(OptError::Unknown("foo".into())));
        assert_eq!(OptSet::parse("help"), Err(OptError::Help));
        assert!(help_text().contains("simplify-cfg"));
    }
}
