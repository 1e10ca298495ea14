//! Operation codes by family: one row gives mnemonic and encoding. `form` turns rows into encodings.

/// Mandatory prefix or operand-size prefix of SSE instructions; `pp` field of VEX.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Pfx {
    /// None.
    No,
    /// 66
    P66,
    /// F3
    F3,
    /// F2
    F2,
}

/// Opcode map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Map {
    /// One-byte opcodes.
    One,
    /// 0F
    M0f,
    /// 0F 38
    M0f38,
    /// 0F 3A
    M0f3a,
}

/// A row: mnemonic, prefix, map, opcode, and a number whose meaning the family gives.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// In assembler text.
    pub name: &'static str,
    /// Prefix.
    pub pfx: Pfx,
    /// Map.
    pub map: Map,
    /// Opcode byte.
    pub op: u8,
    /// ModRM digit, bytes of memory operand or store opcode, as the family says.
    pub x: u8,
}

macro_rules! family {
    ($(#[$doc:meta])* $name:ident: $($(#[$vdoc:meta])* $v:ident = $text:literal $pfx:ident $map:ident $op:literal $x:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the names are the processor's")]
        pub enum $name { $($v),* }

        impl $name {
            const ROWS: &'static [Row] = &[$(Row { name: $text, pfx: Pfx::$pfx, map: Map::$map, op: $op, x: $x }),*];
            /// All, in the order of the table.
            pub const ALL: &'static [$name] = &[$($name::$v),*];

            /// The row of the table.
            pub fn row(self) -> &'static Row {
                &Self::ROWS[self as usize]
            }
        }
    };
}

family! {
    /// Two-operand arithmetic; `x` the digit of the immediate form, opcode of the `r/m, r` form.
    AluOp:
    Add = "add" No One 0x00 0;
    Or = "or" No One 0x08 1;
    Adc = "adc" No One 0x10 2;
    Sbb = "sbb" No One 0x18 3;
    And = "and" No One 0x20 4;
    Sub = "sub" No One 0x28 5;
    Xor = "xor" No One 0x30 6;
}
family! {
    /// Comparisons; as `AluOp`.
    CmpOp:
    Cmp = "cmp" No One 0x38 7;
    Test = "test" No One 0x84 0;
}
family! {
    /// One-operand arithmetic; `x` the digit (`bswap`: opcode + register).
    UnOp:
    Not = "not" No One 0xf6 2;
    Neg = "neg" No One 0xf6 3;
    Bswap = "bswap" No M0f 0xc8 0;
}
family! {
    /// Wide multiplication; `x` the digit.
    MulOp:
    Mul = "mul" No One 0xf6 4;
    Imul = "imul" No One 0xf6 5;
}
family! {
    /// Division; `x` the digit.
    DivOp:
    Div = "div" No One 0xf6 6;
    Idiv = "idiv" No One 0xf6 7;
}
family! {
    /// Shifts; `x` the digit.
    ShiftOp:
    Rol = "rol" No One 0xc0 0;
    Ror = "ror" No One 0xc0 1;
    Shl = "shl" No One 0xc0 4;
    Shr = "shr" No One 0xc0 5;
    Sar = "sar" No One 0xc0 7;
}
family! {
    /// Bit searches and counts.
    BitScanOp:
    Bsf = "bsf" No M0f 0xbc 0;
    Bsr = "bsr" No M0f 0xbd 0;
    Popcnt = "popcnt" F3 M0f 0xb8 0;
    Tzcnt = "tzcnt" F3 M0f 0xbc 0;
    Lzcnt = "lzcnt" F3 M0f 0xbd 0;
}
family! {
    /// BMI2 shifts and `bzhi`.
    BmiOp:
    Shlx = "shlx" P66 M0f38 0xf7 0;
    Shrx = "shrx" F2 M0f38 0xf7 0;
    Sarx = "sarx" F3 M0f38 0xf7 0;
    Bzhi = "bzhi" No M0f38 0xf5 0;
}
family! {
    /// BMI1 lowest-bit operations; `x` the digit.
    BlsOp:
    Blsr = "blsr" No M0f38 0xf3 1;
    Blsmsk = "blsmsk" No M0f38 0xf3 2;
    Blsi = "blsi" No M0f38 0xf3 3;
}
family! {
    /// Single-bit changes; opcode of the register form, `x` the digit of the immediate form.
    BitOp:
    Bts = "bts" No M0f 0xab 5;
    Btr = "btr" No M0f 0xb3 6;
    Btc = "btc" No M0f 0xbb 7;
}
family! {
    /// Extensions; `x` the bytes of the source.
    ExtOp:
    Zx8 = "movz" No M0f 0xb6 1;
    Zx16 = "movz" No M0f 0xb7 2;
    Zx32 = "mov" No One 0x8b 4;
    Sx8 = "movs" No M0f 0xbe 1;
    Sx16 = "movs" No M0f 0xbf 2;
    Sx32 = "movs" No One 0x63 4;
}
family! {
    /// SSE loads and stores; opcode of the load, `x` of the store.
    SseMovOp:
    Movss = "movss" F3 M0f 0x10 0x11;
    Movsd = "movsd" F2 M0f 0x10 0x11;
    Movups = "movups" No M0f 0x10 0x11;
    Movupd = "movupd" P66 M0f 0x10 0x11;
    Movaps = "movaps" No M0f 0x28 0x29;
    Movapd = "movapd" P66 M0f 0x28 0x29;
    Movdqa = "movdqa" P66 M0f 0x6f 0x7f;
    Movdqu = "movdqu" F3 M0f 0x6f 0x7f;
}
family! {
    /// Scalar operations with one source; `x` its bytes.
    SseUnOp:
    Sqrtss = "sqrtss" F3 M0f 0x51 4;
    Sqrtsd = "sqrtsd" F2 M0f 0x51 8;
    Cvtss2sd = "cvtss2sd" F3 M0f 0x5a 4;
    Cvtsd2ss = "cvtsd2ss" F2 M0f 0x5a 8;
}
family! {
    /// Packed operations with one source; `x` its bytes.
    SsePackedUnOp:
    Sqrtps = "sqrtps" No M0f 0x51 16;
    Sqrtpd = "sqrtpd" P66 M0f 0x51 16;
    Cvtps2pd = "cvtps2pd" No M0f 0x5a 8;
    Cvtpd2ps = "cvtpd2ps" P66 M0f 0x5a 16;
    Cvtdq2ps = "cvtdq2ps" No M0f 0x5b 16;
    Cvtdq2pd = "cvtdq2pd" F3 M0f 0xe6 8;
    Cvttps2dq = "cvttps2dq" F3 M0f 0x5b 16;
    Cvttpd2dq = "cvttpd2dq" P66 M0f 0xe6 16;
    Pabsd = "pabsd" P66 M0f38 0x1e 16;
    Pmovzxbw = "pmovzxbw" P66 M0f38 0x30 8;
    Pmovzxwd = "pmovzxwd" P66 M0f38 0x33 8;
    Pmovzxbd = "pmovzxbd" P66 M0f38 0x31 4;
    Pmovzxwq = "pmovzxwq" P66 M0f38 0x34 4;
    Pmovzxdq = "pmovzxdq" P66 M0f38 0x35 8;
    Pmovsxbw = "pmovsxbw" P66 M0f38 0x20 8;
    Pmovsxwd = "pmovsxwd" P66 M0f38 0x23 8;
    Pmovsxbd = "pmovsxbd" P66 M0f38 0x21 4;
    Pmovsxwq = "pmovsxwq" P66 M0f38 0x24 4;
    Pmovsxdq = "pmovsxdq" P66 M0f38 0x25 8;
}
family! {
    /// Operations with one source and an immediate; `x` the source's bytes.
    SseUnImmOp:
    Roundss = "roundss" P66 M0f3a 0x0a 4;
    Roundsd = "roundsd" P66 M0f3a 0x0b 8;
    Roundps = "roundps" P66 M0f3a 0x08 16;
    Roundpd = "roundpd" P66 M0f3a 0x09 16;
    Pshufd = "pshufd" P66 M0f 0x70 16;
    Pshuflw = "pshuflw" F2 M0f 0x70 16;
    Pshufhw = "pshufhw" F3 M0f 0x70 16;
}
family! {
    /// Scalar arithmetic; `x` the bytes of the second source.
    SseOp:
    Addss = "addss" F3 M0f 0x58 4;
    Addsd = "addsd" F2 M0f 0x58 8;
    Mulss = "mulss" F3 M0f 0x59 4;
    Mulsd = "mulsd" F2 M0f 0x59 8;
    Subss = "subss" F3 M0f 0x5c 4;
    Subsd = "subsd" F2 M0f 0x5c 8;
    Minss = "minss" F3 M0f 0x5d 4;
    Minsd = "minsd" F2 M0f 0x5d 8;
    Divss = "divss" F3 M0f 0x5e 4;
    Divsd = "divsd" F2 M0f 0x5e 8;
    Maxss = "maxss" F3 M0f 0x5f 4;
    Maxsd = "maxsd" F2 M0f 0x5f 8;
}
family! {
    /// Packed operations; `x` = 16, the bytes of the second source.
    SsePackedOp:
    Addps = "addps" No M0f 0x58 16;
    Addpd = "addpd" P66 M0f 0x58 16;
    Mulps = "mulps" No M0f 0x59 16;
    Mulpd = "mulpd" P66 M0f 0x59 16;
    Subps = "subps" No M0f 0x5c 16;
    Subpd = "subpd" P66 M0f 0x5c 16;
    Minps = "minps" No M0f 0x5d 16;
    Minpd = "minpd" P66 M0f 0x5d 16;
    Divps = "divps" No M0f 0x5e 16;
    Divpd = "divpd" P66 M0f 0x5e 16;
    Maxps = "maxps" No M0f 0x5f 16;
    Maxpd = "maxpd" P66 M0f 0x5f 16;
    Andps = "andps" No M0f 0x54 16;
    Andpd = "andpd" P66 M0f 0x54 16;
    Andnps = "andnps" No M0f 0x55 16;
    Andnpd = "andnpd" P66 M0f 0x55 16;
    Orps = "orps" No M0f 0x56 16;
    Orpd = "orpd" P66 M0f 0x56 16;
    Xorps = "xorps" No M0f 0x57 16;
    Xorpd = "xorpd" P66 M0f 0x57 16;
    Unpcklps = "unpcklps" No M0f 0x14 16;
    Unpcklpd = "unpcklpd" P66 M0f 0x14 16;
    Unpckhps = "unpckhps" No M0f 0x15 16;
    Unpckhpd = "unpckhpd" P66 M0f 0x15 16;
    Haddps = "haddps" F2 M0f 0x7c 16;
    Haddpd = "haddpd" P66 M0f 0x7c 16;
    Pand = "pand" P66 M0f 0xdb 16;
    Pandn = "pandn" P66 M0f 0xdf 16;
    Por = "por" P66 M0f 0xeb 16;
    Pxor = "pxor" P66 M0f 0xef 16;
    Paddb = "paddb" P66 M0f 0xfc 16;
    Paddw = "paddw" P66 M0f 0xfd 16;
    Paddd = "paddd" P66 M0f 0xfe 16;
    Paddq = "paddq" P66 M0f 0xd4 16;
    Psubb = "psubb" P66 M0f 0xf8 16;
    Psubw = "psubw" P66 M0f 0xf9 16;
    Psubd = "psubd" P66 M0f 0xfa 16;
    Psubq = "psubq" P66 M0f 0xfb 16;
    Pmullw = "pmullw" P66 M0f 0xd5 16;
    Pmulld = "pmulld" P66 M0f38 0x40 16;
    Pmuludq = "pmuludq" P66 M0f 0xf4 16;
    Pmuldq = "pmuldq" P66 M0f38 0x28 16;
    Pmaddwd = "pmaddwd" P66 M0f 0xf5 16;
    Pminub = "pminub" P66 M0f 0xda 16;
    Pmaxub = "pmaxub" P66 M0f 0xde 16;
    Pminsw = "pminsw" P66 M0f 0xea 16;
    Pmaxsw = "pmaxsw" P66 M0f 0xee 16;
    Pminsd = "pminsd" P66 M0f38 0x39 16;
    Pmaxsd = "pmaxsd" P66 M0f38 0x3d 16;
    Pminud = "pminud" P66 M0f38 0x3b 16;
    Pmaxud = "pmaxud" P66 M0f38 0x3f 16;
    Pcmpeqb = "pcmpeqb" P66 M0f 0x74 16;
    Pcmpeqw = "pcmpeqw" P66 M0f 0x75 16;
    Pcmpeqd = "pcmpeqd" P66 M0f 0x76 16;
    Pcmpeqq = "pcmpeqq" P66 M0f38 0x29 16;
    Pcmpgtq = "pcmpgtq" P66 M0f38 0x37 16;
    Pcmpgtb = "pcmpgtb" P66 M0f 0x64 16;
    Pcmpgtw = "pcmpgtw" P66 M0f 0x65 16;
    Pcmpgtd = "pcmpgtd" P66 M0f 0x66 16;
    Punpcklbw = "punpcklbw" P66 M0f 0x60 16;
    Punpcklwd = "punpcklwd" P66 M0f 0x61 16;
    Punpckldq = "punpckldq" P66 M0f 0x62 16;
    Punpcklqdq = "punpcklqdq" P66 M0f 0x6c 16;
    Punpckhbw = "punpckhbw" P66 M0f 0x68 16;
    Punpckhwd = "punpckhwd" P66 M0f 0x69 16;
    Punpckhdq = "punpckhdq" P66 M0f 0x6a 16;
    Punpckhqdq = "punpckhqdq" P66 M0f 0x6d 16;
    Packuswb = "packuswb" P66 M0f 0x67 16;
    Packssdw = "packssdw" P66 M0f 0x6b 16;
    Pshufb = "pshufb" P66 M0f38 0x00 16;
}
family! {
    /// Packed operations with an immediate; `x` the bytes of the second source.
    SsePackedImmOp:
    Shufps = "shufps" No M0f 0xc6 16;
    Shufpd = "shufpd" P66 M0f 0xc6 16;
    Palignr = "palignr" P66 M0f3a 0x0f 16;
    Pblendw = "pblendw" P66 M0f3a 0x0e 16;
    Cmpps = "cmpps" No M0f 0xc2 16;
    Cmppd = "cmppd" P66 M0f 0xc2 16;
}
family! {
    /// Vector shifts by constant; `x` the digit.
    SseShiftOp:
    Psrlw = "psrlw" P66 M0f 0x71 2;
    Psraw = "psraw" P66 M0f 0x71 4;
    Psllw = "psllw" P66 M0f 0x71 6;
    Psrld = "psrld" P66 M0f 0x72 2;
    Psrad = "psrad" P66 M0f 0x72 4;
    Pslld = "pslld" P66 M0f 0x72 6;
    Psrlq = "psrlq" P66 M0f 0x73 2;
    Psllq = "psllq" P66 M0f 0x73 6;
    Psrldq = "psrldq" P66 M0f 0x73 3;
    Pslldq = "pslldq" P66 M0f 0x73 7;
}
family! {
    /// Scalar comparisons into the flags; `x` the bytes of the second source.
    SseCmpOp:
    Ucomiss = "ucomiss" No M0f 0x2e 4;
    Ucomisd = "ucomisd" P66 M0f 0x2e 8;
    Comiss = "comiss" No M0f 0x2f 4;
    Comisd = "comisd" P66 M0f 0x2f 8;
}
family! {
    /// Integer to float.
    IntToFloatOp:
    Ss = "cvtsi2ss" F3 M0f 0x2a 4;
    Sd = "cvtsi2sd" F2 M0f 0x2a 8;
}
family! {
    /// Float to integer; `x` the bytes of the source.
    FloatToIntOp:
    TruncSs = "cvttss2si" F3 M0f 0x2c 4;
    TruncSd = "cvttsd2si" F2 M0f 0x2c 8;
    RoundSs = "cvtss2si" F3 M0f 0x2d 4;
    RoundSd = "cvtsd2si" F2 M0f 0x2d 8;
}
family! {
    /// AVX2 broadcasts of the lowest lane; `x` the lane's bytes. All are VEX only.
    BroadcastOp:
    Ss = "broadcastss" P66 M0f38 0x18 4;
    Sd = "broadcastsd" P66 M0f38 0x19 8;
    B = "pbroadcastb" P66 M0f38 0x78 1;
    W = "pbroadcastw" P66 M0f38 0x79 2;
    D = "pbroadcastd" P66 M0f38 0x58 4;
    Q = "pbroadcastq" P66 M0f38 0x59 8;
}
family! {
    /// Fused multiply-add `dst = src2 * src3 + dst` and its kind; `x` is 1 for VEX.W.
    FmaOp:
    Addps = "fmadd231ps" P66 M0f38 0xb8 0;
    Addpd = "fmadd231pd" P66 M0f38 0xb8 1;
    Addss = "fmadd231ss" P66 M0f38 0xb9 0;
    Addsd = "fmadd231sd" P66 M0f38 0xb9 1;
    Naddps = "fnmadd231ps" P66 M0f38 0xbc 0;
    Naddpd = "fnmadd231pd" P66 M0f38 0xbc 1;
    Naddss = "fnmadd231ss" P66 M0f38 0xbd 0;
    Naddsd = "fnmadd231sd" P66 M0f38 0xbd 1;
}
family! {
    /// Sign bits of the lanes into a general register; `x` unused.
    MaskOp:
    Movmskps = "movmskps" No M0f 0x50 0;
    Movmskpd = "movmskpd" P66 M0f 0x50 0;
    Pmovmskb = "pmovmskb" P66 M0f 0xd7 0;
}
