//! Which calls with the prefix `tail.` may replace the frame (ECMA-335 III.2.4). The others are ordinary calls.

use super::Importer;
use super::error::Result;
use super::stack::Item;
use crate::ir::Type;
use crate::types::{MethodSignature, Prim, TypeId, ValueClass};

/// The instructions `ret` and `jmp`.
const RET: u8 = 0x2a;
const JMP: u8 = 0x27;

impl Importer<'_> {
    /// The call being imported, whose arguments have left the stack, is followed by `ret` and leaves nothing of the
    /// frame in use: no struct and no list of arguments lies in it, no address of a variable is passed, no lock is held.
    pub(crate) fn can_tail_call(
        &mut self,
        signature: &MethodSignature,
        args: &[Item],
    ) -> Result<bool> {
        let wanted = self.prefixes.tail
            && self.returns_next()
            && self.stack.is_empty()
            && self.b.region().is_none()
            && !signature.is_vararg()
            && self.fits_result(signature)?;
        if !wanted || args.iter().any(|a| a.is_struct) {
            return Ok(false);
        }
        let mut passes_address = false;
        let this = args.len().saturating_sub(signature.params.len());
        for (n, item) in args.iter().enumerate() {
            let declared = n.checked_sub(this).map(|n| signature.params[n]);
            if let Some(ty) = declared
                && let ValueClass::Struct { .. } = self.ctx.value_class(ty)?
            {
                return Ok(false);
            }
            passes_address |= self.may_be_address(item, declared);
        }
        Ok(!passes_address || (self.scan.address_taken.is_empty() && !self.has_pinned_locals()?))
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

    /// A by-ref, or a native integer that is not passed as `int64`.
    fn may_be_address(&self, item: &Item, declared: Option<TypeId>) -> bool {
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
