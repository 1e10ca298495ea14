//! The comparers that `EqualityComparer<T>.Default` and `Comparer<T>.Default` choose by looking at `T`, as mscorlib's
//! `CreateComparer` methods do.

use super::{Prim, TypeContext, TypeId};

/// Comparers for enums by the underlying type (`EqualityComparer<T>.CreateComparer`).
const ENUMS: [(&[Prim], &str); 4] = [
    (&[Prim::I1], "SByteEnumEqualityComparer`1"),
    (&[Prim::I2], "ShortEnumEqualityComparer`1"),
    (
        &[Prim::U1, Prim::U2, Prim::I4, Prim::U4],
        "EnumEqualityComparer`1",
    ),
    (&[Prim::I8, Prim::U8], "LongEnumEqualityComparer`1"),
];

/// The names that one kind of comparer goes by.
struct Family {
    asked: &'static str,
    interface: &'static str,
    generic: &'static str,
    nullable: &'static str,
    object: &'static str,
}

const EQUALITY: Family = Family {
    asked: "EqualityComparer`1",
    interface: "IEquatable`1",
    generic: "GenericEqualityComparer`1",
    nullable: "NullableEqualityComparer`1",
    object: "ObjectEqualityComparer`1",
};

const ORDER: Family = Family {
    asked: "Comparer`1",
    interface: "IComparable`1",
    generic: "GenericComparer`1",
    nullable: "NullableComparer`1",
    object: "ObjectComparer`1",
};

impl TypeContext {
    /// The class of `t.Default`, where `t` is `EqualityComparer<T>` or `Comparer<T>`. In canonical form if `T` contains `Canon`;
    /// `None` if `T` is it.
    pub fn default_comparer(&self, t: TypeId) -> Option<TypeId> {
        let &[arg] = self.type_args(t) else {
            return None;
        };
        let def = self.definition(t);
        if arg == self.canon() || self.is_open(arg) || self.type_module(def) != self.corlib() {
            return None;
        }
        let family = [&EQUALITY, &ORDER]
            .into_iter()
            .find(|f| self.collection_class(f.asked) == Some(def))?;
        self.comparer_of(family, arg)
    }

    fn comparer_of(&self, family: &Family, arg: TypeId) -> Option<TypeId> {
        let over = |name, arg| Some(self.instance(self.collection_class(name)?, &[arg]));
        let compares_itself = |t: TypeId| {
            let interface = self.find_type_def(self.corlib(), "System", family.interface);
            interface.is_some_and(|i| self.is_assignable(t, self.instance(i, &[t])))
        };
        let equality = family.asked == EQUALITY.asked;
        if equality && self.prim(arg) == Some(Prim::U1) && !self.is_enum(arg) {
            return self.collection_class("ByteEqualityComparer");
        }
        if compares_itself(arg) {
            return over(family.generic, arg);
        }
        if let Some(inner) = self.nullable_arg(arg).filter(|&u| compares_itself(u)) {
            return over(family.nullable, inner);
        }
        if equality && self.is_enum(arg) {
            let prim = self.prim(self.underlying(arg))?;
            if let Some((_, name)) = ENUMS.iter().find(|(prims, _)| prims.contains(&prim)) {
                return over(name, arg);
            }
        }
        over(family.object, arg)
    }

    fn collection_class(&self, name: &str) -> Option<TypeId> {
        self.find_type_def(self.corlib(), "System.Collections.Generic", name)
    }
}
