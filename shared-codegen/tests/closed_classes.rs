//! Which classes other assemblies may derive from, and what is known of the others. Assembled with `ilasm`; skipped where it
//! is not installed.

use shared_codegen::types::binding::{SearchPath, StandardBinder};
use shared_codegen::types::{Error, MethodId, ModuleId, TypeContext, TypeId};
use std::path::Path;
use std::process::Command;

/// `Base` is overridden by `Middle` only; `Named` has an explicit override of `Base::Explicit` under another name.
const CLOSED: &str = r#"
.assembly extern mscorlib { .ver 4:0:0:0 .publickeytoken = (B7 7A 5C 56 19 34 E0 89) }
.assembly closed {}
.class private Base {
    .method public virtual newslot instance int32 Kept() { ldc.i4.1 ret }
    .method public virtual newslot instance int32 Changed() { ldc.i4.2 ret }
    .method public virtual newslot instance int32 Explicit() { ldc.i4.3 ret }
}
.class private Middle extends Base { .method public virtual instance int32 Changed() { ldc.i4.4 ret } }
.class private Leaf extends Middle {}
.class private Named extends Base {
    .method private virtual newslot instance int32 Other() { .override Base::Explicit ldc.i4.5 ret }
}
.class private Generic`1<T> { .method public virtual newslot instance int32 Get() { ldc.i4.1 ret } }
.class private Instance extends class Generic`1<int32> { .method public virtual instance int32 Get() { ldc.i4.2 ret } }
.class public Open { .method public virtual newslot instance int32 Get() { ldc.i4.1 ret }
    .class nested public Inner {} .class nested private Secret {} .class nested family Family {} }
.class private Around { .class nested public Inside {} }
"#;

/// The same, but its internals are shown to somebody.
const FRIENDLY: &str = r#"
.assembly extern mscorlib { .ver 4:0:0:0 .publickeytoken = (B7 7A 5C 56 19 34 E0 89) }
.assembly friendly {
    .custom instance void [mscorlib]System.Runtime.CompilerServices.InternalsVisibleToAttribute::.ctor(string)
        = (01 00 04 65 6C 73 65 00 00) // "else"
}
.class private Base {}
"#;

/// Derives from what it cannot see, and from what it can.
const INTRUDER: &str = r#"
.assembly extern mscorlib { .ver 4:0:0:0 .publickeytoken = (B7 7A 5C 56 19 34 E0 89) }
.assembly extern closed {}
.assembly extern friendly {}
.assembly intruder {}
.class public Intruder extends [closed]Base {}
.class public Guest extends [closed]Open {}
.class public Friend extends [friendly]Base {}
"#;

fn assemble(folder: &Path, name: &str, source: &str) -> Option<()> {
    let file = folder.join(name).with_extension("il");
    std::fs::write(&file, source).ok()?;
    let out = format!(
        "/output:{}",
        folder.join(name).with_extension("dll").display()
    );
    let done = Command::new("ilasm")
        .args(["/dll", "/quiet", &out])
        .arg(&file)
        .output()
        .ok()?;
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{name}: {errors}");
    Some(())
}

struct Lab {
    ctx: TypeContext,
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Option<Lab> {
        let folder = tempfile::tempdir().ok()?;
        for (name, source) in [
            ("closed", CLOSED),
            ("friendly", FRIENDLY),
            ("intruder", INTRUDER),
        ] {
            assemble(folder.path(), name, source)?;
        }
        let binder = StandardBinder::reading(SearchPath::system(Some(folder.path().to_owned())));
        let ctx = TypeContext::new(Box::new(binder)).ok()?;
        Some(Lab { ctx, folder })
    }

    fn module(&self, name: &str) -> ModuleId {
        let path = self.folder.path().join(name).with_extension("dll");
        self.ctx.load_assembly(&path).unwrap()
    }

    fn class(&self, assembly: &str, name: &str) -> TypeId {
        let found = self.ctx.find_type_by_full_name(self.module(assembly), name);
        found.unwrap().unwrap_or_else(|| panic!("{name}"))
    }

    fn method(&self, class: &str, name: &str) -> (TypeId, MethodId) {
        let class = self.class("closed", class);
        (class, self.ctx.find_method(class, name).unwrap().unwrap())
    }
}

#[test]
fn leaves_are_known() {
    let Some(lab) = Lab::new() else { return };
    let leaves = ["Leaf", "Named", "Instance", "Open+Secret", "Around+Inside"];
    let others = [
        "Base",
        "Middle",
        "Generic`1",
        "Open",
        "Open+Inner",
        "Open+Family",
    ];
    for name in leaves {
        assert!(lab.ctx.is_leaf(lab.class("closed", name)), "{name}");
    }
    for name in others {
        assert!(!lab.ctx.is_leaf(lab.class("closed", name)), "{name}");
    }
    assert!(!lab.ctx.is_leaf(lab.class("friendly", "Base")));
    assert!(!lab.ctx.is_leaf(lab.class("intruder", "Guest")));
}

#[test]
fn overriding_is_known() {
    let Some(lab) = Lab::new() else { return };
    for (class, method, is_final) in [
        ("Base", "Kept", true),
        ("Base", "Changed", false),
        ("Base", "Explicit", false),
        ("Middle", "Changed", true),
        ("Generic`1", "Get", false),
        ("Open", "Get", false),
    ] {
        let (t, m) = lab.method(class, method);
        assert_eq!(lab.ctx.is_final_below(t, m), is_final, "{class}::{method}");
    }
}

#[test]
fn nobody_derives_from_classes_of_others() {
    let Some(lab) = Lab::new() else { return };
    let parent = lab.ctx.parent(lab.class("intruder", "Intruder"));
    assert!(matches!(parent, Err(Error::TypeLoad { .. })), "{parent:?}");
    for name in ["Guest", "Friend"] {
        assert!(
            lab.ctx.parent(lab.class("intruder", name)).is_ok(),
            "{name}"
        );
    }
}
