//! A cursor over IR text.

use super::parse::ParseError;
use crate::abi::helper::HelperId;

pub(super) type Result<T> = std::result::Result<T, ParseError>;

/// Numbers above this as entity numbers are refused, so that a wrong text cannot make us fill memory.
const MAX_ENTITY: u32 = 1 << 20;

/// A place in the text. Line ends are tokens, spaces and comments are not.
pub(super) struct Cursor<'t> {
    text: &'t str,
    pos: usize,
}

impl<'t> Cursor<'t> {
    pub fn new(text: &'t str) -> Cursor<'t> {
        Cursor { text, pos: 0 }
    }

    pub fn error(&self, message: impl Into<String>) -> ParseError {
        let before = &self.text[..self.pos];
        ParseError {
            line: before.matches('\n').count() as u32 + 1,
            column: (self.pos - before.rfind('\n').map_or(0, |n| n + 1)) as u32 + 1,
            message: message.into(),
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.pos..]
    }

    fn skip_space(&mut self) {
        let rest = self.rest().trim_start_matches([' ', '\t', '\r']);
        let rest = match rest.strip_prefix(';') {
            Some(comment) => &comment[comment.find('\n').unwrap_or(comment.len())..],
            None => rest,
        };
        self.pos = self.text.len() - rest.len();
    }

    /// Skips line ends, spaces and comments.
    pub fn skip_lines(&mut self) {
        self.skip_space();
        while self.rest().starts_with('\n') {
            self.pos += 1;
            self.skip_space();
        }
    }

    /// At the end of the text.
    pub fn at_end(&mut self) -> bool {
        self.skip_lines();
        self.rest().is_empty()
    }

    /// Next character after spaces (`\n` at the end).
    pub fn peek(&mut self) -> char {
        self.skip_space();
        self.rest().chars().next().unwrap_or('\n')
    }

    /// Takes a character if it is the next one.
    pub fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == c && !self.rest().is_empty();
        if found {
            self.pos += c.len_utf8();
        }
        found
    }

    pub fn expect(&mut self, c: char) -> Result<()> {
        if self.eat(c) {
            return Ok(());
        }
        Err(self.error(format!("expected {c:?}")))
    }

    /// Takes a character that follows without space.
    pub fn eat_glued(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.pos += c.len_utf8();
        }
        found
    }

    fn peek_run(&mut self, part: impl Fn(char) -> bool) -> &'t str {
        self.skip_space();
        let rest = self.rest();
        &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())]
    }

    /// The next word, not taken; empty if none.
    pub fn peek_word(&mut self) -> &'t str {
        self.peek_run(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    pub fn word(&mut self) -> Result<&'t str> {
        let w = self.peek_word();
        if w.is_empty() {
            return Err(self.error("expected a word"));
        }
        self.pos += w.len();
        Ok(w)
    }

    /// Takes the next word if it is this one.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.pos += word.len();
        }
        found
    }

    pub fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.eat_word(word) {
            return Ok(());
        }
        Err(self.error(format!("expected `{word}`")))
    }

    /// Number N if the next word is `prefixN`, not taken.
    pub fn peek_entity(&mut self, prefix: &str) -> Option<u32> {
        let digits = self.peek_word().strip_prefix(prefix)?;
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().filter(|&n| n <= MAX_ENTITY)
    }

    pub fn entity(&mut self, prefix: &str) -> Result<u32> {
        let Some(n) = self.peek_entity(prefix) else {
            return Err(self.error(format!("expected {prefix} and a number")));
        };
        self.word()?;
        Ok(n)
    }

    /// A signed or unsigned decimal.
    pub fn number<T: std::str::FromStr>(&mut self) -> Result<T> {
        self.skip_space();
        let rest = self.rest();
        let sign = rest.starts_with(['+', '-']) as usize;
        let digits = rest[sign..]
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len() - sign);
        let text = &rest[..sign + digits];
        let n = text
            .parse()
            .map_err(|_| self.error(format!("expected a number, found {text:?}")))?;
        self.pos += text.len();
        Ok(n)
    }

    /// Characters up to the next space.
    pub fn run(&mut self) -> Result<&'t str> {
        let w = self.peek_run(|c| !c.is_whitespace());
        if w.is_empty() {
            return Err(self.error("something is missing"));
        }
        self.pos += w.len();
        Ok(w)
    }

    /// `kind#N` with an optional name in braces.
    pub fn id(&mut self, kind: &str) -> Result<u32> {
        self.expect_word(kind)?;
        self.expect('#')?;
        let n = self.number()?;
        if self.eat_glued('{') {
            let rest = self.rest();
            let end = rest.find(['}', '\n']).unwrap_or(rest.len());
            self.pos += end;
            self.expect('}')?;
        }
        Ok(n)
    }

    pub fn helper(&mut self) -> Result<HelperId> {
        let name = self.word()?;
        HelperId::from_name(name).ok_or_else(|| self.error(format!("no such helper: {name}")))
    }

    /// A string as Rust's `{:?}` prints it.
    pub fn string(&mut self) -> Result<String> {
        self.expect('"')?;
        let mut s = String::new();
        loop {
            let mut chars = self.rest().chars();
            match chars.next() {
                Some('"') => {
                    self.pos += 1;
                    return Ok(s);
                }
                Some('\\') => self.escape(&mut s)?,
                Some(c) if c != '\n' => {
                    s.push(c);
                    self.pos += c.len_utf8();
                }
                _ => return Err(self.error("string without end")),
            }
        }
    }

    fn escape(&mut self, s: &mut String) -> Result<()> {
        let rest = &self.rest()[1..];
        let c = rest.chars().next().unwrap_or('\n');
        let (value, len) = match c {
            'n' => (Some('\n'), 1),
            't' => (Some('\t'), 1),
            'r' => (Some('\r'), 1),
            '0' => (Some('\0'), 1),
            '"' | '\\' | '\'' => (Some(c), 1),
            'u' => {
                let end = rest.find('}').unwrap_or(1);
                let hex = rest.get(2..end).unwrap_or("");
                let code = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
                (code, end + 1)
            }
            _ => (None, 0),
        };
        let Some(value) = value else {
            return Err(self.error("unknown escape"));
        };
        s.push(value);
        self.pos += 1 + len;
        Ok(())
    }

    pub fn expect_line_end(&mut self) -> Result<()> {
        self.skip_space();
        let rest = self.rest();
        if rest.is_empty() || rest.starts_with('\n') {
            return Ok(());
        }
        let end = rest.find('\n').unwrap_or(rest.len());
        Err(self.error(format!("not understood: {}", &rest[..end])))
    }
}
