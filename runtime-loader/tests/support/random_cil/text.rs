//! A program as text for `ilasm`.

use super::kernel;
use super::{
    ARRAY_LENGTH, Catch, EXCEPTIONS, Expr, FIELDS, Kind, Method, Place, Program, STATICS, Stmt, Ty,
};
use std::fmt::Write;

/// Calls that a method may cause before all further ones return at once.
const FUEL: u32 = 60;

/// The types that every program has, and what it prints with.
const RUNTIME: &str = "
.assembly extern mscorlib { .ver 4:0:0:0 .publickeytoken = (B7 7A 5C 56 19 34 E0 89) }
.assembly random {}
.class interface private abstract I { .method public virtual abstract newslot instance int32 w(int32) cil managed {} }
.class private sequential sealed S extends [mscorlib]System.ValueType implements I { FIELDS
  .method public virtual final newslot instance int32 w(int32 x) cil managed { .maxstack 8
    ldarg.0 ldarg.0 ldfld int32 S::f0 ldarg.1 add stfld int32 S::f0 ldarg.0 ldfld int32 S::f0 ldc.i4.5 xor ret }
  .method public static int64 sum(valuetype S s) cil managed { .maxstack 8
    ldarga 0 dup ldfld int64 S::f1 ldc.i4.1 conv.i8 add stfld int64 S::f1 ldarg 0 ldfld int32 S::f0 conv.i8 ldarg 0 ldfld int64 S::f1 add
    ldarga 0 ldfld unsigned int8 S::f3 conv.u8 add ret }
  .method public static valuetype S make(int64 x) cil managed { .maxstack 8 .locals init (valuetype S s)
    ldloca 0 ldarg.0 conv.i4 stfld int32 S::f0 ldloca 0 ldarg.0 stfld int64 S::f1 ldloca 0 ldarg.0 conv.r8 stfld float64 S::f2
    ldloca 0 ldarg.0 conv.u1 stfld unsigned int8 S::f3 ldloc 0 ret }
}
.class private B extends [mscorlib]System.Object implements I { FIELDS
  .method public specialname rtspecialname instance void .ctor(int32 x) cil managed { .maxstack 8
    ldarg.0 call instance void [mscorlib]System.Object::.ctor() ldarg.0 ldarg.1 stfld int32 B::f0 ret }
  .method public virtual newslot instance int32 v(int32 x) cil managed { .maxstack 8 ldarg.0 ldfld int32 B::f0 ldc.i4.3 mul ldarg.1 add ret }
  .method public virtual final newslot instance int32 w(int32 x) cil managed { .maxstack 8 ldarg.1 ldarg.0 ldfld int32 B::f0 xor ret }
}
.class private sealed D extends B { .field public int32 d
  .method public specialname rtspecialname instance void .ctor(int32 x) cil managed { .maxstack 8
    ldarg.0 ldarg.1 call instance void B::.ctor(int32) ldarg.0 ldarg.1 ldc.i4.7 mul stfld int32 D::d ret }
  .method public virtual instance int32 v(int32 x) cil managed { .maxstack 8 ldarg.0 ldfld int32 D::d ldarg.1 sub ret }
}
.class private sealed F extends [mscorlib]System.MulticastDelegate {
  .method public hidebysig specialname rtspecialname instance void .ctor(object o, native int m) runtime managed {}
  .method public hidebysig newslot virtual instance int32 Invoke(int32 x) runtime managed {}
}
.class private C0 extends [mscorlib]System.Object { .field static int32 v
  .method static specialname rtspecialname void .cctor() cil managed { .maxstack 8
    ldc.i4 101 call void T::H(int32) ldc.i4 41 stsfld int32 C0::v ret } }
.class private C1 extends [mscorlib]System.Object { .field static int32 v
  .method static specialname rtspecialname void .cctor() cil managed { .maxstack 8
    ldsfld int32 C0::v call void T::H(int32) ldc.i4 42 stsfld int32 C1::v ret } }
.class private C2 extends [mscorlib]System.Object { .field static int32 v
  .method static specialname rtspecialname void .cctor() cil managed { .maxstack 8
    ldc.i4 102 call void T::H(int32) newobj instance void [mscorlib]System.OverflowException::.ctor() throw } }
.class private T extends [mscorlib]System.Object {
.field static int32 fuel
.field static int64 sum
.method static void H(int64 x) cil managed { .maxstack 8 ldsfld int64 T::sum ldc.i4 31 conv.i8 mul ldarg.0 add stsfld int64 T::sum ret }
.method static void H(int32 x) cil managed { .maxstack 8 ldarg.0 conv.i8 call void T::H(int64) ret }
.method static void H(float64 x) cil managed { .maxstack 8
  ldarg.0 ldarg.0 beq N ldc.i4 12345 call void T::H(int32) ret
  N: ldarg.0 call int64 [mscorlib]System.BitConverter::DoubleToInt64Bits(float64) call void T::H(int64) ret }
.method static void H(float32 x) cil managed { .maxstack 8 ldarg.0 conv.r8 call void T::H(float64) ret }
.method static void swap<U>(!!0& a, !!0& b) cil managed { .maxstack 8 .locals init (!!0 t)
  ldarg.0 ldobj !!0 stloc.0 ldarg.0 ldarg.1 ldobj !!0 stobj !!0 ldarg.1 ldloc.0 stobj !!0 ret }
.method static !!0 through<U>(!!0 x) cil managed { .maxstack 8 .locals init (!!0[] a, object o)
  ldc.i4.2 newarr !!0 stloc.0 ldloc.0 ldc.i4.1 ldarg.0 stelem !!0 ldloc.0 ldc.i4.1 ldelem !!0 box !!0 stloc.1 ldloc.1 unbox.any !!0 ret }
";

/// The whole program.
pub fn program(p: &Program) -> String {
    let mut fields = String::new();
    for (n, kind) in FIELDS.iter().enumerate() {
        put(
            &mut fields,
            format_args!(".field public {} f{n} ", kind.name),
        );
    }
    let mut out = RUNTIME.replace("FIELDS", &fields);
    for (n, kind) in STATICS.iter().enumerate() {
        put(&mut out, format_args!(".field static {} s{n}\n", kind.name));
    }
    out.push_str(&kernel::runtime());
    for n in 0..p.methods.len() {
        method(p, n, &mut out);
    }
    main(p, &mut out);
    out.push_str("}\n");
    out
}

fn put(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("strings take everything");
}

/// Number and class of exceptions: calls each method with several sets of arguments and prints the checksum of each.
fn main(p: &Program, out: &mut String) {
    out.push_str(
        ".method static void Main() cil managed { .entrypoint .maxstack 64 call void T::arrays()\n",
    );
    for (n, m) in p.methods.iter().enumerate() {
        for round in 0..3 {
            put(
                out,
                format_args!(
                    "ldc.i4 {FUEL} stsfld int32 T::fuel ldc.i4.0 conv.i8 stsfld int64 T::sum .try {{ "
                ),
            );
            for (k, kind) in m.params.iter().enumerate() {
                let bits = p.arguments[(n + round * 5 + k * 3) % p.arguments.len()];
                constant(kind.ty, bits, out);
            }
            call(m, n, out);
            put(
                out,
                format_args!(
                    "call void T::H({}) leave D{n}_{round} }}\ncatch [mscorlib]System.Exception {{ \
                     callvirt instance class [mscorlib]System.Type [mscorlib]System.Object::GetType() \
                     callvirt instance string [mscorlib]System.Reflection.MemberInfo::get_Name() \
                     call void [mscorlib]System.Console::WriteLine(string) leave D{n}_{round} }}\n\
                     D{n}_{round}: ldstr \"m{n}.{round} \" call void [mscorlib]System.Console::Write(string) \
                     ldsfld int64 T::sum call void [mscorlib]System.Console::WriteLine(int64)\n",
                    m.ret.ty.kind().name
                ),
            );
        }
    }
    out.push_str("ret }\n");
}

fn constant(ty: Ty, bits: u64, out: &mut String) {
    match ty {
        Ty::I4 => put(out, format_args!("ldc.i4 {} ", bits as i32)),
        Ty::I8 => put(out, format_args!("ldc.i8 {} ", bits as i64)),
        Ty::R8 => {
            put(out, format_args!("ldc.i8 {} ", bits as i64));
            out.push_str("call float64 [mscorlib]System.BitConverter::Int64BitsToDouble(int64) ");
        }
        // Every number of 32 bits has its place among the doubles; those out of range become infinite.
        Ty::R4 => {
            constant(Ty::R8, bits, out);
            out.push_str("conv.r4 ");
        }
    }
}

fn call(m: &Method, n: usize, out: &mut String) {
    let params: Vec<&str> = m.params.iter().map(|k| k.name).collect();
    let params = params.join(", ");
    put(out, format_args!("call {} T::m{n}({params}) ", m.ret.name));
}

fn method(p: &Program, n: usize, out: &mut String) {
    let m = &p.methods[n];
    let params: Vec<String> = (0..m.params.len())
        .map(|k| format!("{} a{k}", m.params[k].name))
        .collect();
    let mut locals: Vec<String> = m.locals.iter().map(|k| k.name.to_owned()).collect();
    locals.extend(m.arrays.iter().map(|k| format!("{}[]", k.name)));
    locals.extend(std::iter::repeat_n("valuetype S".to_owned(), m.structs));
    locals.extend(std::iter::repeat_n("class B".to_owned(), m.objects));
    locals.extend(std::iter::repeat_n("int32".to_owned(), m.counters));
    locals.push(m.ret.name.to_owned());
    locals.extend(m.kernels.iter().flatten().cloned());
    put(
        out,
        format_args!(
            ".method static {} m{n}({}) cil managed {{ .maxstack 200 .locals init ({})\n\
             ldsfld int32 T::fuel ldc.i4.1 sub dup stsfld int32 T::fuel ldc.i4.0 blt END\n",
            m.ret.name,
            params.join(", "),
            locals.join(", ")
        ),
    );
    let mut w = Writer {
        p,
        m,
        out,
        labels: 0,
    };
    for a in 0..m.arrays.len() {
        w.stmt(&Stmt::NewArray(a), Around::default());
        w.out.push('\n');
    }
    for o in 0..m.objects {
        w.stmt(&Stmt::NewObject(o, 1 + (o % 2) as u8), Around::default());
        w.out.push('\n');
    }
    w.body(&m.body, Around::default());
    let ret = w.ret();
    put(w.out, format_args!("END: ldloc {ret} ret }}\n"));
}

/// What stands around a statement.
#[derive(Clone, Copy, Default)]
struct Around {
    /// Label behind the innermost loop, and whether protected regions lie between.
    end_of_loop: Option<(usize, bool)>,
    /// In a protected region or its handler.
    protected: bool,
    /// In a handler that nothing leaves.
    closed: bool,
}

impl Around {
    fn protect(self) -> Around {
        Around {
            end_of_loop: self.end_of_loop.map(|l| (l.0, true)),
            protected: true,
            ..self
        }
    }

    fn close(self) -> Around {
        Around {
            end_of_loop: None,
            closed: true,
            ..self.protect()
        }
    }

    fn in_loop(self, end: usize) -> Around {
        Around {
            end_of_loop: Some((end, false)),
            ..self
        }
    }
}

struct Writer<'a> {
    p: &'a Program,
    m: &'a Method,
    out: &'a mut String,
    labels: usize,
}

macro_rules! say {
    ($w:expr, $($arg:tt)*) => {
        put($w.out, format_args!($($arg)*))
    };
}

impl Writer<'_> {
    fn label(&mut self) -> usize {
        self.labels += 1;
        self.labels
    }

    fn array(&self, n: usize) -> usize {
        self.m.locals.len() + n
    }

    fn structure(&self, n: usize) -> usize {
        self.array(self.m.arrays.len()) + n
    }

    fn object(&self, n: usize) -> usize {
        self.structure(self.m.structs) + n
    }

    fn counter(&self, n: usize) -> usize {
        self.object(self.m.objects) + n
    }

    fn ret(&self) -> usize {
        self.counter(self.m.counters)
    }

    fn body(&mut self, body: &[Stmt], around: Around) {
        for s in body {
            self.stmt(s, around);
            self.out.push('\n');
        }
    }

    /// What goes below a value that is stored.
    fn prepare(&mut self, place: &Place) {
        match place {
            Place::Local(_) | Place::Arg(_) | Place::Static(_) => {}
            Place::Address(n) => say!(self, "ldloca {n} "),
            Place::Element(a, index) => {
                say!(self, "ldloc {} ", self.array(*a));
                self.expr(index);
            }
            Place::ElementAddress(a, index) => {
                say!(self, "ldloc {} ", self.array(*a));
                self.expr(index);
                say!(self, "ldelema {} ", self.m.arrays[*a].name);
            }
            Place::StructField(s, _) => say!(self, "ldloca {} ", self.structure(*s)),
            Place::ObjectField(o, _) => say!(self, "ldloc {} ", self.object(*o)),
        }
    }

    fn access(&mut self, place: &Place, kind: Kind, load: bool) {
        let suffix = if load { kind.load } else { kind.store };
        let (ld, st) = if load { ("ld", "ld") } else { ("st", "st") };
        match place {
            Place::Local(n) => say!(self, "{st}loc {n} "),
            Place::Arg(n) => say!(self, "{st}arg {n} "),
            Place::Static(n) => say!(self, "{st}sfld {} T::s{n} ", kind.name),
            Place::Address(_) | Place::ElementAddress(..) => say!(self, "{ld}ind.{suffix} "),
            Place::Element(..) => say!(self, "{ld}elem.{suffix} "),
            Place::StructField(_, f) => say!(self, "{ld}fld {} S::f{f} ", kind.name),
            Place::ObjectField(_, f) => say!(self, "{ld}fld {} B::f{f} ", kind.name),
        }
    }

    fn expr(&mut self, e: &Expr) {
        match e {
            Expr::Const(ty, bits) => constant(*ty, *bits, self.out),
            Expr::Load(place, kind) => {
                self.prepare(place);
                self.access(place, *kind, true);
            }
            Expr::Counter(c) => say!(self, "ldloc {} ", self.counter(*c)),
            Expr::Unary(text, _, a) => {
                self.expr(a);
                say!(self, "{text} ");
            }
            Expr::Binary(text, _, of) => {
                self.expr(&of[0]);
                self.expr(&of[1]);
                say!(self, "{text} ");
            }
            Expr::Choose(of) => {
                let (no, end) = (self.label(), self.label());
                self.expr(&of[0]);
                say!(self, "brfalse L{no} ");
                self.expr(&of[1]);
                say!(self, "br L{end} L{no}: ");
                self.expr(&of[2]);
                say!(self, "L{end}: ");
            }
            Expr::Call(n, args) => {
                args.iter().for_each(|a| self.expr(a));
                call(&self.p.methods[*n], *n, self.out);
            }
            Expr::Virtual(o, by_interface, a) => {
                say!(self, "ldloc {} ", self.object(*o));
                self.expr(a);
                let target = if *by_interface { "I::w" } else { "B::v" };
                say!(self, "callvirt instance int32 {target}(int32) ");
            }
            Expr::Length(a) => say!(self, "ldloc {} ldlen conv.i4 ", self.array(*a)),
            Expr::IsDerived(o) => say!(self, "ldloc {} isinst D ldnull cgt.un ", self.object(*o)),
            Expr::StructSum(s) => {
                say!(
                    self,
                    "ldloc {} call int64 S::sum(valuetype S) ",
                    self.structure(*s)
                );
            }
            Expr::Fresh(..) | Expr::Delegate(..) | Expr::Closure(_) => self.object_expr(e),
            Expr::OfStruct(s, boxed, a) => {
                let s = self.structure(*s);
                match boxed {
                    true => say!(self, "ldloc {s} box S "),
                    false => say!(self, "ldloca {s} "),
                }
                self.expr(a);
                let prefix = if *boxed { "" } else { "constrained. S " };
                say!(self, "{prefix}callvirt instance int32 I::w(int32) ");
            }
            Expr::Initialized(n) => say!(self, "ldsfld int32 C{n}::v "),
            Expr::Generic(a) => {
                self.expr(a);
                let name = a.ty(&self.p.methods).kind().name;
                say!(self, "call !!0 T::through<{name}>(!!0) ");
            }
        }
    }

    /// Calls on new objects and through delegates.
    fn object_expr(&mut self, e: &Expr) {
        const DELEGATE: &str = "newobj instance void F::.ctor(object, native int) ";
        const INVOKE: &str = "callvirt instance int32 F::Invoke(int32) ";
        match e {
            Expr::Fresh(derived, of) => {
                self.expr(&of[0]);
                let class = if *derived { "D" } else { "B" };
                say!(self, "newobj instance void {class}::.ctor(int32) ");
                self.expr(&of[1]);
                say!(self, "callvirt instance int32 B::v(int32) ");
            }
            Expr::Delegate(o, a) => {
                say!(
                    self,
                    "ldloc {} dup ldvirtftn instance int32 B::v(int32) ",
                    self.object(*o)
                );
                say!(self, "{DELEGATE}");
                self.expr(a);
                say!(self, "{INVOKE}");
            }
            Expr::Closure(of) => {
                self.expr(&of[0]);
                say!(
                    self,
                    "newobj instance void B::.ctor(int32) ldftn instance int32 B::w(int32) {DELEGATE}"
                );
                self.expr(&of[1]);
                say!(self, "{INVOKE}");
            }
            _ => unreachable!("not a call on an object"),
        }
    }

    fn stmt(&mut self, s: &Stmt, around: Around) {
        match s {
            Stmt::Hash(e) => {
                self.expr(e);
                let name = e.ty(&self.p.methods).kind().name;
                say!(self, "call void T::H({name})");
            }
            Stmt::Set(place, kind, e) => {
                self.prepare(place);
                self.expr(e);
                self.access(place, *kind, false);
            }
            Stmt::If(..) | Stmt::Switch(..) => self.branches(s, around),
            Stmt::Loop(..) | Stmt::Each(..) | Stmt::Down(..) | Stmt::While(..) => {
                self.looping(s, around);
            }
            Stmt::Swap(a, of) => {
                let name = self.m.arrays[*a].name;
                for index in of.iter() {
                    say!(self, "ldloc {} ", self.array(*a));
                    self.expr(index);
                    say!(self, "ldelema {name} ");
                }
                say!(self, "call void T::swap<{name}>(!!0&, !!0&)");
            }
            Stmt::Try(..) | Stmt::Finally(..) => self.protected(s, around),
            Stmt::Throw(n) => {
                let class = EXCEPTIONS[*n];
                say!(
                    self,
                    "newobj instance void [mscorlib]System.{class}::.ctor() throw"
                );
            }
            Stmt::Break => match around.end_of_loop {
                Some((end, true)) => say!(self, "leave L{end}"),
                Some((end, false)) => say!(self, "br L{end}"),
                None => {}
            },
            Stmt::Return(e) => {
                self.expr(e);
                say!(self, "stloc {} ", self.ret());
                match around {
                    Around { closed: true, .. } => {}
                    Around {
                        protected: true, ..
                    } => say!(self, "leave END"),
                    _ => say!(self, "br END"),
                }
            }
            Stmt::NewObject(o, class) => {
                match class {
                    0 => say!(self, "ldnull "),
                    1 => say!(self, "ldc.i4 5 newobj instance void B::.ctor(int32) "),
                    _ => say!(self, "ldc.i4 6 newobj instance void D::.ctor(int32) "),
                }
                say!(self, "stloc {}", self.object(*o));
            }
            Stmt::NewArray(a) => {
                let (n, name) = (self.array(*a), self.m.arrays[*a].name);
                say!(self, "ldc.i4 {ARRAY_LENGTH} newarr {name} stloc {n}");
            }
            Stmt::CopyObject(a, b) => {
                say!(self, "ldloc {} stloc {}", self.object(*b), self.object(*a));
            }
            Stmt::CopyStruct(a, b) => {
                say!(
                    self,
                    "ldloc {} stloc {}",
                    self.structure(*b),
                    self.structure(*a)
                );
            }
            Stmt::MakeStruct(s, e) => {
                self.expr(e);
                say!(
                    self,
                    "call valuetype S S::make(int64) stloc {}",
                    self.structure(*s)
                );
            }
            Stmt::Kernel(k) => {
                let first = self.ret() + 1 + k.number * kernel::LOCALS;
                let label = format!("K{}", self.label());
                let counter = self.counter(k.counter);
                let out = &mut *self.out;
                kernel::Writer {
                    k,
                    out,
                    counter,
                    first,
                    label,
                }
                .write();
            }
            Stmt::ClearStruct(s) => say!(self, "ldloca {} initobj S", self.structure(*s)),
        }
    }

    fn branches(&mut self, s: &Stmt, around: Around) {
        match s {
            Stmt::If(branch, of, [yes, no]) => {
                let (then, end) = (self.label(), self.label());
                self.expr(&of[0]);
                self.expr(&of[1]);
                say!(self, "{branch} L{then}\n");
                self.body(no, around);
                say!(self, "br L{end} L{then}:\n");
                self.body(yes, around);
                say!(self, "L{end}:");
            }
            Stmt::Switch(e, cases) => {
                let first = self.labels + 1;
                self.labels += cases.len() + 1;
                let end = self.labels;
                let labels: Vec<String> = (first..end).map(|l| format!("L{l}")).collect();
                self.expr(e);
                say!(self, "switch ({}) br L{end}\n", labels.join(", "));
                for (n, case) in cases.iter().enumerate() {
                    say!(self, "L{}: ", first + n);
                    self.body(case, around);
                    // Every other case falls through into the next.
                    if n % 2 == 0 {
                        say!(self, "br L{end}\n");
                    }
                }
                say!(self, "L{end}:");
            }
            _ => unreachable!("not a branch"),
        }
    }

    fn looping(&mut self, s: &Stmt, around: Around) {
        let (top, test, out) = (self.label(), self.label(), self.label());
        let (c, body, start, step, in_front) = match s {
            Stmt::Loop(c, _, in_front, body) => (*c, body, 0, 1, *in_front),
            Stmt::Down(c, step, body) => (*c, body, ARRAY_LENGTH - 1, -(*step as i32), true),
            Stmt::Each(c, _, body) | Stmt::While(c, _, body) => (*c, body, 0, 1, true),
            _ => unreachable!("not a loop"),
        };
        let c = self.counter(c);
        say!(self, "ldc.i4 {start} stloc {c} ");
        if in_front {
            say!(self, "br L{test} ");
        }
        say!(self, "L{top}:\n");
        self.body(body, around.in_loop(out));
        say!(
            self,
            "ldloc {c} ldc.i4 {step} add stloc {c} L{test}: ldloc {c} "
        );
        match s {
            Stmt::Loop(_, rounds, ..) => say!(self, "ldc.i4 {rounds} blt"),
            Stmt::Each(_, a, _) => say!(self, "ldloc {} ldlen conv.i4 blt", self.array(*a)),
            Stmt::While(_, end, _) => {
                self.expr(end);
                say!(self, "ldc.i4.7 and blt");
            }
            _ => say!(self, "ldc.i4.0 bge"),
        }
        say!(self, " L{top} L{out}:");
    }

    fn protected(&mut self, s: &Stmt, around: Around) {
        let end = self.label();
        say!(self, ".try {{\n");
        match s {
            Stmt::Try(body, catches) => {
                // Mono's `ilasm` gets other clauses of a try with a filter wrong: each has a try of its own then.
                let filters = catches.iter().any(|c| matches!(c.0, Catch::Filter(_)));
                let tries = if filters { catches.len() } else { 1 };
                (1..tries).for_each(|_| say!(self, ".try {{\n"));
                self.body(body, around.protect());
                say!(self, "leave L{end} }}\n");
                for (n, (catch, handler)) in catches.iter().enumerate() {
                    match catch {
                        Catch::Class(c) => {
                            say!(self, "catch [mscorlib]System.{} {{ pop\n", EXCEPTIONS[*c]);
                        }
                        Catch::Filter(e) => {
                            say!(self, "filter {{ pop ");
                            self.expr(e);
                            say!(self, "ldc.i4.0 cgt.un endfilter }} {{ pop\n");
                        }
                    }
                    self.body(handler, around.protect());
                    let closes = n + 1 < tries;
                    say!(self, "leave L{end} }}\n{}", if closes { "}\n" } else { "" });
                }
            }
            Stmt::Finally(body, is_finally, handler) => {
                self.body(body, around.protect());
                let word = if *is_finally { "finally" } else { "fault" };
                say!(self, "leave L{end} }}\n{word} {{\n");
                self.body(handler, around.close());
                say!(self, "endfinally }}\n");
            }
            _ => unreachable!("not a protected region"),
        }
        say!(self, "L{end}:");
    }
}
