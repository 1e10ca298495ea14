//! What the processor can do.

use shared_codegen::isa::x64::Features;

/// The features of this machine that compiled code can ask for.
pub fn features() -> Features {
    let mut found = Features::empty();
    macro_rules! detect {
        ($($name:tt => $flag:ident),* $(,)?) => {
            $(found.set(Features::$flag, std::arch::is_x86_feature_detected!($name));)*
        };
    }
    detect! {
        "bmi1" => BMI1,
        "bmi2" => BMI2,
        "lzcnt" => LZCNT,
        "avx" => AVX,
        "avx2" => AVX2,
        "fma" => FMA,
    }
    found
}
