//! Methods of the class libraries that become instructions: those whose bodies must never run, and
//! those worth it everywhere. One table from name to emitter.

use super::error::Result;
use super::stack::Item;
use super::{Importer, Pair};
use crate::abi::helper::HelperId;
use crate::abi::layout::{array, string};
use crate::ir::{AliasClass, Imm, MemRef, MemType, Op, Type, Value};
use crate::types::{MethodId, TypeContext, TypeId, ValueClass};

/// What to emit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Intrinsic {
    /// `ByReference<T>(ref T)`: stores the reference.
    ByReferenceCtor,
    /// `ByReference<T>.Value`
    ByReferenceValue,
    /// `Array.UnsafeMov<S,R>`: reinterprets a scalar.
    UnsafeMov,
    UnsafeLoad,
    UnsafeStore,
    GetGenericValue,
    SetGenericValue,
    StringLength,
    StringChar,
    Constant(i32),
    HasReferences,
    /// A float op on doubles.
    Float(Op),
    /// A helper on doubles.
    FloatHelper(HelperId),
    CompareExchange,
    Exchange,
    Increment(i64),
    ExchangeAdd,
    AtomicRead,
    VolatileRead,
    VolatileWrite,
    Fence,
    Pause,
}

/// Namespace, class, method, number of parameters without `this`.
fn find(namespace: &str, class: &str, method: &str, params: usize) -> Option<Intrinsic> {
    use Intrinsic::*;
    Some(match (namespace, class, method, params) {
        ("System", "ByReference`1", ".ctor", 1) => ByReferenceCtor,
        ("System", "ByReference`1", "get_Value", 0) => ByReferenceValue,
        ("System", "Array", "UnsafeMov", 1) => UnsafeMov,
        ("System", "Array", "UnsafeLoad", 2) => UnsafeLoad,
        ("System", "Array", "UnsafeStore", 3) => UnsafeStore,
        ("System", "Array", "GetGenericValueImpl", 2) => GetGenericValue,
        ("System", "Array", "SetGenericValueImpl", 2) => SetGenericValue,
        ("System", "String", "get_Length", 0) => StringLength,
        ("System", "String", "get_Chars", 1) => StringChar,
        ("System.Runtime.CompilerServices", "RuntimeHelpers", "get_OffsetToStringData", 0) => {
            Constant(string::DATA)
        }
        (
            "System.Runtime.CompilerServices",
            "RuntimeHelpers",
            "IsReferenceOrContainsReferences",
            0,
        ) => HasReferences,
        ("System", "Math", "Sqrt", 1) => Float(Op::Fsqrt),
        ("System", "Math", "Abs", 1) => Float(Op::Fabs),
        ("System", "Math", "Sin", 1) => FloatHelper(HelperId::Sin),
        ("System", "Math", "Cos", 1) => FloatHelper(HelperId::Cos),
        ("System", "Math", "Tan", 1) => FloatHelper(HelperId::Tan),
        ("System", "Math", "Atan", 1) => FloatHelper(HelperId::Atan),
        ("System", "Math", "Atan2", 2) => FloatHelper(HelperId::Atan2),
        ("System", "Math", "Exp", 1) => FloatHelper(HelperId::Exp),
        ("System", "Math", "Log", 1) => FloatHelper(HelperId::Log),
        ("System", "Math", "Log10", 1) => FloatHelper(HelperId::Log10),
        ("System", "Math", "Pow", 2) => FloatHelper(HelperId::Pow),
        ("System.Threading", "Interlocked", "CompareExchange", 3) => CompareExchange,
        ("System.Threading", "Interlocked", "Exchange", 2) => Exchange,
        ("System.Threading", "Interlocked", "Increment", 1) => Increment(1),
        ("System.Threading", "Interlocked", "Decrement", 1) => Increment(-1),
        ("System.Threading", "Interlocked", "Add", 2) => ExchangeAdd,
        ("System.Threading", "Interlocked", "Read", 1) => AtomicRead,
        ("System.Threading", "Interlocked" | "Thread", "MemoryBarrier", 0) => Fence,
        ("System.Threading", "Thread", "SpinWait_nop", 0) => Pause,
        ("System.Threading", "Volatile", "Read", 1)
        | ("System.Threading", "Thread", "VolatileRead", 1) => VolatileRead,
        ("System.Threading", "Volatile", "Write", 2)
        | ("System.Threading", "Thread", "VolatileWrite", 2) => VolatileWrite,
        _ => return None,
    })
}

/// What a call of a method becomes, if it is an intrinsic.
fn find_method(ctx: &TypeContext, method: MethodId) -> Result<Option<Intrinsic>> {
    let owner = ctx.method_owner(method);
    if ctx.type_module(owner) != ctx.corlib() {
        return Ok(None);
    }
    let (namespace, class) = ctx.type_name(owner);
    if !namespace.starts_with("System") {
        return Ok(None);
    }
    let params = ctx.method_signature(method)?.params.len();
    Ok(find(namespace, class, ctx.method_name(method), params))
}

/// Whether calls of a method become instructions, at least for some types.
///
/// # Errors
/// The signature of the method cannot be read.
pub fn is_intrinsic(ctx: &TypeContext, method: MethodId) -> Result<bool> {
    Ok(find_method(ctx, method)?.is_some())
}

fn any(ty: MemType) -> MemRef {
    MemRef {
        offset: 0,
        ty,
        alias: AliasClass::Any,
        volatile: false,
    }
}

impl Importer<'_> {
    /// Emits a call as instructions if the method is an intrinsic for these types.
    pub(crate) fn try_intrinsic(&mut self, method: Pair<MethodId>, args: &[Item]) -> Result<bool> {
        let signature = *self.ctx.method_signature(method.canon)?;
        match find_method(self.ctx, method.canon)? {
            Some(what) => {
                self.emit_intrinsic(what, method.canon, signature.params, signature.ret, args)
            }
            None => Ok(false),
        }
    }

    fn emit_intrinsic(
        &mut self,
        what: Intrinsic,
        method: MethodId,
        params: &[TypeId],
        ret: TypeId,
        args: &[Item],
    ) -> Result<bool> {
        use Intrinsic::*;
        match what {
            ByReferenceCtor => {
                let to = self.address_in(args[0])?;
                let v = self.scalar_of(args[1])?;
                let v = self.to_type(v, Type::ByRef)?;
                self.b.store(to, v, any(MemType::ByRef));
            }
            ByReferenceValue => {
                let from = if args[0].is_struct {
                    args[0].value
                } else {
                    self.address_in(args[0])?
                };
                let v = self.b.load(from, any(MemType::ByRef));
                self.push(v, Some(ret));
            }
            UnsafeMov => return self.unsafe_mov(params[0], ret, args[0]),
            UnsafeLoad => {
                let addr = self.linear_address(args[0], args[1], ret)?;
                self.push_loaded(addr, any, ret)?;
            }
            UnsafeStore => {
                let addr = self.linear_address(args[0], args[1], params[2])?;
                self.store_item(addr, any, params[2], args[2])?;
            }
            GetGenericValue | SetGenericValue => {
                let Some(&elem) = self.ctx.method_args(method).first() else {
                    return Ok(false);
                };
                let in_array = self.linear_address(args[0], args[1], elem)?;
                let outside = self.address_in(args[2])?;
                let (from, to) = if what == GetGenericValue {
                    (in_array, outside)
                } else {
                    (outside, in_array)
                };
                self.copy_value(from, to, elem)?;
            }
            StringLength => {
                let s = self.checked_ref(args[0])?;
                let len = self.string_length(s);
                self.push(len, Some(ret));
            }
            StringChar => {
                let s = self.checked_ref(args[0])?;
                let len = self.string_length(s);
                let index = self.scalar_of(args[1])?;
                let index = self.to_type(index, Type::I32)?;
                self.b.bounds_check(index, len);
                let wide = self.b.zext32(index);
                let addr = self.b.addr_index(s, wide, 2, string::DATA);
                let mem = MemRef {
                    alias: AliasClass::Element(MemType::U16),
                    ..any(MemType::U16)
                };
                let v = self.b.load(addr, mem);
                self.push(v, Some(ret));
            }
            Constant(n) => {
                let v = self.b.i32(n);
                self.push(v, Some(ret));
            }
            HasReferences => {
                let Some(&t) = self.ctx.method_args(method).first() else {
                    return Ok(false);
                };
                let has = match self.ctx.value_class(t)? {
                    ValueClass::Scalar(m) => m == MemType::Ref,
                    _ => self.ctx.contains_refs(t)?,
                };
                let v = self.b.i32(has.into());
                self.push(v, Some(ret));
            }
            // `Abs` of a `Decimal`
            Float(_) if args[0].is_struct => return Ok(false),
            Float(op) => {
                let v = self.scalar_of(args[0])?;
                let ty = self.b.func.ty(v);
                if !ty.is_float() || self.mem_of(ret)? != Some(MemType::F64) {
                    return Ok(false);
                }
                let v = self.to_type(v, Type::F64)?;
                let r = self
                    .b
                    .emit(op, Type::F64, &[v], Imm::None)
                    .expect("float ops have results");
                self.push(r, Some(ret));
            }
            FloatHelper(helper) => {
                let mut operands = Vec::with_capacity(2);
                for a in args {
                    let v = self.scalar_of(*a)?;
                    operands.push(self.to_type(v, Type::F64)?);
                }
                let r = self
                    .b
                    .call_helper(helper, &operands)
                    .expect("math helpers have results");
                self.push(r, Some(ret));
            }
            CompareExchange => return self.atomic(params[1], ret, args, Op::AtomicCas),
            Exchange => return self.atomic(params[1], ret, args, Op::AtomicXchg),
            ExchangeAdd => return self.atomic_add(ret, args),
            Increment(by) => {
                let step = match self.mem_of(ret)? {
                    Some(MemType::I32) => self.b.i32(by as i32),
                    _ => self.b.i64(by),
                };
                return self.atomic_add(ret, &[args[0], Item::scalar(step, Some(ret))]);
            }
            AtomicRead | VolatileRead => return self.volatile_read(ret, args[0]),
            VolatileWrite => return self.volatile_write(params[1], args),
            Fence => drop(self.b.emit(Op::Fence, Type::I32, &[], Imm::None)),
            Pause => drop(self.b.emit(Op::Pause, Type::I32, &[], Imm::None)),
        }
        Ok(true)
    }

    fn checked_ref(&mut self, item: Item) -> Result<Value> {
        let v = self.scalar_of(item)?;
        let v = self.to_type(v, Type::Ref)?;
        self.b.null_check(v);
        Ok(v)
    }

    fn string_length(&mut self, s: Value) -> Value {
        let mem = MemRef {
            offset: string::LENGTH,
            ty: MemType::I32,
            alias: AliasClass::Immutable,
            volatile: false,
        };
        self.b.load(s, mem)
    }

    /// Address of element `index` of an array of any rank, unchecked but for null.
    fn linear_address(&mut self, a: Item, index: Item, elem: TypeId) -> Result<Value> {
        let a = self.checked_ref(a)?;
        let index = self.scalar_of(index)?;
        let index = self.to_type(index, Type::I32)?;
        let wide = self.b.zext32(index);
        let size = self.ctx.value_size(elem)?;
        Ok(self.b.addr_index(a, wide, size, array::DATA))
    }

    fn copy_value(&mut self, from: Value, to: Value, ty: TypeId) -> Result<()> {
        let item = match self.mem_of(ty)? {
            Some(m) => Item::scalar(self.b.load(from, any(m)), Some(ty)),
            None => Item::structure(from, ty),
        };
        self.store_item(to, any, ty, item)
    }

    /// Both types are scalars here: enums and their kin.
    fn unsafe_mov(&mut self, from: TypeId, to: TypeId, item: Item) -> Result<bool> {
        if item.is_struct {
            self.stack.push(Item {
                ty: Some(to),
                ..item
            });
            return Ok(true);
        }
        let (Some(_), Some(m)) = (self.mem_of(from)?, self.mem_of(to)?) else {
            return self.invalid("UnsafeMov between a struct and a scalar");
        };
        let v = self.scalar_of(item)?;
        let source = self.b.func.ty(v);
        let unsigned = self
            .ctx
            .prim(self.ctx.underlying(from))
            .is_some_and(|p| p.is_unsigned());
        let v = match (source, m.value_type()) {
            (Type::I32, Type::I64) if unsigned => self.b.zext32(v),
            (s, t) if s.is_float() != t.is_float() => {
                return self.invalid("UnsafeMov between integer and float");
            }
            (_, t) => self.to_type(v, t)?,
        };
        let v = self.narrowed(Item::scalar(v, None), m)?;
        self.push(v, Some(to));
        Ok(true)
    }

    fn atomic(&mut self, value: TypeId, ret: TypeId, args: &[Item], op: Op) -> Result<bool> {
        let Some(m) = self.mem_of(value)? else {
            return Ok(false);
        };
        let Some(_) = self.mem_of(ret)? else {
            return Ok(false);
        };
        let bits = match m {
            MemType::F32 => MemType::I32,
            MemType::F64 => MemType::I64,
            m => m,
        };
        let addr = self.address_in(args[0])?;
        self.null_check_unless_local(addr);
        // Interlocked passes (location, value, comparand); the op wants (address, expected, new).
        let order: &[usize] = if op == Op::AtomicCas { &[2, 1] } else { &[1] };
        let mut operands = vec![addr];
        for n in order {
            let v = self.scalar_of(args[*n])?;
            let v = self.to_type(v, m.value_type())?;
            operands.push(if m == bits {
                v
            } else {
                self.b.convert(Op::Bitcast, bits.value_type(), v)
            });
        }
        let old = self
            .b
            .emit(
                op,
                bits.value_type(),
                &operands,
                Imm::Atomic(bits, AliasClass::Any),
            )
            .expect("atomics have results");
        let old = if m == bits {
            old
        } else {
            self.b.convert(Op::Bitcast, m.value_type(), old)
        };
        self.push(old, Some(ret));
        Ok(true)
    }

    fn atomic_add(&mut self, ret: TypeId, args: &[Item]) -> Result<bool> {
        let Some(m @ (MemType::I32 | MemType::I64)) = self.mem_of(ret)? else {
            return Ok(false);
        };
        let addr = self.address_in(args[0])?;
        self.null_check_unless_local(addr);
        let by = self.scalar_of(args[1])?;
        let by = self.to_type(by, m.value_type())?;
        let old = self
            .b
            .emit(
                Op::AtomicAdd,
                m.value_type(),
                &[addr, by],
                Imm::Atomic(m, AliasClass::Any),
            )
            .expect("atomics have results");
        let new = self.b.iadd(old, by);
        self.push(new, Some(ret));
        Ok(true)
    }

    fn volatile_read(&mut self, ret: TypeId, from: Item) -> Result<bool> {
        let Some(m) = self.mem_of(ret)? else {
            return Ok(false);
        };
        let addr = self.address_in(from)?;
        self.null_check_unless_local(addr);
        let v = self.b.load(
            addr,
            MemRef {
                volatile: true,
                ..any(m)
            },
        );
        self.push(v, Some(ret));
        Ok(true)
    }

    fn volatile_write(&mut self, ty: TypeId, args: &[Item]) -> Result<bool> {
        if self.mem_of(ty)?.is_none() {
            return Ok(false);
        }
        let addr = self.address_in(args[0])?;
        self.null_check_unless_local(addr);
        self.store_item(
            addr,
            |m| MemRef {
                volatile: true,
                ..any(m)
            },
            ty,
            args[1],
        )?;
        Ok(true)
    }
}
