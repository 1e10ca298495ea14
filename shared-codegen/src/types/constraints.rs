//! Generic constraints, and calls through `constrained.`.

use super::{
    Error, GenericContext, GenericParam, Known, MethodId, Result, TypeContext, TypeId, TypeList,
};

/// `GenericParameterAttributes` bits.
mod attr {
    pub(super) const REFERENCE_TYPE: u32 = 4;
    pub(super) const NOT_NULLABLE_VALUE_TYPE: u32 = 8;
    pub(super) const DEFAULT_CONSTRUCTOR: u32 = 16;
}

/// What `constrained. T callvirt m` does (ECMA-335 III.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConstrainedCall {
    /// `T` is a reference type: load the reference and call virtually.
    Dereference,
    /// `T` implements the method itself: call it with the address as `this`.
    Direct(MethodId),
    /// `T` inherits the method: box the value and call this method on the box.
    Box(MethodId),
}

impl TypeContext {
    /// How a constrained call of `m` on a value of type `t` (exact, or canonical with its value-ness known) goes.
    pub fn constrained_call(&self, t: TypeId, m: MethodId) -> Result<ConstrainedCall> {
        if !self.is_value_type(t) {
            return Ok(ConstrainedCall::Dereference);
        }
        let target = self.resolve_virtual(t, m)?;
        let own = self.definition(self.method_owner(target)) == self.definition(t);
        Ok(if own {
            ConstrainedCall::Direct(target)
        } else {
            ConstrainedCall::Box(target)
        })
    }

    /// Refuses arguments that violate the constraints of a generic type.
    pub fn check_type_arguments(&self, def: TypeId, args: TypeList) -> Result<()> {
        let generics = GenericContext {
            type_args: args,
            method_args: &[],
        };
        let owner = self.full_name(self.element_form(def));
        self.check_arguments(&self.generic_params(def)?, args, generics, &owner)
    }

    /// Refuses arguments that violate the constraints of a generic method.
    pub fn check_method_arguments(&self, m: MethodId, args: TypeList) -> Result<()> {
        let generics = GenericContext {
            type_args: self.type_args(self.method_owner(m)),
            method_args: args,
        };
        let params = self.method_generic_params(m)?;
        self.check_arguments(&params, args, generics, &self.method_full_name(m))
    }

    fn check_arguments(
        &self,
        params: &[GenericParam],
        args: TypeList,
        generics: GenericContext,
        owner: &str,
    ) -> Result<()> {
        if params.len() != args.len() {
            return Err(Error::Constraint {
                reason: format!("{owner} takes {} type arguments", params.len()).into(),
            });
        }
        for (n, (param, &arg)) in params.iter().zip(args).enumerate() {
            if !self.satisfies(param, arg, generics) {
                let arg = self.full_name(arg);
                let reason = format!(
                    "GenericArguments[{n}], '{arg}', on '{owner}' violates the constraint of type '{}'.",
                    param.name
                );
                return Err(Error::Constraint {
                    reason: reason.into(),
                });
            }
        }
        Ok(())
    }

    /// An argument keeps all constraints of a parameter. Open arguments are taken on trust.
    fn satisfies(&self, param: &GenericParam, arg: TypeId, generics: GenericContext) -> bool {
        if self.contains_generic_params(arg) {
            return true;
        }
        let value_type = self.is_value_type(arg);
        let flag = |bit| param.flags & bit != 0;
        if self.is_pointer_like(arg)
            || self.is_known(arg, Known::Void)
            || self.is_byref_like(arg)
            || flag(attr::REFERENCE_TYPE) && value_type
            || flag(attr::NOT_NULLABLE_VALUE_TYPE) && (!value_type || self.is_nullable(arg))
            || flag(attr::DEFAULT_CONSTRUCTOR) && !self.has_default_constructor(arg)
        {
            return false;
        }
        param.constraints.iter().all(|&c| {
            let wanted = self.substitute(c, generics);
            self.contains_generic_params(wanted) || self.is_assignable(arg, wanted)
        })
    }

    /// `new T()` is possible: a value type, or a class with a public constructor without parameters.
    pub fn has_default_constructor(&self, t: TypeId) -> bool {
        if self.is_value_type(t) {
            return true;
        }
        let ctor = self.find_constructor(t, &[]).ok().flatten();
        !self.is_abstract(t) && ctor.is_some_and(|c| self.method_is_public(c))
    }
}
