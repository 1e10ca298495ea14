//! Types that compilers do not write, assembled with `ilasm`. Skipped where it is not installed.

use shared_codegen::types::binding::{SearchPath, StandardBinder};
use shared_codegen::types::{Error, Known, MethodId, ModuleId, TypeContext, TypeId};
use std::process::Command;

const SOURCE: &str = r#"
.assembly extern mscorlib {}
.assembly hostile {}
.class value sealed sequential Cycle1 extends [mscorlib]System.ValueType { .field valuetype Cycle2 x }
.class value sealed sequential Cycle2 extends [mscorlib]System.ValueType { .field valuetype Cycle1 y }
.class value sealed sequential Endless`1<T> extends [mscorlib]System.ValueType {
  .field valuetype Endless`1<valuetype Endless`1<!T>> x
}
.class EndlessClass`1<T> extends [mscorlib]System.Object {
  .field class EndlessClass`1<class EndlessClass`1<!T>> x
  .field static class EndlessClass`1<class EndlessClass`1<!T>> s
}
.class interface abstract ILoop1 implements ILoop2 {}
.class interface abstract ILoop2 implements ILoop1 {}
.class UsesLoop extends [mscorlib]System.Object implements ILoop1 {}
.class explicit sealed Overlap extends [mscorlib]System.ValueType { .field [0] object o .field [0] int64 n }
.class explicit sealed Union extends [mscorlib]System.ValueType { .field [0] int32 i .field [0] float64 d .field [8] object o }
.class sequential sealed Packed extends [mscorlib]System.ValueType { .pack 1 .size 32 .field int8 a .field int64 b }
.class BadEnum extends [mscorlib]System.Enum { .field public specialname rtspecialname string value__ }
.class MissingBase extends [mscorlib]No.Such.Type {}
.class interface abstract IShape { .method public abstract virtual newslot instance int32 Area() {} }
.class Base extends [mscorlib]System.Object implements IShape {
  .method public virtual newslot instance int32 Area() { ldc.i4.1 ret }
  .method public virtual newslot instance int32 Named() { ldc.i4.1 ret }
}
.class Derived extends Base {
  .method public virtual instance int32 Area() { ldc.i4.2 ret }
  .method private virtual final newslot instance int32 Other() { .override Base::Named ldc.i4.2 ret }
}
.class Hiding extends Base { .method public virtual newslot instance int32 Area() { ldc.i4.3 ret } }
.class Again extends Base implements IShape { .method public virtual newslot instance int32 Area() { ldc.i4.4 ret } }
"#;

struct Hostile {
    ctx: TypeContext,
    module: ModuleId,
}

impl Hostile {
    fn new() -> Option<Hostile> {
        let folder = tempfile::tempdir().ok()?;
        let (source, out) = (folder.path().join("h.il"), folder.path().join("h.dll"));
        std::fs::write(&source, SOURCE).ok()?;
        let ilasm = Command::new("ilasm")
            .args(["/dll", "/quiet"])
            .arg(format!("/output:{}", out.display()))
            .arg(&source)
            .output()
            .ok()?;
        assert!(
            ilasm.status.success(),
            "{}",
            String::from_utf8_lossy(&ilasm.stderr)
        );
        let binder = StandardBinder::reading(SearchPath::system(None));
        let ctx = TypeContext::new(Box::new(binder)).ok()?;
        let module = ctx.load_assembly(&out).unwrap();
        Some(Hostile { ctx, module })
    }

    fn class(&self, name: &str) -> TypeId {
        self.ctx.find_type(self.module, "", name).unwrap().unwrap()
    }

    fn method(&self, class: &str, name: &str) -> MethodId {
        self.ctx
            .find_method(self.class(class), name)
            .unwrap()
            .unwrap()
    }

    /// Owner of the method that runs for `m` on an object of class `receiver`.
    fn runs(&self, receiver: &str, m: MethodId) -> String {
        let target = self.ctx.resolve_virtual(self.class(receiver), m).unwrap();
        self.ctx.method_full_name(target)
    }
}

fn is_type_load<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::TypeLoad { .. }))
}

#[test]
fn endless_types_end_in_type_load() {
    let Some(h) = Hostile::new() else { return };
    let int = h.ctx.known(Known::Int32);
    assert!(is_type_load(h.ctx.layout(h.class("Cycle1"))));
    assert!(is_type_load(h.ctx.layout(h.class("Cycle2"))));
    assert!(is_type_load(
        h.ctx.layout(h.ctx.instance(h.class("Endless`1"), &[int]))
    ));
    let fine = h.ctx.instance(h.class("EndlessClass`1"), &[int]);
    assert_eq!(h.ctx.layout(fine).unwrap().size, 24);
    assert_eq!(h.ctx.statics(fine).unwrap().size, 8);
    assert!(is_type_load(h.ctx.parent(h.class("MissingBase"))));
    assert!(is_type_load(h.ctx.vtable(h.class("MissingBase"))));
    for name in ["ILoop1", "ILoop2", "UsesLoop"] {
        assert!(is_type_load(h.ctx.interfaces(h.class(name))), "{name}");
    }
}

#[test]
fn explicit_and_packed_layouts() {
    let Some(h) = Hostile::new() else { return };
    assert!(is_type_load(h.ctx.layout(h.class("Overlap"))));
    let union = h.ctx.layout(h.class("Union")).unwrap();
    assert_eq!((union.size, &*union.refs), (16, &[8][..]));
    let packed = h.ctx.layout(h.class("Packed")).unwrap();
    assert_eq!((packed.size, packed.align, packed.fields[1].1), (32, 1, 1));
    assert!(h.ctx.value_class(h.class("BadEnum")).is_err());
}

#[test]
fn overriding_hiding_and_implementing_again() {
    let Some(h) = Hostile::new() else { return };
    let (of_interface, of_base) = (h.method("IShape", "Area"), h.method("Base", "Area"));
    assert_eq!(h.runs("Derived", of_base), "Derived::Area()");
    assert_eq!(h.runs("Derived", of_interface), "Derived::Area()");
    assert_eq!(h.runs("Hiding", of_base), "Base::Area()");
    assert_eq!(h.runs("Hiding", of_interface), "Base::Area()");
    assert_eq!(h.runs("Again", of_base), "Base::Area()");
    assert_eq!(h.runs("Again", of_interface), "Again::Area()");
    assert_eq!(
        h.runs("Derived", h.method("Base", "Named")),
        "Derived::Other()"
    );
}
