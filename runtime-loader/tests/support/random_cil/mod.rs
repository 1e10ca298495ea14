//! Random valid programs in CIL: made from a seed, written as text for `ilasm`, and made smaller while they still show a difference.
//!
//! A program is a list of static methods. A method calls those before it in the list only; loops have counters that nothing
//! else assigns; and what is left of exponential growth is bounded by fuel, which every call uses up. So every program ends. What
//! a method does is seen by the numbers it adds to a checksum on its way ([`Stmt::Hash`]), its result, or the class of the
//! exception that it ends with. The text ([`text`]) is valid CIL whatever the tree looks like, which is what lets [`reduce`] take
//! out any piece.

pub mod generate;
pub mod kernel;
pub mod reduce;
pub mod text;

/// Types of the evaluation stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ty {
    I4,
    I8,
    R4,
    R8,
}

/// What a variable, field or array element holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// Name of the type in CIL.
    pub name: &'static str,
    /// What it is on the stack.
    pub ty: Ty,
    /// Suffix of `ldelem` and `ldind`.
    pub load: &'static str,
    /// Suffix of `stelem` and `stind`.
    pub store: &'static str,
}

const fn kind(name: &'static str, ty: Ty, load: &'static str, store: &'static str) -> Kind {
    Kind {
        name,
        ty,
        load,
        store,
    }
}

/// All kinds.
pub const KINDS: [Kind; 12] = [
    kind("int32", Ty::I4, "i4", "i4"),
    kind("int64", Ty::I8, "i8", "i8"),
    kind("float64", Ty::R8, "r8", "r8"),
    kind("float32", Ty::R4, "r4", "r4"),
    kind("int8", Ty::I4, "i1", "i1"),
    kind("unsigned int8", Ty::I4, "u1", "i1"),
    kind("int16", Ty::I4, "i2", "i2"),
    kind("unsigned int16", Ty::I4, "u2", "i2"),
    kind("unsigned int32", Ty::I4, "u4", "i4"),
    kind("unsigned int64", Ty::I8, "i8", "i8"),
    kind("char", Ty::I4, "u2", "i2"),
    kind("bool", Ty::I4, "u1", "i1"),
];

impl Ty {
    /// The kind that holds it unchanged.
    pub fn kind(self) -> Kind {
        KINDS[match self {
            Ty::I4 => 0,
            Ty::I8 => 1,
            Ty::R8 => 2,
            Ty::R4 => 3,
        }]
    }
}

/// Fields of the struct `S` and of the class `B`, by number.
pub const FIELDS: [Kind; 4] = [KINDS[0], KINDS[1], KINDS[2], KINDS[5]];

/// Static fields, by number.
pub const STATICS: [Kind; 4] = [KINDS[0], KINDS[1], KINDS[2], KINDS[6]];

/// Elements of every array.
pub const ARRAY_LENGTH: i32 = 8;

/// Exceptions that are thrown and caught, `System.Exception` last.
pub const EXCEPTIONS: [&str; 6] = [
    "DivideByZeroException",
    "OverflowException",
    "IndexOutOfRangeException",
    "NullReferenceException",
    "InvalidCastException",
    "Exception",
];

/// A place that holds a scalar.
#[derive(Clone, Debug)]
pub enum Place {
    Local(usize),
    /// A local through its address.
    Address(usize),
    Arg(usize),
    Static(usize),
    /// Array and index.
    Element(usize, Box<Expr>),
    /// An element through its address.
    ElementAddress(usize, Box<Expr>),
    /// Local struct and field.
    StructField(usize, usize),
    /// Local object, which may be null, and field.
    ObjectField(usize, usize),
}

#[derive(Clone, Debug)]
pub enum Expr {
    /// The bits of a number.
    Const(Ty, u64),
    Load(Place, Kind),
    /// The counter of a loop, or what it was at its end.
    Counter(usize),
    /// Instructions that make one number of one.
    Unary(&'static str, Ty, Box<Expr>),
    /// An instruction that makes one number of two.
    Binary(&'static str, Ty, Box<[Expr; 2]>),
    /// The second if the first is not zero, else the third.
    Choose(Box<[Expr; 3]>),
    /// A method before this one.
    Call(usize, Vec<Expr>),
    /// A virtual method of a local object: by its declared class, or through an interface.
    Virtual(usize, bool, Box<Expr>),
    /// Length of an array.
    Length(usize),
    /// An object is of class `D`.
    IsDerived(usize),
    /// Sum over a copy of a struct, by a method that gets it by value.
    StructSum(usize),
    /// A virtual method of a new object: whether it is a `D`, what it is made of, the argument.
    Fresh(bool, Box<[Expr; 2]>),
    /// A delegate for a virtual method of a local object.
    Delegate(usize, Box<Expr>),
    /// A delegate for a method of a new object.
    Closure(Box<[Expr; 2]>),
    /// A generic method for a number, which goes through an array and a box.
    Generic(Box<Expr>),
    /// An interface method of a local struct that changes the struct: called on it, or on a box of it.
    OfStruct(usize, bool, Box<Expr>),
    /// A static field of a class whose initializer is seen, or raises an exception.
    Initialized(usize),
}

/// What a catch clause takes.
#[derive(Clone, Debug)]
pub enum Catch {
    Class(usize),
    /// The exceptions for which the number is not zero.
    Filter(Expr),
}

#[derive(Clone, Debug)]
pub enum Stmt {
    /// Adds a number to the checksum.
    Hash(Expr),
    Set(Place, Kind, Expr),
    /// A comparing branch.
    If(&'static str, Box<[Expr; 2]>, [Vec<Stmt>; 2]),
    /// Counter, rounds, test in front.
    Loop(usize, u32, bool, Vec<Stmt>),
    /// A loop over the indices of an array.
    Each(usize, usize, Vec<Stmt>),
    /// A loop from 7 down to 0 or below by this step.
    Down(usize, u32, Vec<Stmt>),
    /// A loop up to the low three bits of a number, which is asked anew for every round.
    While(usize, Expr, Vec<Stmt>),
    Switch(Expr, Vec<Vec<Stmt>>),
    Try(Vec<Stmt>, Vec<(Catch, Vec<Stmt>)>),
    /// Finally, or fault.
    Finally(Vec<Stmt>, bool, Vec<Stmt>),
    Throw(usize),
    /// Leaves the innermost loop if this is in one and nothing forbids it.
    Break,
    Return(Expr),
    /// A local object: null, `B` or `D`.
    NewObject(usize, u8),
    NewArray(usize),
    /// Two elements of an array change places, by a generic method that gets their addresses.
    Swap(usize, Box<[Expr; 2]>),
    /// A loop over long arrays.
    Kernel(Box<kernel::Kernel>),
    CopyObject(usize, usize),
    CopyStruct(usize, usize),
    /// A struct by the result of a method.
    MakeStruct(usize, Expr),
    ClearStruct(usize),
}

#[derive(Clone, Debug)]
pub struct Method {
    pub params: Vec<Kind>,
    pub ret: Kind,
    /// Scalars.
    pub locals: Vec<Kind>,
    /// Kinds of the elements.
    pub arrays: Vec<Kind>,
    pub structs: usize,
    pub objects: usize,
    pub counters: usize,
    /// Types of the locals of each kernel.
    pub kernels: Vec<[String; kernel::LOCALS]>,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug)]
pub struct Program {
    pub methods: Vec<Method>,
    /// Arguments for each method are made from these.
    pub arguments: Vec<u64>,
}

impl Expr {
    /// Type on the stack; a call has that of the method.
    pub fn ty(&self, program: &[Method]) -> Ty {
        match self {
            Expr::Const(ty, _) | Expr::Unary(_, ty, _) | Expr::Binary(_, ty, _) => *ty,
            Expr::Load(_, kind) => kind.ty,
            Expr::Choose(of) => of[1].ty(program),
            Expr::Call(m, _) => program[*m].ret.ty,
            Expr::Counter(_) | Expr::Virtual(..) | Expr::Length(_) | Expr::IsDerived(_) => Ty::I4,
            Expr::Fresh(..) | Expr::Delegate(..) | Expr::Closure(_) => Ty::I4,
            Expr::OfStruct(..) | Expr::Initialized(_) => Ty::I4,
            Expr::StructSum(_) => Ty::I8,
            Expr::Generic(of) => of.ty(program),
        }
    }

    /// The expressions in it.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Expr::Const(..)
            | Expr::Counter(_)
            | Expr::Length(_)
            | Expr::IsDerived(_)
            | Expr::Initialized(_)
            | Expr::StructSum(_) => Vec::new(),
            Expr::Load(place, _) => place.index_mut().into_iter().collect(),
            Expr::Unary(_, _, a)
            | Expr::Virtual(_, _, a)
            | Expr::Delegate(_, a)
            | Expr::OfStruct(_, _, a)
            | Expr::Generic(a) => vec![a],
            Expr::Binary(_, _, of) | Expr::Fresh(_, of) | Expr::Closure(of) => {
                of.iter_mut().collect()
            }
            Expr::Choose(of) => of.iter_mut().collect(),
            Expr::Call(_, args) => args.iter_mut().collect(),
        }
    }
}

impl Place {
    fn index_mut(&mut self) -> Option<&mut Expr> {
        match self {
            Place::Element(_, index) | Place::ElementAddress(_, index) => Some(index),
            _ => None,
        }
    }
}

impl Stmt {
    /// The expressions that stand directly in it.
    pub fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Stmt::Hash(e)
            | Stmt::Return(e)
            | Stmt::Switch(e, _)
            | Stmt::While(_, e, _)
            | Stmt::MakeStruct(_, e) => vec![e],
            Stmt::Swap(_, of) => of.iter_mut().collect(),
            Stmt::Set(place, _, e) => place.index_mut().into_iter().chain([e]).collect(),
            Stmt::If(_, of, _) => of.iter_mut().collect(),
            Stmt::Try(_, catches) => {
                let filters = catches.iter_mut().filter_map(|(c, _)| match c {
                    Catch::Filter(e) => Some(e),
                    Catch::Class(_) => None,
                });
                filters.collect()
            }
            _ => Vec::new(),
        }
    }

    /// The lists of statements in it.
    pub fn bodies_mut(&mut self) -> Vec<&mut Vec<Stmt>> {
        match self {
            Stmt::If(_, _, bodies) => bodies.iter_mut().collect(),
            Stmt::Loop(_, _, _, body)
            | Stmt::Each(_, _, body)
            | Stmt::Down(_, _, body)
            | Stmt::While(_, _, body) => vec![body],
            Stmt::Switch(_, cases) => cases.iter_mut().collect(),
            Stmt::Try(body, catches) => {
                let handlers = catches.iter_mut().map(|c| &mut c.1);
                std::iter::once(body).chain(handlers).collect()
            }
            Stmt::Finally(body, _, end) => vec![body, end],
            _ => Vec::new(),
        }
    }
}
