//! A type oracle told by comments of a test file. Each line `; fact SUBJECT WORDS` states one fact:
//!
//! ```text
//! ; fact type#1 instance 24 [refs] [finalizer]
//! ; fact type#2 element 4 [refs]
//! ; fact type#2 scalars 0 i32 8 ref
//! ; fact type#3 cast always | exact | class 2 [abstract]
//! ; fact type#4 unbox exact
//! ; fact type#5 object
//! ; fact method#7 vtable 3 | imt 5 | inline
//! ; fact method#7 on type#1 is method#8
//! ; fact method#7 calls System.Math Sqrt d
//! ; fact method#7 target static|object|value 2 [struct] [context method_table type#3]
//! ; fact method#7 structs 1 type#4
//! ; fact method#7 takes 1 type#4
//! ; fact method#7 returns type#1 exact|derived [discardable]
//! ; fact field#4 holds type#1
//! ; fact type#5 derives type#6
//! ; fact lookup method_table type#7 in type#1 is type#8
//! ```
//! `target`: how `on ... is` and delegates call the method: `this`, number of parameters. Without it: an object, as many
//! parameters as its function in the file has. `inline`: the function of the file with that method is its body. `calls`: a row of the intrinsics table (`-`: no parameters).

use shared_codegen::abi::fixup::Fixup;
use shared_codegen::ir::{Function, Lookup, MemType};
use shared_codegen::passes::intrinsics::{self, Intrinsic};
use shared_codegen::passes::{
    CastTest, DirectTarget, ElementFacts, InlineHint, InstanceFacts, KnownClass, Receiver,
    TypeOracle,
};
use shared_codegen::types::{FieldId, MethodId, TypeId};
use std::collections::HashMap;

/// The facts of one file.
#[derive(Default)]
pub struct Facts {
    instances: HashMap<TypeId, InstanceFacts>,
    elements: HashMap<TypeId, ElementFacts>,
    scalars: HashMap<TypeId, Vec<(u32, MemType)>>,
    casts: HashMap<TypeId, CastTest>,
    exact_unbox: Vec<TypeId>,
    object: Option<TypeId>,
    vtable: HashMap<MethodId, u32>,
    imt: HashMap<MethodId, u32>,
    overrides: HashMap<(MethodId, TypeId), MethodId>,
    inline: Vec<MethodId>,
    intrinsics: HashMap<MethodId, Intrinsic>,
    targets: HashMap<MethodId, Target>,
    results: HashMap<MethodId, (KnownClass, bool)>,
    param_classes: HashMap<(MethodId, usize), KnownClass>,
    struct_params: HashMap<MethodId, Vec<(usize, TypeId)>>,
    fields: HashMap<FieldId, KnownClass>,
    bases: HashMap<TypeId, TypeId>,
    lookups: HashMap<(TypeId, TypeId), TypeId>,
    bodies: Vec<Function>,
}

/// How a method is called.
struct Target {
    receiver: Receiver,
    params: u32,
    returns_struct: bool,
    context: Option<Fixup>,
}

impl Facts {
    /// Reads the facts of a file. `bodies` are its functions.
    pub fn parse(text: &str, bodies: Vec<Function>) -> Result<Facts, String> {
        let mut facts = Facts {
            bodies,
            ..Facts::default()
        };
        for line in text.lines() {
            if let Some(fact) = line.strip_prefix("; fact ") {
                let words: Vec<&str> = fact.split_whitespace().collect();
                facts
                    .add(&words)
                    .ok_or_else(|| format!("not a fact: {line}"))?;
            }
        }
        Ok(facts)
    }

    fn add(&mut self, words: &[&str]) -> Option<()> {
        let (&subject, rest) = words.split_first()?;
        if subject == "lookup" {
            return self.add_lookup(rest);
        }
        if let ["holds", ty] = *rest {
            let ty = TypeId(id(ty, "type#")?);
            let class = KnownClass { ty, exact: false };
            self.fields.insert(FieldId(id(subject, "field#")?), class);
            return Some(());
        }
        match subject.strip_prefix("type#") {
            Some(n) => self.add_type(TypeId(n.parse().ok()?), rest),
            None => self.add_method(MethodId(id(subject, "method#")?), rest),
        }
    }

    fn add_type(&mut self, ty: TypeId, words: &[&str]) -> Option<()> {
        let has = |word: &str| words.contains(&word);
        match *words {
            ["instance", size, ..] => {
                let fact = InstanceFacts {
                    size: size.parse().ok()?,
                    has_refs: has("refs"),
                    has_finalizer: has("finalizer"),
                };
                self.instances.insert(ty, fact);
            }
            ["element", size, ..] => {
                let fact = ElementFacts {
                    size: size.parse().ok()?,
                    has_refs: has("refs"),
                };
                self.elements.insert(ty, fact);
            }
            ["scalars", ref list @ ..] => {
                let mut scalars = Vec::new();
                for pair in list.chunks_exact(2) {
                    let name = |m: &&(MemType, &str)| m.1 == pair[1];
                    let (ty, _) = MemType::ALL.iter().find(name)?;
                    scalars.push((pair[0].parse().ok()?, *ty));
                }
                self.scalars.insert(ty, scalars);
            }
            ["cast", "always"] => drop(self.casts.insert(ty, CastTest::Always)),
            ["cast", "exact"] => drop(self.casts.insert(ty, CastTest::Exact)),
            ["cast", "class", depth, ..] => {
                let fact = CastTest::Class {
                    depth: depth.parse().ok()?,
                    is_abstract: has("abstract"),
                };
                self.casts.insert(ty, fact);
            }
            ["unbox", "exact"] => self.exact_unbox.push(ty),
            ["object"] => self.object = Some(ty),
            ["derives", base] => drop(self.bases.insert(ty, TypeId(id(base, "type#")?))),
            _ => return None,
        }
        Some(())
    }

    fn add_method(&mut self, method: MethodId, words: &[&str]) -> Option<()> {
        match *words {
            ["vtable", slot] => drop(self.vtable.insert(method, slot.parse().ok()?)),
            ["imt", slot] => drop(self.imt.insert(method, slot.parse().ok()?)),
            ["inline"] => self.inline.push(method),
            ["calls", class, name, params] => {
                let params = if params == "-" { "" } else { params };
                let row = intrinsics::find(class, name, params)?;
                self.intrinsics.insert(method, row);
            }
            ["on", ty, "is", target] => {
                let key = (method, TypeId(id(ty, "type#")?));
                self.overrides.insert(key, MethodId(id(target, "method#")?));
            }
            ["target", receiver, params, ref rest @ ..] => {
                let receiver = match receiver {
                    "static" => Receiver::Static,
                    "object" => Receiver::Object,
                    "value" => Receiver::Value,
                    _ => return None,
                };
                let context = match rest {
                    [.., "context", "method_table", t] => {
                        Some(Fixup::MethodTable(TypeId(id(t, "type#")?)))
                    }
                    _ => None,
                };
                let target = Target {
                    receiver,
                    params: params.parse().ok()?,
                    returns_struct: rest.contains(&"struct"),
                    context,
                };
                self.targets.insert(method, target);
            }
            ["takes", position, ty] => {
                let ty = TypeId(id(ty, "type#")?);
                let class = KnownClass { ty, exact: false };
                self.param_classes
                    .insert((method, position.parse().ok()?), class);
            }
            ["structs", position, ty] => {
                let param = (position.parse().ok()?, TypeId(id(ty, "type#")?));
                self.struct_params.entry(method).or_default().push(param);
            }
            ["returns", ty, how, ref rest @ ..] => {
                let class = KnownClass {
                    ty: TypeId(id(ty, "type#")?),
                    exact: how == "exact",
                };
                let fact = (class, rest.contains(&"discardable"));
                self.results.insert(method, fact);
            }
            _ => return None,
        }
        Some(())
    }

    fn add_lookup(&mut self, words: &[&str]) -> Option<()> {
        let ["method_table", open, "in", context, "is", exact] = *words else {
            return None;
        };
        let ty = |word| Some(TypeId(id(word, "type#")?));
        self.lookups.insert((ty(open)?, ty(context)?), ty(exact)?);
        Some(())
    }
}

fn id(word: &str, prefix: &str) -> Option<u32> {
    word.strip_prefix(prefix)?.parse().ok()
}

impl TypeOracle for Facts {
    fn instance(&self, ty: TypeId) -> Option<InstanceFacts> {
        self.instances.get(&ty).copied()
    }
    fn element(&self, array: TypeId) -> Option<ElementFacts> {
        self.elements.get(&array).copied()
    }
    fn scalars(&self, ty: TypeId, max: usize) -> Option<Vec<(u32, MemType)>> {
        self.scalars.get(&ty).filter(|s| s.len() <= max).cloned()
    }
    fn struct_params(&self, method: MethodId) -> Vec<(usize, TypeId)> {
        self.struct_params.get(&method).cloned().unwrap_or_default()
    }
    fn cast_test(&self, ty: TypeId) -> CastTest {
        self.casts.get(&ty).copied().unwrap_or(CastTest::Slow)
    }
    fn unbox_is_exact(&self, ty: TypeId) -> bool {
        self.exact_unbox.contains(&ty)
    }
    fn object_type(&self) -> Option<TypeId> {
        self.object
    }
    fn is_assignable(&self, from: TypeId, to: TypeId) -> Option<bool> {
        let mut at = from;
        while at != to {
            match self.bases.get(&at) {
                Some(&base) => at = base,
                // Only types of which something is said are known.
                None => return self.casts.contains_key(&to).then_some(false),
            }
        }
        Some(true)
    }
    fn vtable_slot(&self, method: MethodId) -> Option<u32> {
        self.vtable.get(&method).copied()
    }
    fn imt_slot(&self, method: MethodId) -> Option<u32> {
        self.imt.get(&method).copied()
    }
    fn virtual_target(&self, method: MethodId, receiver: KnownClass) -> Option<DirectTarget> {
        let sealed = matches!(self.cast_test(receiver.ty), CastTest::Exact);
        let target = self.overrides.get(&(method, receiver.ty))?;
        (receiver.exact || sealed)
            .then(|| self.code_target(*target))
            .flatten()
    }
    fn code_target(&self, method: MethodId) -> Option<DirectTarget> {
        let mut bodies = self.bodies.iter();
        let body = bodies.find(|f| f.method == Some(method))?;
        let told = self.targets.get(&method);
        let params = body.sig.params.len() as u32 - 1;
        Some(DirectTarget {
            method,
            sig: body.sig.clone(),
            receiver: told.map_or(Receiver::Object, |t| t.receiver),
            params: told.map_or(params, |t| t.params),
            returns_struct: told.is_some_and(|t| t.returns_struct),
            context: told.and_then(|t| t.context),
        })
    }
    fn result_class(&self, method: MethodId) -> Option<KnownClass> {
        self.results.get(&method).map(|r| r.0)
    }
    fn param_class(&self, method: MethodId, position: usize) -> Option<KnownClass> {
        self.param_classes.get(&(method, position)).copied()
    }
    fn field_class(&self, field: FieldId) -> Option<KnownClass> {
        self.fields.get(&field).copied()
    }
    fn constant_class(&self, _: Fixup) -> Option<KnownClass> {
        None
    }
    fn exact_lookup(&self, lookup: Lookup, context: Fixup) -> Option<Fixup> {
        let (Fixup::MethodTable(open), Fixup::MethodTable(context)) = (lookup.fixup, context)
        else {
            return None;
        };
        let exact = self.lookups.get(&(open, context));
        exact.map(|&t| Fixup::MethodTable(t))
    }
    fn is_discardable(&self, method: MethodId) -> bool {
        self.results.get(&method).is_some_and(|r| r.1)
    }
    fn inline_hint(&self, method: MethodId) -> InlineHint {
        match self.inline.contains(&method) {
            true => InlineHint::Small,
            false => InlineHint::Never,
        }
    }
    fn il_size(&self, _: MethodId) -> u32 {
        0
    }
    fn body_for_inlining(&self, method: MethodId) -> Option<Function> {
        self.bodies
            .iter()
            .find(|f| f.method == Some(method))
            .cloned()
    }
    fn intrinsic(&self, method: MethodId) -> Option<Intrinsic> {
        self.intrinsics.get(&method).copied()
    }
}
