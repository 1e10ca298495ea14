//! Makes a program smaller that shows a difference, as long as it does: statements go, blocks take the place of what they stand in,
//! expressions become their operands or constants.

use super::{Expr, Method, Program, Stmt, Ty};

/// Attempts after which what is left is good enough.
const MAX_ATTEMPTS: usize = 1500;

/// A smaller program for which `fails` holds too.
pub fn reduce(program: &Program, fails: &mut dyn FnMut(&Program) -> bool) -> Program {
    let mut r = Reducer {
        best: program.clone(),
        fails,
        attempts: 0,
    };
    loop {
        let before = r.attempts;
        let progress = [
            r.empty_methods(),
            r.remove_statements(),
            r.unwrap_statements(),
            r.simplify_expressions(),
        ];
        if !progress.contains(&true) || before == r.attempts {
            return r.best;
        }
    }
}

struct Reducer<'a> {
    best: Program,
    fails: &'a mut dyn FnMut(&Program) -> bool,
    attempts: usize,
}

/// Calls `f` with every list of statements of a method, outer ones first.
fn each_list(body: &mut Vec<Stmt>, f: &mut dyn FnMut(&mut Vec<Stmt>)) {
    f(body);
    for s in body {
        s.bodies_mut().into_iter().for_each(|b| each_list(b, f));
    }
}

fn each_expr(e: &mut Expr, f: &mut dyn FnMut(&mut Expr)) {
    f(e);
    e.children_mut().into_iter().for_each(|c| each_expr(c, f));
}

fn count(f: impl FnOnce(&mut dyn FnMut())) -> usize {
    let mut n = 0;
    f(&mut || n += 1);
    n
}

impl Reducer<'_> {
    /// Changes a copy; keeps it if it still fails.
    fn attempt(&mut self, change: impl FnOnce(&mut Program) -> bool) -> bool {
        if self.attempts >= MAX_ATTEMPTS {
            return false;
        }
        let mut smaller = self.best.clone();
        if !change(&mut smaller) {
            return false;
        }
        self.attempts += 1;
        let kept = (self.fails)(&smaller);
        if kept {
            self.best = smaller;
        }
        kept
    }

    fn empty_methods(&mut self) -> bool {
        let mut progress = false;
        for n in (0..self.best.methods.len()).rev() {
            progress |= self.attempt(|p| {
                let m = &mut p.methods[n];
                let emptied = !m.body.is_empty();
                m.body.clear();
                m.arrays.clear();
                emptied
            });
            let is_last = n + 1 == self.best.methods.len();
            progress |= is_last && n > 0 && self.attempt(|p| p.methods.pop().is_some());
        }
        progress
    }

    fn list_count(&mut self) -> usize {
        let methods = &mut self.best.methods;
        count(|tick| {
            for m in methods {
                each_list(&mut m.body, &mut |_| tick());
            }
        })
    }

    /// Changes the `n`th list of statements.
    fn change_list(&mut self, n: usize, change: impl FnOnce(&mut Vec<Stmt>) -> bool) -> bool {
        self.attempt(|p| {
            let mut at = 0;
            let mut change = Some(change);
            let mut changed = false;
            for m in &mut p.methods {
                each_list(&mut m.body, &mut |list| {
                    if at == n
                        && let Some(change) = change.take()
                    {
                        changed = change(list);
                    }
                    at += 1;
                });
            }
            changed
        })
    }

    /// Takes out runs of statements, long ones first.
    fn remove_statements(&mut self) -> bool {
        let mut progress = false;
        for size in [16, 8, 4, 2, 1] {
            let mut n = 0;
            while n < self.list_count() {
                let mut from = 0;
                loop {
                    let mut end = false;
                    let gone = self.change_list(n, |list| {
                        end = from >= list.len();
                        let to = (from + size).min(list.len());
                        !end && list.drain(from..to).next().is_some()
                    });
                    if end || self.attempts >= MAX_ATTEMPTS {
                        break;
                    }
                    progress |= gone;
                    from += if gone { 0 } else { size };
                }
                n += 1;
            }
        }
        progress
    }

    /// Puts what stands in a statement in its place.
    fn unwrap_statements(&mut self) -> bool {
        let mut progress = false;
        let mut n = 0;
        while n < self.list_count() {
            let mut at = 0;
            loop {
                let mut end = false;
                let gone = self.change_list(n, |list| {
                    end = at >= list.len();
                    if end || list[at].bodies_mut().is_empty() {
                        return false;
                    }
                    let mut inner = Vec::new();
                    for body in list[at].bodies_mut() {
                        inner.append(body);
                    }
                    list.splice(at..=at, inner);
                    true
                });
                if end || self.attempts >= MAX_ATTEMPTS {
                    break;
                }
                progress |= gone;
                at += usize::from(!gone);
            }
            n += 1;
        }
        progress
    }

    fn simplify_expressions(&mut self) -> bool {
        let mut progress = false;
        let mut n = 0;
        loop {
            let mut found = false;
            for way in 0..4 {
                progress |= self.attempt(|p| {
                    let methods: Vec<Method> = p.methods.clone();
                    let mut at = 0;
                    let mut changed = false;
                    let mut visit = |e: &mut Expr| {
                        if at == n {
                            found = true;
                            changed = simplify(e, way, &methods);
                        }
                        at += 1;
                    };
                    for m in &mut p.methods {
                        each_list(&mut m.body, &mut |list| {
                            for s in list {
                                for e in s.exprs_mut() {
                                    each_expr(e, &mut visit);
                                }
                            }
                        });
                    }
                    changed
                });
            }
            if !found || self.attempts >= MAX_ATTEMPTS {
                return progress;
            }
            n += 1;
        }
    }
}

/// Makes an expression a constant, or one of its operands of the same type.
fn simplify(e: &mut Expr, way: usize, methods: &[Method]) -> bool {
    let ty = e.ty(methods);
    if way == 0 {
        let is_constant = matches!(e, Expr::Const(..));
        let one = match ty {
            Ty::I4 | Ty::I8 => 1,
            Ty::R4 | Ty::R8 => 1.0_f64.to_bits(),
        };
        *e = Expr::Const(ty, one);
        return !is_constant;
    }
    // The other ways take the first, second or third operand of the same type.
    let operands = e.children_mut().into_iter();
    let mut fit = operands.filter(|c| c.ty(methods) == ty);
    match fit.nth(way - 1).map(|c| c.clone()) {
        Some(operand) => {
            *e = operand;
            true
        }
        None => false,
    }
}
