//! Type names as `System.Type.GetType` and custom attributes write them:
//! ``Ns.Outer`1+Inner[[System.Int32, mscorlib],[T]][,]&, Assembly, Version=…``.

use super::{AssemblyName, Error, ModuleId, Result, TypeContext, TypeId, TypeKind};

/// A parsed type name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TypeName {
    /// Namespace of the outermost type.
    pub namespace: String,
    /// Outermost type, then nested ones.
    pub names: Vec<String>,
    /// Type arguments.
    pub args: Vec<TypeName>,
    /// Arrays, pointers and by-ref, from the inside out.
    pub suffixes: Vec<Suffix>,
    /// Assembly, if named.
    pub assembly: Option<AssemblyName>,
}

/// What is made of the type named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suffix {
    /// `[]`
    SzArray,
    /// `[,]` and `[*]`, with the rank.
    Array(u32),
    /// `*`
    Pointer,
    /// `&`
    ByRef,
}

/// Nesting of type arguments accepted.
const MAX_NESTING: u32 = 64;

struct Parser<'a> {
    rest: &'a str,
    nesting: u32,
}

fn bad(rest: &str) -> Error {
    Error::TypeLoad {
        name: rest.into(),
        assembly: "".into(),
        reason: "the type name is malformed".into(),
    }
}

impl TypeName {
    /// Parses a complete name.
    pub fn parse(text: &str) -> Result<TypeName> {
        let mut parser = Parser {
            rest: text.trim_start(),
            nesting: 0,
        };
        let mut name = parser.name().map_err(|_| bad(text))?;
        if parser.eat(',') {
            name.assembly = Some(AssemblyName::parse(parser.rest.trim()));
        } else if !parser.rest.trim().is_empty() {
            return Err(bad(text));
        }
        Ok(name)
    }
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn eat(&mut self, c: char) -> bool {
        let stripped = self.rest.strip_prefix(c);
        self.rest = stripped.unwrap_or(self.rest);
        stripped.is_some()
    }

    /// One identifier with escapes removed; also the place of its last unescaped dot.
    fn identifier(&mut self) -> Result<(String, Option<usize>)> {
        let (mut out, mut dot, mut end) = (String::new(), None, self.rest.len());
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => out.extend(chars.next().map(|(_, c)| c)),
                ',' | '[' | ']' | '&' | '*' | '+' => {
                    end = at;
                    break;
                }
                c => {
                    dot = if c == '.' { Some(out.len()) } else { dot };
                    out.push(c);
                }
            }
        }
        let done = &self.rest[..end];
        self.rest = &self.rest[end..];
        if out.trim().is_empty() {
            return Err(bad(done));
        }
        let trimmed = out.trim_end().len();
        out.truncate(trimmed);
        Ok((out, dot))
    }

    fn name(&mut self) -> Result<TypeName> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(bad(self.rest));
        }
        let mut name = TypeName::default();
        let (first, dot) = self.identifier()?;
        match dot {
            Some(dot) => {
                name.namespace = first[..dot].to_owned();
                name.names.push(first[dot + 1..].to_owned());
            }
            None => name.names.push(first),
        }
        while self.eat('+') {
            name.names.push(self.identifier()?.0);
        }
        if self.at_arguments() {
            name.args = self.arguments()?;
        }
        name.suffixes = self.suffixes()?;
        self.nesting -= 1;
        Ok(name)
    }

    /// A `[` that opens type arguments, not an array.
    fn at_arguments(&self) -> bool {
        let inside = self.rest.strip_prefix('[').map(str::trim_start);
        inside.is_some_and(|s| !s.starts_with([']', ',', '*']))
    }

    fn arguments(&mut self) -> Result<Vec<TypeName>> {
        let mut args = Vec::new();
        self.eat('[');
        loop {
            self.rest = self.rest.trim_start();
            if self.eat('[') {
                let mut arg = self.name()?;
                if self.eat(',') {
                    let end = self.rest.find(']').ok_or_else(|| bad(self.rest))?;
                    arg.assembly = Some(AssemblyName::parse(self.rest[..end].trim()));
                    self.rest = &self.rest[end..];
                }
                args.push(arg);
                if !self.eat(']') {
                    return Err(bad(self.rest));
                }
            } else {
                args.push(self.name()?);
            }
            match (self.eat(','), self.eat(']')) {
                (true, false) => {}
                (false, true) => return Ok(args),
                _ => return Err(bad(self.rest)),
            }
        }
    }

    fn suffixes(&mut self) -> Result<Vec<Suffix>> {
        let mut all = Vec::new();
        loop {
            let suffix = match self.peek() {
                Some('*') => Suffix::Pointer,
                Some('&') => Suffix::ByRef,
                Some('[') => {
                    let end = self.rest.find(']').ok_or_else(|| bad(self.rest))?;
                    let inside = &self.rest[1..end];
                    let suffix = match inside.trim() {
                        "" => Suffix::SzArray,
                        "*" => Suffix::Array(1),
                        s if s.chars().all(|c| c == ',') => Suffix::Array(s.len() as u32 + 1),
                        _ => return Err(bad(self.rest)),
                    };
                    self.rest = &self.rest[end..];
                    suffix
                }
                _ => return Ok(all),
            };
            self.rest = &self.rest[1..];
            all.push(suffix);
        }
    }
}

impl TypeContext {
    /// The type of a name. Types without assembly are looked for in `requester`, then in mscorlib. `None` if there is no
    /// such type; errors if an assembly cannot be loaded or the arguments do not fit.
    pub fn resolve_type_name(
        &self,
        requester: ModuleId,
        name: &TypeName,
        ignore_case: bool,
    ) -> Result<Option<TypeId>> {
        let found = match &name.assembly {
            Some(assembly) => {
                let module = self.load_by_name(Some(requester), assembly)?;
                self.find_named(module, name, ignore_case)?
            }
            None => match self.find_named(requester, name, ignore_case)? {
                None => self.find_named(self.corlib(), name, ignore_case)?,
                found => found,
            },
        };
        let Some(mut t) = found else {
            return Ok(None);
        };
        if !name.args.is_empty() {
            let mut args = Vec::new();
            for arg in &name.args {
                match self.resolve_type_name(requester, arg, ignore_case)? {
                    Some(arg) => args.push(self.element_form(arg)),
                    None => return Ok(None),
                }
            }
            if args.len() as u32 != self.generic_count(t) {
                return Err(self.type_load(t, "wrong number of type arguments"));
            }
            t = self.instance(t, &args);
        }
        for suffix in &name.suffixes {
            if matches!(self.kind(t), TypeKind::ByRef(_)) {
                return Err(self.type_load(t, "nothing can be made of a by-ref type"));
            }
            t = self.element_form(t);
            t = match *suffix {
                Suffix::SzArray => self.sz_array(t),
                Suffix::Array(rank) => self.intern_type(TypeKind::Array { elem: t, rank }),
                Suffix::Pointer => self.pointer(t),
                Suffix::ByRef => self.by_ref(t),
            };
        }
        Ok(Some(t))
    }

    fn find_named(
        &self,
        module: ModuleId,
        name: &TypeName,
        ignore_case: bool,
    ) -> Result<Option<TypeId>> {
        let Some((first, nested)) = name.names.split_first() else {
            return Ok(None);
        };
        let mut at = self.find_type(module, &name.namespace, first)?;
        if at.is_none() && ignore_case {
            at = self.find_type_ignoring_case(module, &name.namespace, first);
        }
        for part in nested {
            let Some(outer) = at else { break };
            let by_case = |t: &TypeId| self.type_name(*t).1.eq_ignore_ascii_case(part);
            at = self.find_nested(outer, part).or_else(|| {
                let all = ignore_case.then(|| self.nested_types(outer));
                all.into_iter().flatten().find(by_case)
            });
        }
        Ok(at)
    }

    fn find_type_ignoring_case(
        &self,
        module: ModuleId,
        namespace: &str,
        name: &str,
    ) -> Option<TypeId> {
        let md = self.module(module);
        let row = md.rows().find(|&row| {
            md.type_def(row).is_ok_and(|d| {
                d.name.eq_ignore_ascii_case(name)
                    && d.namespace.eq_ignore_ascii_case(namespace)
                    && md.enclosing_type(row).is_none()
            })
        })?;
        Some(self.type_def(module, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse() {
        let n = TypeName::parse("A.B`2+C[[X.Y, m, Version=1.0.0.0],Z[]][,]*&, asm").unwrap();
        assert_eq!(
            (n.namespace.as_str(), n.names.len(), n.args.len()),
            ("A", 2, 2)
        );
        assert_eq!(n.args[0].assembly.as_ref().map(|a| &*a.name), Some("m"));
        assert_eq!(n.args[1].suffixes, [Suffix::SzArray]);
        assert_eq!(
            n.suffixes,
            [Suffix::Array(2), Suffix::Pointer, Suffix::ByRef]
        );
        assert_eq!(n.assembly.unwrap().name.as_ref(), "asm");
        assert_eq!(TypeName::parse(r"a\+b").unwrap().names, ["a+b"]);
    }

    #[test]
    fn malformed_names_are_errors() {
        for text in ["", "A[", "A[[B]", "A]", "+", "A[,*]", "A[B", "A[[B,"] {
            assert!(TypeName::parse(text).is_err(), "{text}");
        }
    }
}
