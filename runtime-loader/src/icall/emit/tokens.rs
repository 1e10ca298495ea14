//! Tokens in emitted IL.
//!
//! Builders number what they refer to themselves and register the objects; what a token means is found out when code that
//! uses it is compiled, because only then everything it refers to is finished.

use super::{growth, members, signature};
use crate::icall::{Result, Thrown, icalls, managed};
use crate::object::{Handle, Obj};
use crate::runtime;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::metadata::{StandAloneSig, TableId, Token};
use shared_codegen::types::{Member, ModuleId, TokenBinder};

icalls! {
    "System.Reflection.Emit.ModuleBuilder" {
        "GetRegisteredToken" => registered(Obj, u32) -> Obj;
        "RegisterToken" => register(Obj, Obj, u32);
        "getMethodToken" => method_token(Obj, Obj, Obj) -> u32;
        "getToken" => token(Obj, Obj, bool) -> u32;
        "getUSIndex" => string_token(Obj, Obj) -> u32;
    }
}

/// Objects by module and token. They stay: `Module.ResolveMember` asks for them at any time.
pub(super) type Registered = Mutex<FxHashMap<(ModuleId, Token), Handle>>;

/// Finds the meaning of registered tokens.
pub(super) struct Binder;

impl TokenBinder for Binder {
    fn bind(&self, module: ModuleId, token: Token) -> Option<Member> {
        let rt = runtime::get();
        let object = rt.emit.tokens.lock().get(&(module, token))?.target();
        members::member_of(object, token).ok()
    }
}

extern "C" fn register(module: Obj, object: Obj, token: u32) {
    managed(|| {
        let module = members::module_of(module)?;
        let mut tokens = runtime::get().emit.tokens.lock();
        tokens.insert((module, Token(token)), Handle::strong(object));
        Ok(())
    });
}

extern "C" fn registered(module: Obj, token: u32) -> Obj {
    managed(|| {
        let module = members::module_of(module)?;
        let tokens = runtime::get().emit.tokens.lock();
        let found = tokens.get(&(module, Token(token)));
        Ok(found.map_or(Obj::NULL, |h| h.target()))
    })
}

/// The token of a string in a growing module.
pub(super) fn of_string(module: ModuleId, s: Obj) -> Result<Token> {
    let item = growth(module)?.item(&members::utf16_bytes(s));
    Ok(Token::new(TableId::USER_STRING, item))
}

/// The token of anything that is finished, or of a signature.
pub(super) fn of_object(module: ModuleId, object: Obj, open: bool) -> Result<Token> {
    let types = &runtime::get().types;
    let object = object
        .non_null()
        .ok_or_else(|| Thrown::argument_null("member"))?;
    match members::class_of(object).1 {
        "String" => of_string(module, object),
        "SignatureHelper" => of_signature(module, &signature::blob(module, object)?),
        _ => {
            let table = if open { TableId(0) } else { TableId(0x01) };
            let member = members::member_of(object, Token::new(table, 0))?;
            Ok(types.token_for(module, member))
        }
    }
}

extern "C" fn token(module: Obj, object: Obj, open: bool) -> u32 {
    managed(|| Ok(of_object(members::module_of(module)?, object, open)?.0))
}

extern "C" fn method_token(module: Obj, method: Obj, optional: Obj) -> u32 {
    managed(|| {
        if !optional.is_null() {
            return Err(Thrown::not_supported(
                "Calls with variable arguments cannot be emitted.",
            ));
        }
        Ok(of_object(members::module_of(module)?, method, true)?.0)
    })
}

extern "C" fn string_token(module: Obj, s: Obj) -> u32 {
    managed(|| Ok(of_string(members::module_of(module)?, s)?.0))
}

/// The token of a stand-alone signature with this blob.
pub(super) fn of_signature(module: ModuleId, blob: &[u8]) -> Result<Token> {
    let growth = growth(module)?;
    let signature = growth.bytes(blob);
    Ok(growth.add(&StandAloneSig { signature }).token())
}
