//! Method bodies: from what an `ILGenerator` holds to the form of ECMA-335 II.25.4.

use super::{elements, growth, members, reference, signature, tokens};
use crate::icall::{Result, Thrown};
use crate::object::{Obj, Plain, array};
use crate::runtime;
use shared_codegen::il::{Decoder, Operand};
use shared_codegen::metadata::sig::TypeSig;
use shared_codegen::metadata::{Token, sig_write};
use shared_codegen::types::{Error, Member, ModuleId};

/// Kinds of `ILExceptionBlock`.
const FILTER: i32 = 1;
const FINALLY: i32 = 2;
const FAULT: i32 = 4;
/// A filter whose handler has not begun: it stands in front of its handler's block.
const FILTER_START: i32 = -1;

/// What a body is made of.
struct Body {
    code: Vec<u8>,
    max_stack: u16,
    init_locals: bool,
    locals: Token,
    clauses: Vec<Clause>,
}

/// An exception clause as it is stored.
struct Clause {
    kind: i32,
    try_start: i32,
    try_len: i32,
    handler_start: i32,
    handler_len: i32,
    /// Class token or start of the filter.
    class_or_filter: u32,
}

impl Body {
    /// Bytes with a fat header.
    fn encode(&self) -> Vec<u8> {
        let more = u16::from(!self.clauses.is_empty()) << 3;
        let init = u16::from(self.init_locals) << 4;
        let mut out = Vec::with_capacity(self.code.len() + 12);
        out.extend_from_slice(&(0x3003 | more | init).to_le_bytes());
        out.extend_from_slice(&self.max_stack.to_le_bytes());
        out.extend_from_slice(&(self.code.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.locals.0.to_le_bytes());
        out.extend_from_slice(&self.code);
        if self.clauses.is_empty() {
            return out;
        }
        out.resize(out.len().next_multiple_of(4), 0);
        let size = (self.clauses.len() as u32 * 24 + 4) << 8;
        out.extend_from_slice(&(size | 0x41).to_le_bytes());
        for c in &self.clauses {
            let numbers = [
                c.kind,
                c.try_start,
                c.try_len,
                c.handler_start,
                c.handler_len,
                c.class_or_filter as i32,
            ];
            numbers
                .iter()
                .for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
        }
        out
    }
}

/// A field of an element of an array of structs.
fn element_field<T: Plain>(list: Obj, index: usize, field: &'static str) -> T {
    let rt = runtime::get();
    let element = list.method_table().element().map(|e| e.type_id());
    let offset = element.map_or(0, |e| rt.offset_of(e, field));
    let at = array::element(list, index).wrapping_add(offset as usize);
    // SAFETY: `element` checked the index; the field lies inside the element and `T` takes any bits.
    unsafe { at.cast::<T>().read_unaligned() }
}

fn clause(module: ModuleId, info: (Obj, usize), block: (Obj, usize)) -> Result<Option<Clause>> {
    let types = &runtime::get().types;
    let (list, n) = info;
    let (blocks, b) = block;
    let number = |field| element_field::<i32>(blocks, b, field);
    let kind = number("type");
    let start = element_field::<i32>(list, n, "start");
    let handler_start = number("start");
    if kind == FILTER_START {
        return Ok(None);
    }
    let class = element_field::<Obj>(blocks, b, "extype").non_null();
    let class_or_filter = match (kind, class) {
        (FILTER, _) => number("filter_offset") as u32,
        (FINALLY | FAULT, _) | (_, None) => 0,
        (_, Some(class)) => {
            types
                .token_for(module, Member::Type(members::type_of(class)?))
                .0
        }
    };
    // A finally block protects the catch blocks before it too.
    let try_len = match kind {
        FINALLY => handler_start - start,
        _ => element_field::<i32>(list, n, "len"),
    };
    Ok(Some(Clause {
        kind,
        try_start: start,
        try_len,
        handler_start,
        handler_len: number("len"),
        class_or_filter,
    }))
}

/// The clauses of all protected blocks, inner blocks first.
fn clauses(module: ModuleId, generator: Obj) -> Result<Vec<Clause>> {
    let Some(list) = reference(generator, "ex_handlers") else {
        return Ok(Vec::new());
    };
    let mut groups = Vec::new();
    for n in 0..array::len(list) {
        let blocks = element_field::<Obj>(list, n, "handlers").non_null();
        let Some(blocks) = blocks else { continue };
        let mut group = Vec::new();
        for b in 0..array::len(blocks) {
            group.extend(clause(module, (list, n), (blocks, b))?);
        }
        groups.push(group);
    }
    // What stands inside of something else is shorter than it.
    groups.sort_by_key(|group| {
        let ends = group.iter().map(|c| c.handler_start + c.handler_len);
        let start = group.first().map_or(0, |c| c.try_start);
        ends.max().unwrap_or(0) - start
    });
    Ok(groups.into_iter().flatten().collect())
}

fn locals(module: ModuleId, generator: Obj) -> Result<Token> {
    let rt = runtime::get();
    let mut types = Vec::new();
    for local in elements(reference(generator, "locals")).filter_map(Obj::non_null) {
        let ty = reference(local, "type").ok_or_else(Thrown::null_reference)?;
        let ty = signature::type_sig(module, ty)?;
        types.push(match rt.get_field::<u8>(local, "is_pinned") != 0 {
            true => TypeSig::Pinned(Box::new(ty)),
            false => ty,
        });
    }
    match types.is_empty() {
        true => Ok(Token::NULL),
        false => tokens::of_signature(module, &sig_write::locals_blob(&types)),
    }
}

/// Gives a token in place of another.
pub(super) type TokenMap<'a> = &'a mut dyn FnMut(Token) -> Result<Token>;

/// The body in an `ILGenerator`; its address in the module. Tokens are replaced if `map` is given.
pub(super) fn from_generator(
    module: ModuleId,
    generator: Obj,
    init_locals: bool,
    map: Option<TokenMap>,
) -> Result<u32> {
    let rt = runtime::get();
    let code = members::bytes_in(generator, "code").unwrap_or_default();
    let len = rt.get_field::<i32>(generator, "code_len") as usize;
    let code = code.get(..len).unwrap_or(code);
    let body = Body {
        code: match map {
            Some(map) => map_tokens(code, map)?,
            None => code.to_vec(),
        },
        max_stack: rt.get_field::<i32>(generator, "max_stack") as u16,
        init_locals,
        locals: locals(module, generator)?,
        clauses: clauses(module, generator)?,
    };
    Ok(growth(module)?.item(&body.encode()))
}

/// A body given as bytes of IL alone.
pub(super) fn from_bytes(module: ModuleId, code: &[u8]) -> Result<u32> {
    let body = Body {
        code: code.to_vec(),
        max_stack: 8,
        init_locals: true,
        locals: Token::NULL,
        clauses: Vec::new(),
    };
    Ok(growth(module)?.item(&body.encode()))
}

/// IL with other tokens.
fn map_tokens(code: &'static [u8], map: TokenMap) -> Result<Vec<u8>> {
    let mut out = code.to_vec();
    for instr in Decoder::new(code, 0) {
        let instr = instr.map_err(Error::from)?;
        if let Operand::Token(token) = instr.operand {
            let end = instr.end as usize;
            out[end - 4..end].copy_from_slice(&map(token)?.0.to_le_bytes());
        }
    }
    Ok(out)
}
