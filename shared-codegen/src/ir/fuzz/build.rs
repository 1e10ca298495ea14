//! From statement trees to IR.

use super::program::{FLOATS, Handler, INTS, Program, SLOT_BYTES, Stmt};
use crate::abi::fixup::Fixup;
use crate::abi::layout;
use crate::ir::{
    AliasClass, Block, Function, FunctionBuilder, Imm, MemRef, MemType, Op, Region, RegionData,
    RegionKind, Signature, Slot, SlotData, Type, Value, Var, target,
};
use crate::types::{MethodId, TypeId};

/// The method without body that programs call: `(i64)`.
const LOG: MethodId = MethodId(100);
/// Type of the objects.
const OBJECT: TypeId = TypeId(5);
/// Type of the arrays.
const ARRAY: TypeId = TypeId(9);
/// Elements of an array.
const LENGTH: i64 = 8;

/// The function `method#1 (i32, i64, f64) -> i64` of a program; the result mixes all variables.
pub fn build(program: &Program) -> Function {
    let sig = Signature {
        params: vec![Type::I32, Type::I64, Type::F64],
        ret: Some(Type::I64),
        ..Signature::default()
    };
    let mut f = Function::new("random", sig);
    f.method = Some(MethodId(1));
    let mut b = FunctionBuilder::new(f);
    let entry = b.create_entry();
    let mut vars = |ty, n: usize| (0..n).map(|_| b.new_var(ty)).collect::<Vec<Var>>();
    let mut g = Gen {
        i32: vars(Type::I32, INTS),
        i64: vars(Type::I64, INTS),
        f64: vars(Type::F64, FLOATS),
        reference: b.new_var(Type::Ref),
        slot: b.func.add_slot(SlotData {
            size: SLOT_BYTES,
            align: 8,
            ty: None,
            zeroed: true,
            eh: None,
        }),
        exits: Vec::new(),
        b,
    };
    let params: Vec<Value> = (0..3).map(|n| g.b.param(entry, n)).collect();
    for (var, value) in [g.i32[0], g.i64[0], g.f64[0]].into_iter().zip(params) {
        g.b.def_var(var, value);
    }
    // Zeros would end most programs at their first division.
    for n in 1..INTS {
        let (x, y) = (g.b.i32(3 * n as i32), g.b.i64(-5 * n as i64));
        g.set(Type::I32, n, x);
        g.set(Type::I64, n, y);
    }
    let start = g.b.create_block();
    g.b.jump(start, &[]);
    g.b.seal(start);
    g.b.switch_to(start);
    g.list(&program.body);
    g.finish();
    g.b.finish()
}

struct Gen {
    b: FunctionBuilder,
    i32: Vec<Var>,
    i64: Vec<Var>,
    f64: Vec<Var>,
    reference: Var,
    slot: Slot,
    /// Exits of the loops around.
    exits: Vec<Block>,
}

impl Gen {
    fn var(&self, ty: Type, n: usize) -> Var {
        match ty {
            Type::I32 => self.i32[n],
            Type::I64 => self.i64[n],
            _ => self.f64[n],
        }
    }

    fn get(&mut self, ty: Type, n: usize) -> Value {
        self.b.use_var(self.var(ty, n))
    }

    fn set(&mut self, ty: Type, n: usize, v: Value) {
        self.b.def_var(self.var(ty, n), v);
    }

    fn emit(&mut self, op: Op, ty: Type, args: &[Value]) -> Value {
        let v = self.b.emit(op, ty, args, Imm::None);
        v.expect("the op has a result")
    }

    fn list(&mut self, body: &[Stmt]) {
        for s in body {
            if self.b.is_terminated() {
                return;
            }
            self.stmt(s);
        }
    }

    /// Returns a mixture of all variables, if control gets here.
    fn finish(&mut self) {
        if self.b.is_terminated() {
            return;
        }
        let mut sum = self.b.slot_load(self.slot, 8, MemType::I64);
        for n in 0..INTS {
            let (x, y) = (self.get(Type::I32, n), self.get(Type::I64, n));
            let x = self.b.sext32(x);
            let three = self.b.i64(3);
            sum = self.b.imul(sum, three);
            sum = self.b.iadd(sum, x);
            sum = self.b.xor(sum, y);
        }
        for n in 0..FLOATS {
            // NaNs are all one.
            let x = self.get(Type::F64, n);
            let zero = self.b.f64(0.5);
            let ordered = self.b.fcmp(crate::ir::FloatCc::Ord, x, x);
            let x = self.b.select(ordered, x, zero);
            let bits = self.b.convert(Op::Bitcast, Type::I64, x);
            sum = self.b.iadd(sum, bits);
        }
        self.b.ret(Some(sum));
    }

    fn stmt(&mut self, s: &Stmt) {
        match *s {
            Stmt::Int(op, ty, d, a, b) => {
                let (a, b) = (self.get(ty, a), self.get(ty, b));
                let v = self.emit(op, ty, &[a, b]);
                self.set(ty, d, v);
            }
            Stmt::IntConst(op, ty, d, a, n) => {
                let (a, n) = (self.get(ty, a), self.b.iconst(ty, n));
                let v = self.emit(op, ty, &[a, n]);
                self.set(ty, d, v);
            }
            Stmt::Shift(op, ty, d, a, b) => {
                let (a, b) = (self.get(ty, a), self.get(Type::I32, b));
                let v = self.emit(op, ty, &[a, b]);
                self.set(ty, d, v);
            }
            Stmt::Unary(op, ty, d, a) => {
                let a = self.get(ty, a);
                let v = self.emit(op, ty, &[a]);
                self.set(ty, d, v);
            }
            Stmt::Icmp(cc, ty, d, a, b) => {
                let (a, b) = (self.get(ty, a), self.get(ty, b));
                let v = self.b.icmp(cc, a, b);
                self.set(Type::I32, d, v);
            }
            Stmt::Fcmp(cc, d, a, b) => {
                let (a, b) = (self.get(Type::F64, a), self.get(Type::F64, b));
                let v = self.b.fcmp(cc, a, b);
                self.set(Type::I32, d, v);
            }
            Stmt::Select(ty, d, c, a, b) => {
                let (c, a, b) = (self.get(Type::I32, c), self.get(ty, a), self.get(ty, b));
                let v = self.b.select(c, a, b);
                self.set(ty, d, v);
            }
            Stmt::Float(op, d, a, b) => {
                let (a, b) = (self.get(Type::F64, a), self.get(Type::F64, b));
                let v = self.emit(op, Type::F64, &[a, b]);
                self.set(Type::F64, d, v);
            }
            Stmt::FloatConst(d, bits) => {
                let v = self.b.f64(f64::from_bits(bits));
                self.set(Type::F64, d, v);
            }
            Stmt::Convert(op, ty, d, from, a) => self.convert(op, ty, d, from, a),
            Stmt::ConvOvf(d, a, n) => {
                let a = self.get(Type::I64, a);
                let ty = if n >= 6 { Type::I64 } else { Type::I32 };
                let v = self.b.emit(Op::ConvOvfS, ty, &[a], Imm::Int(n));
                self.set(ty, d, v.expect("the op has a result"));
            }
            _ => self.memory(s),
        }
    }

    fn convert(&mut self, op: Op, ty: Type, d: usize, from: Type, a: usize) {
        let mut a = self.get(from, a);
        if op == Op::Bitcast {
            // NaNs are all one.
            let one = self.b.f64(1.0);
            let ordered = self.b.fcmp(crate::ir::FloatCc::Ord, a, a);
            a = self.b.select(ordered, a, one);
        }
        let v = self.emit(op, ty, &[a]);
        self.set(ty, d, v);
    }

    fn memory(&mut self, s: &Stmt) {
        let field = |offset: u32| MemRef {
            offset: layout::object::HEADER as i32 + offset as i32,
            ty: MemType::I64,
            alias: AliasClass::Field(offset),
            volatile: false,
        };
        match *s {
            Stmt::SlotStore(by_address, offset, a) => {
                let v = self.get(Type::I64, a);
                if by_address {
                    let (at, mem) = self.slot_address(offset);
                    self.b.store(at, v, mem);
                } else {
                    self.b.slot_store(self.slot, offset as i32, MemType::I64, v);
                }
            }
            Stmt::SlotLoad(by_address, offset, d) => {
                let v = if by_address {
                    let (at, mem) = self.slot_address(offset);
                    self.b.load(at, mem)
                } else {
                    self.b.slot_load(self.slot, offset as i32, MemType::I64)
                };
                self.set(Type::I64, d, v);
            }
            Stmt::Call(a) => {
                let v = self.get(Type::I64, a);
                let sig = Signature {
                    params: vec![Type::I64],
                    ..Signature::default()
                };
                self.b.call(Op::Call, Some(LOG), &sig, &[v]);
            }
            Stmt::NewObject(real) => {
                let v = if real {
                    let table = self.b.fixup(Fixup::MethodTable(OBJECT));
                    let v = self.b.type_op(Op::NewObject, &[table], OBJECT);
                    v.expect("the op has a result")
                } else {
                    self.b.null(Type::Ref)
                };
                self.b.def_var(self.reference, v);
            }
            Stmt::StoreField(offset, a) => {
                let (object, v) = (self.b.use_var(self.reference), self.get(Type::I64, a));
                self.b.null_check(object);
                self.b.store(object, v, field(offset));
            }
            Stmt::LoadField(offset, d) => {
                let object = self.b.use_var(self.reference);
                self.b.null_check(object);
                let v = self.b.load(object, field(offset));
                self.set(Type::I64, d, v);
            }
            Stmt::Array(d, a, b) => self.array(d, a, b),
            _ => self.control(s),
        }
    }

    fn slot_address(&mut self, offset: u32) -> (Value, MemRef) {
        let base = self.b.slot_addr(self.slot, 0);
        let at = self.b.addr_offset(base, offset as i64);
        let mem = MemRef {
            offset: 0,
            ty: MemType::I64,
            alias: AliasClass::Stack,
            volatile: false,
        };
        (at, mem)
    }

    fn array(&mut self, d: usize, a: usize, b: usize) {
        let table = self.b.fixup(Fixup::MethodTable(ARRAY));
        let length = self.b.i64(LENGTH);
        let array = self.b.type_op(Op::NewArray, &[table, length], ARRAY);
        let array = array.expect("the op has a result");
        let (index, value) = (self.get(Type::I32, a), self.get(Type::I64, b));
        let index = self.b.sext32(index);
        let length = self.b.array_len(array);
        self.b.bounds_check(index, length);
        let at = self.b.addr_index(array, index, 8, layout::array::DATA);
        let mem = MemRef {
            offset: 0,
            ty: MemType::I64,
            alias: AliasClass::Element(MemType::I64),
            volatile: false,
        };
        self.b.store(at, value, mem);
        let v = self.b.load(at, mem);
        let v = self.b.iadd(v, index);
        self.set(Type::I64, d, v);
    }

    // ---- control

    fn control(&mut self, s: &Stmt) {
        match s {
            Stmt::Return => self.finish(),
            Stmt::Break => {
                if let Some(&exit) = self.exits.last() {
                    self.b.jump(exit, &[]);
                }
            }
            Stmt::If(c, then, otherwise) => {
                let c = self.get(Type::I32, *c);
                let (x, y, end) = self.three_blocks();
                self.b.brif(c, target(x, &[]), target(y, &[]));
                self.branch(x, then, end);
                self.branch(y, otherwise, end);
                self.join(end);
            }
            Stmt::Loop(times, body) => self.counted(*times, body),
            Stmt::Switch(c, cases) => {
                let c = self.get(Type::I32, *c);
                let blocks: Vec<Block> = cases.iter().map(|_| self.b.create_block()).collect();
                let end = self.b.create_block();
                let targets = blocks.iter().map(|&x| target(x, &[])).collect();
                self.b.switch(c, targets);
                for (&x, body) in blocks.iter().zip(cases) {
                    self.branch(x, body, end);
                }
                self.join(end);
            }
            Stmt::Try(handler, body, rest) => self.protected(handler, body, rest),
            _ => {}
        }
    }

    fn three_blocks(&mut self) -> (Block, Block, Block) {
        let mut new = || self.b.create_block();
        (new(), new(), new())
    }

    /// Fills a block whose predecessors are known; it goes on at `end`.
    fn branch(&mut self, block: Block, body: &[Stmt], end: Block) {
        self.b.seal(block);
        self.b.switch_to(block);
        self.list(body);
        if !self.b.is_terminated() {
            self.b.jump(end, &[]);
        }
    }

    /// Goes on in a block all of whose predecessors are there, if any.
    fn join(&mut self, block: Block) {
        self.b.seal(block);
        self.b.switch_to(block);
        if !self.b.has_preds(block) {
            // What follows cannot be reached; it only has to end.
            self.b.trap(crate::abi::trap::TrapKind::InvalidProgram);
        }
    }

    fn counted(&mut self, times: u32, body: &[Stmt]) {
        let counter = self.b.new_var(Type::I32);
        let start = self.b.i32(times as i32);
        self.b.def_var(counter, start);
        let (head, inside, exit) = self.three_blocks();
        self.b.jump(head, &[]);
        self.b.switch_to(head);
        let n = self.b.use_var(counter);
        self.b.brif(n, target(inside, &[]), target(exit, &[]));
        self.exits.push(exit);
        self.b.seal(inside);
        self.b.switch_to(inside);
        let one = self.b.i32(1);
        let n = self.b.isub(n, one);
        self.b.def_var(counter, n);
        self.list(body);
        if !self.b.is_terminated() {
            self.b.jump(head, &[]);
        }
        self.exits.pop();
        self.b.seal(head);
        self.join(exit);
    }

    fn protected(&mut self, handler: &Handler, body: &[Stmt], rest: &[Stmt]) {
        let parent = self.b.region();
        let (landing, catch, end) = self.three_blocks();
        let filter = matches!(handler, Handler::Filter(_)).then(|| self.b.create_block());
        let region = self.add_region(handler, catch, filter, parent);
        self.b.jump(landing, &[]);
        self.b.seal(landing);
        self.b.switch_to(landing);
        self.b.set_region(Some(region));
        let inside = self.b.create_block();
        self.b.jump(inside, &[]);
        self.branch(inside, body, end);
        self.b.set_region(parent);
        if let (Some(filter), Handler::Filter(c)) = (filter, handler) {
            self.b.set_handler_pred(filter, landing);
            self.b.switch_to(filter);
            let c = self.get(Type::I32, *c);
            self.b.end_filter(c);
        }
        self.b.set_handler_pred(catch, landing);
        self.b.switch_to(catch);
        self.list(rest);
        if !self.b.is_terminated() {
            match handler {
                Handler::Fault => self.b.resume_unwind(region),
                _ => self.b.jump(end, &[]),
            }
        }
        self.join(end);
    }

    fn add_region(
        &mut self,
        handler: &Handler,
        block: Block,
        filter: Option<Block>,
        parent: Option<Region>,
    ) -> Region {
        let f = &mut self.b.func;
        let region = Region(f.regions.len() as u32);
        let eh_slot = f.add_slot(SlotData {
            size: layout::frame::EH_SLOT_SIZE,
            align: 8,
            ty: None,
            zeroed: false,
            eh: Some(region),
        });
        let kind = match (handler, filter) {
            (Handler::Filter(_), Some(b)) => RegionKind::Filter(b),
            (Handler::Catch(0), _) => RegionKind::Catch(TypeId(0)),
            (Handler::Catch(n), _) => RegionKind::Catch(TypeId(1000 + n)),
            _ => RegionKind::Fault,
        };
        f.regions.push(RegionData {
            parent,
            kind,
            handler: block,
            eh_slot,
        });
        region
    }
}
