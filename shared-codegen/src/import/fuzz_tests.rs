//! Damaged IL: bodies of mscorlib with a few bytes changed are imported or refused, and what is imported is well formed.

use super::{ImportOptions, Importer, ir_signature};
use crate::il::{ClauseKind, MethodBody, are_sound};
use crate::ir::Function;
use crate::ir::verify::{VerifyOptions, verify};
use crate::types::{MethodId, TypeContext, binding};

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

fn damage(code: &[u8], random: &mut Random) -> &'static [u8] {
    let mut code = code.to_vec();
    for _ in 0..1 + random.below(3) {
        let at = random.below(code.len());
        match random.below(4) {
            0 => code[at] = random.below(256) as u8,
            1 => code[at] ^= 1 << random.below(8),
            2 => code[at] = code[random.below(code.len())],
            _ => code.truncate(at.max(1)),
        }
    }
    code.leak()
}

/// Moves a boundary of a clause somewhere else, or changes what the clause is.
fn damage_clause(body: &mut MethodBody, random: &mut Random) {
    let (count, size) = (body.clauses.len(), body.code.len());
    if count == 0 || random.below(2) == 0 {
        return;
    }
    let old = body.clauses.clone();
    let c = &mut body.clauses[random.below(count)];
    let at = random.below(size + 1) as u32;
    match random.below(6) {
        0 => c.try_start = at.min(c.try_end),
        1 => c.try_end = at.max(c.try_start),
        2 => c.handler_start = at.min(c.handler_end),
        3 => c.handler_end = at.max(c.handler_start),
        4 => c.kind = ClauseKind::Finally,
        _ => c.kind = ClauseKind::Filter(at.min(c.handler_start)),
    }
    // The reader refuses these.
    if !are_sound(&body.clauses, size) {
        body.clauses = old;
    }
}

/// Imports `method` with this body; the reason if the result is not well formed.
fn import(ctx: &TypeContext, method: MethodId, body: MethodBody) -> Option<String> {
    let signature = *ctx.method_signature(method).ok()?;
    let sig = ir_signature(ctx, method, &signature).ok()?;
    let mut function = Function::new(ctx.method_full_name(method), sig);
    function.method = Some(method);
    let options = ImportOptions::default();
    let importer = Importer::new(ctx, method, signature, body, function, options).ok()?;
    let imported = importer.run().ok()?;
    let fault = verify(&imported, VerifyOptions::CLI).err()?;
    if std::env::var_os("FUZZ_SHOW").is_some() {
        eprintln!("{imported}");
    }
    Some(fault.to_string())
}

#[test]
fn damaged_bodies() {
    let path = binding::SearchPath::system(None);
    let Ok(ctx) = TypeContext::new(Box::new(binding::StandardBinder::reading(path))) else {
        return;
    };
    let rounds = std::env::var("FUZZ_ROUNDS").map_or(1, |n| n.parse().unwrap_or(1));
    let seed = std::env::var("FUZZ_SEED").map_or(7, |n| n.parse().unwrap_or(7));
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
    let mut failures = std::collections::BTreeMap::new();
    let module = ctx.module(ctx.corlib());
    for round in 0..rounds {
        for row in module
            .rows()
            .skip(round % 7)
            .step_by(if rounds > 1 { 1 } else { 9 })
        {
            let def = ctx.type_def(ctx.corlib(), row);
            let count = ctx.generic_count(def) as usize;
            let owner = match count {
                0 => def,
                _ => ctx.instance(def, &vec![ctx.canon(); count]),
            };
            for m in ctx.methods(owner).unwrap_or_default() {
                let args = vec![ctx.canon(); ctx.generic_param_count(m) as usize];
                let m = ctx.with_method_args(m, ctx.list(&args));
                if ctx.method_rva(m) == 0 || ctx.method_is_pinvoke(m) {
                    continue;
                }
                let Ok(mut body) = MethodBody::parse(module, ctx.method_rva(m)) else {
                    continue;
                };
                body.code = damage(body.code, &mut random);
                damage_clause(&mut body, &mut random);
                let shown = body.clone();
                let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    import(&ctx, m, body)
                }));
                let failure = match outcome {
                    Ok(failure) => failure,
                    Err(p) => Some(
                        p.downcast_ref::<String>()
                            .cloned()
                            .unwrap_or_else(|| "panic".to_owned()),
                    ),
                };
                if let Some(why) = failure {
                    let key: String = why
                        .rsplit(": ")
                        .next()
                        .unwrap_or("")
                        .chars()
                        .take(60)
                        .collect();
                    failures
                        .entry(key)
                        .or_insert((0, why, ctx.method_full_name(m), shown.code))
                        .0 += 1;
                }
            }
        }
    }
    for (n, why, method, code) in failures.values() {
        eprintln!(
            "{n} {method}: {} [{code:02x?}]",
            why.chars().take(200).collect::<String>()
        );
    }
    assert!(failures.is_empty());
}
