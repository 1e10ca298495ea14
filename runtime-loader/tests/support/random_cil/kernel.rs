//! Loops that do one thing with long arrays, which is what vectors and unrolling are for: through arrays, spans and pointers, up and
//! down, with arrays that may be the same one, and with ends that may lie behind an array.

use super::generate::Random;
use super::{KINDS, Kind, Ty};
use std::fmt::Write;

/// Elements of the arrays `x`.
const X_LENGTH: u32 = 75;
/// Elements of the arrays `y`.
const Y_LENGTH: u32 = 70;
/// Locals of a kernel: two arrays, two spans, two pinned addresses, a sum.
pub const LOCALS: usize = 7;

/// How elements are reached.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Via {
    Array,
    Span,
    Pointer,
}

/// What a round does with `x` and `y`.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// `x = y op x`.
    Map,
    /// `x = op y`.
    Unary,
    /// `x = constant`.
    Fill,
    /// `x = y`.
    Copy,
    /// `x = x cc y ? x : y`.
    Select,
    /// `sum += x`.
    Sum,
    /// `sum += x * y`.
    Dot,
    /// `if (x cc y) sum += x`.
    SumIf,
    /// `if (x cc sum) sum = x`.
    Extreme,
}

const SHAPES: [Shape; 9] = [
    Shape::Map,
    Shape::Unary,
    Shape::Fill,
    Shape::Copy,
    Shape::Select,
    Shape::Sum,
    Shape::Dot,
    Shape::SumIf,
    Shape::Extreme,
];

const BINARY_INT: [&str; 6] = ["add", "sub", "mul", "and", "or", "xor"];
const BINARY_FLOAT: [&str; 4] = ["add", "sub", "mul", "div"];
const UNARY_INT: [&str; 4] = ["neg", "not", "ldc.i4.3 shl", "ldc.i4.2 shr"];
const UNARY_FLOAT: [&str; 3] = [
    "neg",
    "conv.r8 call float64 [mscorlib]System.Math::Sqrt(float64)",
    "conv.r8 call float64 [mscorlib]System.Math::Abs(float64)",
];
const COMPARISONS: [&str; 6] = ["blt", "bgt", "ble", "bge", "blt.un", "bgt.un"];

/// The end of a loop, which it does not reach.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    X,
    Y,
    Number(u32),
}

/// A loop.
#[derive(Clone, Debug)]
pub struct Kernel {
    pub counter: usize,
    /// Which of the method's kernels.
    pub number: usize,
    pub kind: Kind,
    via: Via,
    shape: Shape,
    op: &'static str,
    start: u32,
    end: End,
    /// Added to the index of `x`.
    offset: i32,
    down: bool,
    /// `y` is `x`.
    same: bool,
    /// The sum has the larger type.
    wide: bool,
}

/// A kernel of a method.
pub fn kernel(r: &mut Random, counter: usize, number: usize, risk: usize) -> Kernel {
    let kind = r.of(&KINDS);
    let float = matches!(kind.ty, Ty::R4 | Ty::R8);
    let shape = r.of(&SHAPES);
    let op = match (shape, float) {
        (Shape::Map, false) => r.of(&BINARY_INT),
        (Shape::Map, true) => r.of(&BINARY_FLOAT),
        (Shape::Unary, false) => r.of(&UNARY_INT),
        (Shape::Unary, true) => r.of(&UNARY_FLOAT),
        _ => r.of(&COMPARISONS),
    };
    let via = r.of(&[Via::Array, Via::Array, Via::Span, Via::Pointer]);
    let some = End::Number(1 + r.below(66) as u32);
    let end = match via {
        Via::Pointer => some,
        // Behind the end of both.
        _ if r.one_in(risk) => r.of(&[End::X, End::Number(X_LENGTH + 1)]),
        _ => r.of(&[End::Y, End::Y, some]),
    };
    Kernel {
        counter,
        number,
        kind,
        via,
        shape,
        op,
        start: 1 + r.below(3) as u32,
        end,
        offset: r.of(&[0, 0, 0, 0, -1, 1, 2]),
        down: r.one_in(8),
        same: r.one_in(4),
        wide: r.one_in(3),
    }
}

impl Kernel {
    fn sum(&self) -> Ty {
        match self.kind.ty {
            Ty::I4 if self.wide => Ty::I8,
            Ty::R4 if self.wide => Ty::R8,
            ty => ty,
        }
    }

    /// The types of its locals.
    pub fn locals(&self) -> [String; LOCALS] {
        let name = self.kind.name;
        let span = format!("valuetype [mscorlib]System.Span`1<{name}>");
        let (array, pinned) = (format!("{name}[]"), format!("{name}& pinned"));
        let sum = self.sum().kind().name.to_owned();
        [
            array.clone(),
            array,
            span.clone(),
            span,
            pinned.clone(),
            pinned,
            sum,
        ]
    }
}

/// Number of a kind.
fn index(kind: Kind) -> usize {
    let found = KINDS.iter().position(|k| k.name == kind.name);
    found.expect("one of them")
}

/// The arrays, and the methods that make them and add them to the checksum.
pub fn runtime() -> String {
    let mut out = String::new();
    let mut make =
        ".method static void arrays() cil managed { .maxstack 8 .locals init (int32 i)\n"
            .to_owned();
    for (n, kind) in KINDS.iter().enumerate() {
        let name = kind.name;
        for (array, length) in [("x", X_LENGTH), ("y", Y_LENGTH)] {
            out += &format!(".field static {name}[] {array}{n}\n");
            let number = match kind.ty {
                Ty::I4 => "",
                Ty::I8 => "conv.i8 ldc.i8 0x100000003 mul",
                Ty::R4 => "conv.r4 ldc.r4 8.0 div",
                Ty::R8 => "conv.r8 ldc.r8 8.0 div",
            };
            make += &format!(
                "ldc.i4 {length} newarr {name} stsfld {name}[] T::{array}{n} ldc.i4.0 stloc.0\n\
                 {array}L{n}: ldsfld {name}[] T::{array}{n} ldloc.0 ldloc.0 ldc.i4 {} mul ldc.i4 500 sub {number} stelem.{}\n\
                 ldloc.0 ldc.i4.1 add stloc.0 ldloc.0 ldc.i4 {length} blt {array}L{n}\n",
                37 + length,
                kind.store
            );
        }
        let on_stack = kind.ty.kind().name;
        out += &format!(
            ".method static void HA({name}[] a) cil managed {{ .maxstack 8 .locals init (int32 i)\n\
             L: ldarg.0 ldloc.0 ldelem.{} call void T::H({on_stack}) ldloc.0 ldc.i4.1 add stloc.0 ldloc.0 ldarg.0 ldlen conv.i4 blt L ret }}\n",
            kind.load
        );
    }
    out + &make + "ret }\n"
}

/// Writes a kernel whose locals start at `first`; the labels begin with `label`.
pub struct Writer<'a> {
    pub k: &'a Kernel,
    pub out: &'a mut String,
    pub counter: usize,
    pub first: usize,
    pub label: String,
}

macro_rules! say {
    ($w:expr, $($arg:tt)*) => {
        write!($w.out, $($arg)*).expect("strings take everything")
    };
}

impl Writer<'_> {
    pub fn write(&mut self) {
        let k = self.k;
        let (c, label) = (self.counter, self.label.clone());
        self.open();
        if k.down {
            self.end();
            say!(self, "ldc.i4.1 sub stloc {c} ");
        } else {
            say!(self, "ldc.i4 {} stloc {c} ", k.start);
        }
        say!(self, "br {label}T {label}B:\n");
        self.round();
        let step = if k.down { -1 } else { 1 };
        say!(
            self,
            "\n{label}N: ldloc {c} ldc.i4 {step} add stloc {c} {label}T: ldloc {c} "
        );
        if k.down {
            say!(self, "ldc.i4 {} bge {label}B\n", k.start);
        } else {
            self.end();
            say!(self, "blt {label}B\n");
        }
        let (n, name) = (index(k.kind), k.kind.name);
        let sum = k.sum().kind().name;
        say!(
            self,
            "ldloc {} call void T::H({sum}) ldsfld {name}[] T::x{n} call void T::HA({name}[])",
            self.first + 6
        );
    }

    /// Loads what the loop goes over.
    fn open(&mut self) {
        let k = self.k;
        let (n, name, first) = (index(k.kind), k.kind.name, self.first);
        let y = if k.same { "x" } else { "y" };
        for (slot, array) in [(0, "x"), (1, y)] {
            say!(
                self,
                "ldsfld {name}[] T::{array}{n} stloc {} ",
                first + slot
            );
            match k.via {
                Via::Array => {}
                Via::Span => say!(
                    self,
                    "ldloca {} ldloc {} call instance void valuetype [mscorlib]System.Span`1<{name}>::.ctor(!0[]) ",
                    first + 2 + slot,
                    first + slot
                ),
                Via::Pointer => say!(
                    self,
                    "ldloc {} ldc.i4.0 ldelema {name} stloc {} ",
                    first + slot,
                    first + 4 + slot
                ),
            }
        }
        let zero = match k.sum() {
            Ty::I4 => "ldc.i4.1",
            Ty::I8 => "ldc.i8 1",
            Ty::R4 => "ldc.r4 -0.0",
            Ty::R8 => "ldc.r8 -0.0",
        };
        say!(self, "{zero} stloc {}\n", first + 6);
    }

    fn end(&mut self) {
        let (k, first) = (self.k, self.first);
        let name = k.kind.name;
        let slot = match k.end {
            End::Number(n) => return say!(self, "ldc.i4 {n} "),
            End::X => 0,
            End::Y => 1,
        };
        match k.via {
            Via::Span => say!(
                self,
                "ldloca {} call instance int32 valuetype [mscorlib]System.Span`1<{name}>::get_Length() ",
                first + 2 + slot
            ),
            _ => say!(self, "ldloc {} ldlen conv.i4 ", first + slot),
        }
    }

    /// What goes below the value of a store: array and index, or address.
    fn place(&mut self, slot: usize, offset: i32) {
        let (k, first, c) = (self.k, self.first, self.counter);
        let name = k.kind.name;
        let at = match offset {
            0 => format!("ldloc {c}"),
            n => format!("ldloc {c} ldc.i4 {n} add"),
        };
        match k.via {
            Via::Array => say!(self, "ldloc {} {at} ", first + slot),
            Via::Span => say!(
                self,
                "ldloca {} {at} call instance !0& valuetype [mscorlib]System.Span`1<{name}>::get_Item(int32) ",
                first + 2 + slot
            ),
            Via::Pointer => say!(
                self,
                "ldloc {} conv.i {at} conv.i sizeof {name} mul add ",
                first + 4 + slot
            ),
        }
    }

    fn load(&mut self, slot: usize, offset: i32) {
        self.place(slot, offset);
        let word = if self.k.via == Via::Array {
            "ldelem"
        } else {
            "ldind"
        };
        say!(self, "{word}.{} ", self.k.kind.load);
    }

    fn store(&mut self) {
        let word = if self.k.via == Via::Array {
            "stelem"
        } else {
            "stind"
        };
        say!(self, "{word}.{} ", self.k.kind.store);
    }

    fn widen(&mut self) {
        let unsigned = self.k.kind.name.starts_with("unsigned");
        let to = match (self.k.kind.ty, self.k.sum()) {
            (Ty::I4, Ty::I8) if unsigned => "conv.u8 ",
            (Ty::I4, Ty::I8) => "conv.i8 ",
            (Ty::R4, Ty::R8) => "conv.r8 ",
            _ => "",
        };
        say!(self, "{to}");
    }

    fn round(&mut self) {
        let k = self.k;
        let (label, sum, off) = (self.label.clone(), self.first + 6, k.offset);
        match k.shape {
            Shape::Map => {
                self.place(0, off);
                self.load(1, 0);
                self.load(0, 0);
                say!(self, "{} ", k.op);
                self.store();
            }
            Shape::Unary => {
                self.place(0, off);
                self.load(1, 0);
                say!(self, "{} ", k.op);
                self.store();
            }
            Shape::Fill => {
                self.place(0, off);
                let value = match k.kind.ty {
                    Ty::I4 => "ldc.i4 -77",
                    Ty::I8 => "ldc.i8 0x123456789abcdef",
                    Ty::R4 => "ldc.r4 1.25",
                    Ty::R8 => "ldc.r8 -0.1",
                };
                say!(self, "{value} ");
                self.store();
            }
            Shape::Copy => {
                self.place(0, off);
                self.load(1, 0);
                self.store();
            }
            Shape::Select => {
                self.place(0, off);
                self.load(0, 0);
                self.load(1, 0);
                say!(self, "{} {label}X ", k.op);
                self.load(1, 0);
                say!(self, "br {label}Y {label}X: ");
                self.load(0, 0);
                say!(self, "{label}Y: ");
                self.store();
            }
            Shape::Sum | Shape::Dot => {
                say!(self, "ldloc {sum} ");
                self.load(0, off);
                self.widen();
                if matches!(k.shape, Shape::Dot) {
                    self.load(1, 0);
                    self.widen();
                    say!(self, "mul ");
                }
                say!(self, "add stloc {sum} ");
            }
            Shape::SumIf => {
                self.load(0, 0);
                self.load(1, 0);
                say!(self, "{} {label}X br {label}N {label}X: ldloc {sum} ", k.op);
                self.load(0, off);
                self.widen();
                say!(self, "add stloc {sum} ");
            }
            Shape::Extreme => {
                self.load(0, off);
                self.widen();
                say!(self, "ldloc {sum} {} {label}X br {label}N {label}X: ", k.op);
                self.load(0, off);
                self.widen();
                say!(self, "stloc {sum} ");
            }
        }
    }
}
