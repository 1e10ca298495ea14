//! Choosing methods on the command line.

use anyhow::bail;
use shared_codegen::metadata::{
    IlNames, MethodDefRow, Module, Result, RowId, TableId, Token, TypeDefRow, sig,
};

/// What a METHOD argument may be.
pub(super) const METHOD_HELP: &str = "Method: `all`, a token (06000001), or [TYPE::]NAME[(PARAMETERS)]. TYPE is written with or \
     without namespace (`Ns.Outer/Inner`), PARAMETERS as `cilutil il` prints them";

/// A parsed METHOD argument.
struct Pattern<'a> {
    ty: Option<String>,
    name: &'a str,
    params: Option<String>,
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

impl<'a> Pattern<'a> {
    fn parse(text: &'a str) -> Pattern<'a> {
        let (path, params) = match text.find('(') {
            Some(at) => (&text[..at], Some(without_spaces(&text[at..]))),
            None => (text, None),
        };
        let split = path.rsplit_once("::").or_else(|| path.rsplit_once(':'));
        let (ty, name) = match split {
            Some((ty, name)) => (Some(ty.replace('+', "/")), name),
            None => (None, path),
        };
        Pattern { ty, name, params }
    }

    fn accepts(&self, module: &Module, row: MethodDefRow) -> Result<bool> {
        let def = module.method_def(row)?;
        if def.name != self.name.trim() {
            return Ok(false);
        }
        if let Some(ty) = &self.ty {
            let owner = module.owner_of_method(row)?;
            if module.type_def(owner)?.name != ty && full_name(module, owner)? != *ty {
                return Ok(false);
            }
        }
        let Some(params) = &self.params else {
            return Ok(true);
        };
        let text = IlNames::params(module, &sig::parse_method(def.signature)?)?;
        Ok(without_spaces(&text) == *params)
    }
}

/// `Ns.Outer/Inner`, without quotes.
fn full_name(module: &Module, row: TypeDefRow) -> Result<String> {
    let mut def = module.type_def(row)?;
    let mut name = def.name.to_owned();
    let mut at = row;
    // Nesting of damaged metadata may be circular.
    for _ in 0..64 {
        let Some(outer) = module.enclosing_type(at) else {
            break;
        };
        def = module.type_def(outer)?;
        name = format!("{}/{name}", def.name);
        at = outer;
    }
    Ok(match def.namespace {
        "" => name,
        namespace => format!("{namespace}.{name}"),
    })
}

/// The methods that a METHOD argument names, at least one.
pub(super) fn methods(module: &Module, text: &str) -> anyhow::Result<Vec<MethodDefRow>> {
    let all = (1..=module.row_count(MethodDefRow::TABLE)).map(MethodDefRow);
    if text == "all" {
        return Ok(all.collect());
    }
    let digits = text.trim_start_matches("0x");
    let token = u32::from_str_radix(digits, 16).map(Token).ok();
    if let Some(token) = token.filter(|t| t.table() == TableId(6) && digits.len() >= 7) {
        return Ok(vec![MethodDefRow(token.row())]);
    }
    let pattern = Pattern::parse(text);
    let found: Vec<_> = all
        .filter(|row| pattern.accepts(module, *row).unwrap_or(false))
        .collect();
    if found.is_empty() {
        bail!("{}: no method {text}", module.path().display());
    }
    Ok(found)
}
