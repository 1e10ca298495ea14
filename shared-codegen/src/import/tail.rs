//! Which calls with the prefix `tail.` may replace the frame (ECMA-335 III.2.4). The others are ordinary calls.

use super::Importer;
use super::error::Result;
use super::stack::Item;
use super::vars::Storage;
use crate::ir::{Type, Value};
use crate::types::{MethodSignature, Prim, TypeId, ValueClass};

/// The instructions `ret` and `jmp`.
const RET: u8 = 0x2a;
const JMP: u8 = 0x27;

impl Importer<'_> {
    /// The call being imported, whose arguments have left the stack, is followed by `ret` and leaves nothing of the
    /// frame in use: no list of arguments lies in it, no address of a variable is passed, no lock is held. Structs are put
    /// where those that the method itself got lie, if there is room.
    pub(crate) fn tail_call(
        &mut self,
        signature: &MethodSignature,
        args: &mut [Item],
    ) -> Result<bool> {
        let wanted = self.prefixes.tail
            && self.returns_next()
            && self.stack.is_empty()
            && self.b.region().is_none()
            && !signature.is_vararg()
            && self.fits_result(signature)?;
        if !wanted {
            return Ok(false);
        }
        let this = args.len().saturating_sub(signature.params.len());
        let mut passes_address = false;
        for (n, item) in args.iter().enumerate() {
            let declared = n.checked_sub(this).map(|n| signature.params[n]);
            let is_struct = match declared {
                Some(ty) => matches!(self.ctx.value_class(ty)?, ValueClass::Struct { .. }),
                None => false,
            };
            if is_struct != item.is_struct {
                return Ok(false);
            }
            passes_address |= self.may_be_address(item, declared);
        }
        if passes_address && (!self.scan.address_taken.is_empty() || self.has_pinned_locals()?) {
            return Ok(false);
        }
        self.place_structs(args)
    }

    /// Puts the structs among the arguments into memory of the caller's: what the method got as arguments is its own. A
    /// struct that it got and did not change stays where it is; each other needs the place of one of the same type.
    fn place_structs(&mut self, args: &mut [Item]) -> Result<bool> {
        let mut free: Vec<(Value, TypeId)> = Vec::new();
        for storage in &self.args {
            if let Storage::StructArg(place, ty) = *storage {
                free.push((place, ty));
            }
        }
        let mut moved = Vec::new();
        for (n, item) in args.iter().enumerate().filter(|(_, a)| a.is_struct) {
            match free.iter().position(|f| f.0 == item.value) {
                Some(kept) => drop(free.swap_remove(kept)),
                None => moved.push(n),
            }
        }
        let mut places = Vec::new();
        for n in &moved {
            let Some(at) = free.iter().position(|f| Some(f.1) == args[*n].ty) else {
                return Ok(false);
            };
            places.push(free.swap_remove(at));
        }
        for (n, (place, ty)) in moved.into_iter().zip(places) {
            self.copy_struct_to_stack(place, args[n].value, ty)?;
            args[n] = Item::structure(place, ty);
        }
        for item in args {
            item.borrowed = None;
        }
        Ok(true)
    }

    /// The next instruction is `ret`. What `jmp` stands for has it built in.
    fn returns_next(&self) -> bool {
        let at = |offset: u32| self.body.code.get(offset as usize).copied();
        at(self.next) == Some(RET) || at(self.offset) == Some(JMP)
    }

    /// The callee's result is the method's without conversion.
    fn fits_result(&self, signature: &MethodSignature) -> Result<bool> {
        let (own, other) = (self.signature.ret, signature.ret);
        Ok(match self.ctx.value_class(own)? {
            ValueClass::Struct { .. } => own == other,
            class => class == self.ctx.value_class(other)?,
        })
    }

    /// A by-ref or a struct with one, or a native integer that is not passed as `int64`.
    fn may_be_address(&self, item: &Item, declared: Option<TypeId>) -> bool {
        if item.is_struct {
            return declared.is_none_or(|ty| self.ctx.is_byref_like(ty));
        }
        let wide = |ty| matches!(self.ctx.prim(ty), Some(Prim::I8 | Prim::U8));
        match self.b.func.ty(item.value) {
            Type::ByRef => true,
            Type::I64 => !declared.is_some_and(wide),
            _ => false,
        }
    }

    fn has_pinned_locals(&self) -> Result<bool> {
        if self.body.locals.is_null() {
            return Ok(false);
        }
        let locals = self
            .ctx
            .locals(self.module, self.body.locals, self.generics)?;
        Ok(locals.iter().any(|l| l.pinned))
    }
}
