//! `System.Math` and `System.MathF` where no instruction does it.

use super::icalls;

icalls! {
    "System.Math" {
        "Abs(double)" => abs(f64) -> f64;
        "Abs(single)" => abs_f(f32) -> f32;
        "Acos" => acos(f64) -> f64;
        "Acosh" => acosh(f64) -> f64;
        "Asin" => asin(f64) -> f64;
        "Asinh" => asinh(f64) -> f64;
        "Atan" => atan(f64) -> f64;
        "Atan2" => atan2(f64, f64) -> f64;
        "Atanh" => atanh(f64) -> f64;
        "Cbrt" => cbrt(f64) -> f64;
        "Ceiling" => ceil(f64) -> f64;
        "Cos" => cos(f64) -> f64;
        "Cosh" => cosh(f64) -> f64;
        "Exp" => exp(f64) -> f64;
        "FMod" => fmod(f64, f64) -> f64;
        "Floor" => floor(f64) -> f64;
        "Log" => log(f64) -> f64;
        "Log10" => log10(f64) -> f64;
        "ModF" => modf(f64, *mut f64) -> f64;
        "Pow" => pow(f64, f64) -> f64;
        "Round" => round(f64) -> f64;
        "Sin" => sin(f64) -> f64;
        "Sinh" => sinh(f64) -> f64;
        "Sqrt" => sqrt(f64) -> f64;
        "Tan" => tan(f64) -> f64;
        "Tanh" => tanh(f64) -> f64;
    }
    "System.MathF" {
        "Acos" => acos_f(f32) -> f32;
        "Acosh" => acosh_f(f32) -> f32;
        "Asin" => asin_f(f32) -> f32;
        "Asinh" => asinh_f(f32) -> f32;
        "Atan" => atan_f(f32) -> f32;
        "Atan2" => atan2_f(f32, f32) -> f32;
        "Atanh" => atanh_f(f32) -> f32;
        "Cbrt" => cbrt_f(f32) -> f32;
        "Ceiling" => ceil_f(f32) -> f32;
        "Cos" => cos_f(f32) -> f32;
        "Cosh" => cosh_f(f32) -> f32;
        "Exp" => exp_f(f32) -> f32;
        "FMod" => fmod_f(f32, f32) -> f32;
        "Floor" => floor_f(f32) -> f32;
        "Log" => log_f(f32) -> f32;
        "Log10" => log10_f(f32) -> f32;
        "ModF(single,single*)" => modf_f(f32, *mut f32) -> f32;
        "Pow" => pow_f(f32, f32) -> f32;
        "Sin" => sin_f(f32) -> f32;
        "Sinh" => sinh_f(f32) -> f32;
        "Sqrt" => sqrt_f(f32) -> f32;
        "Tan" => tan_f(f32) -> f32;
        "Tanh" => tanh_f(f32) -> f32;
    }
}

// The C library's functions, whose results programs know; Rust has its own for some.
unsafe extern "C" {
    #[link_name = "acosh"]
    safe fn c_acosh(x: f64) -> f64;
    #[link_name = "asinh"]
    safe fn c_asinh(x: f64) -> f64;
    #[link_name = "atanh"]
    safe fn c_atanh(x: f64) -> f64;
    #[link_name = "acoshf"]
    safe fn c_acosh_f(x: f32) -> f32;
    #[link_name = "asinhf"]
    safe fn c_asinh_f(x: f32) -> f32;
    #[link_name = "atanhf"]
    safe fn c_atanh_f(x: f32) -> f32;
}

macro_rules! functions {
    ($($name:ident($x:ident: $t:ty $(, $y:ident: $u:ty)?) = $body:expr;)*) => {
        $(extern "C" fn $name($x: $t $(, $y: $u)?) -> $t { $body })*
    };
}

functions! {
    abs(x: f64) = x.abs();
    acos(x: f64) = x.acos();
    acosh(x: f64) = c_acosh(x);
    asin(x: f64) = x.asin();
    asinh(x: f64) = c_asinh(x);
    atan(x: f64) = x.atan();
    atan2(y: f64, x: f64) = if y.is_infinite() && x.is_infinite() { f64::NAN } else { y.atan2(x) };
    atanh(x: f64) = c_atanh(x);
    cbrt(x: f64) = x.cbrt();
    ceil(x: f64) = x.ceil();
    cos(x: f64) = x.cos();
    cosh(x: f64) = x.cosh();
    exp(x: f64) = x.exp();
    fmod(x: f64, y: f64) = x % y;
    floor(x: f64) = x.floor();
    log(x: f64) = x.ln();
    log10(x: f64) = x.log10();
    pow(x: f64, y: f64) = power(x, y);
    round(x: f64) = x.round_ties_even();
    sin(x: f64) = x.sin();
    sinh(x: f64) = x.sinh();
    sqrt(x: f64) = x.sqrt();
    tan(x: f64) = x.tan();
    tanh(x: f64) = x.tanh();
    abs_f(x: f32) = x.abs();
    acos_f(x: f32) = x.acos();
    acosh_f(x: f32) = c_acosh_f(x);
    asin_f(x: f32) = x.asin();
    asinh_f(x: f32) = c_asinh_f(x);
    atan_f(x: f32) = x.atan();
    atan2_f(y: f32, x: f32) = y.atan2(x);
    atanh_f(x: f32) = c_atanh_f(x);
    cbrt_f(x: f32) = x.cbrt();
    ceil_f(x: f32) = x.ceil();
    cos_f(x: f32) = x.cos();
    cosh_f(x: f32) = x.cosh();
    exp_f(x: f32) = x.exp();
    fmod_f(x: f32, y: f32) = x % y;
    floor_f(x: f32) = x.floor();
    log_f(x: f32) = x.ln();
    log10_f(x: f32) = x.log10();
    pow_f(x: f32, y: f32) = x.powf(y);
    sin_f(x: f32) = x.sin();
    sinh_f(x: f32) = x.sinh();
    sqrt_f(x: f32) = x.sqrt();
    tan_f(x: f32) = x.tan();
    tanh_f(x: f32) = x.tanh();
}

/// `Math.Pow` differs from C where .NET Framework did: not-a-number always wins, and ±1 to infinity is none.
fn power(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() || (x == -1.0 && y.is_infinite()) {
        return f64::NAN;
    }
    x.powf(y)
}

extern "C" fn modf(x: f64, whole: *mut f64) -> f64 {
    // SAFETY: the address of the caller's local.
    unsafe { whole.write(x.trunc()) };
    if x.is_infinite() {
        return 0f64.copysign(x);
    }
    x.fract()
}

extern "C" fn modf_f(x: f32, whole: *mut f32) -> f32 {
    // SAFETY: the address of the caller's local.
    unsafe { whole.write(x.trunc()) };
    if x.is_infinite() {
        return 0f32.copysign(x);
    }
    x.fract()
}
