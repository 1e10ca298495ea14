//! `System.Threading.Interlocked` the 64-bit forms of `Volatile`, and the volatile accesses of `Thread`.

use super::{Thrown, icalls, managed};
use crate::object::Obj;
use core::sync::atomic::{AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicUsize, Ordering, fence};

icalls! {
    "System.Threading.Interlocked" {
        "Add(int&,int)" => add_32(*const AtomicI32, i32) -> i32;
        "Add(long&,long)" => add_64(*const AtomicI64, i64) -> i64;
        "CompareExchange(int&,int,int)" => cas_32(*const AtomicI32, i32, i32) -> i32;
        "CompareExchange(int&,int,int,bool&)" => cas_32_success(*const AtomicI32, i32, i32, *mut bool) -> i32;
        "CompareExchange(long&,long,long)" => cas_64(*const AtomicI64, i64, i64) -> i64;
        "CompareExchange(intptr&,intptr,intptr)" => cas_64(*const AtomicI64, i64, i64) -> i64;
        "CompareExchange(single&,single,single)" => cas_f32(*const AtomicI32, f32, f32) -> f32;
        "CompareExchange(double&,double,double)" => cas_f64(*const AtomicI64, f64, f64) -> f64;
        "CompareExchange(object&,object&,object&,object&)" => cas_ref(*const AtomicUsize, *const Obj, *const Obj, *mut Obj);
        "Decrement(int&)" => decrement_32(*const AtomicI32) -> i32;
        "Decrement(long&)" => decrement_64(*const AtomicI64) -> i64;
        "Exchange(int&,int)" => exchange_32(*const AtomicI32, i32) -> i32;
        "Exchange(long&,long)" => exchange_64(*const AtomicI64, i64) -> i64;
        "Exchange(intptr&,intptr)" => exchange_64(*const AtomicI64, i64) -> i64;
        "Exchange(single&,single)" => exchange_f32(*const AtomicI32, f32) -> f32;
        "Exchange(double&,double)" => exchange_f64(*const AtomicI64, f64) -> f64;
        "Exchange(object&,object&,object&)" => exchange_ref(*const AtomicUsize, *const Obj, *mut Obj);
        "Increment(int&)" => increment_32(*const AtomicI32) -> i32;
        "Increment(long&)" => increment_64(*const AtomicI64) -> i64;
        "MemoryBarrierProcessWide" => barrier();
        "Read(long&)" => read_64(*const AtomicI64) -> i64;
    }
    "System.Threading.Volatile" {
        "Read(double&)" => read_f64(*const AtomicI64) -> f64;
        "Read(long&)" => read_64(*const AtomicI64) -> i64;
        "Read(ulong&)" => read_64(*const AtomicI64) -> i64;
        "Write(double&,double)" => write_f64(*const AtomicI64, f64);
        "Write(long&,long)" => write_64(*const AtomicI64, i64);
        "Write(ulong&,ulong)" => write_64(*const AtomicI64, i64);
    }
    "System.Threading.Thread" {
        "MemoryBarrier" => barrier();
        "SpinWait_nop" => spin();
        "VolatileRead(byte&)" => read_8(*const AtomicI8) -> i8;
        "VolatileRead(sbyte&)" => read_8(*const AtomicI8) -> i8;
        "VolatileRead(int16&)" => read_16(*const AtomicI16) -> i16;
        "VolatileRead(uint16&)" => read_16(*const AtomicI16) -> i16;
        "VolatileRead(int&)" => read_32(*const AtomicI32) -> i32;
        "VolatileRead(uint&)" => read_32(*const AtomicI32) -> i32;
        "VolatileRead(long&)" => read_64(*const AtomicI64) -> i64;
        "VolatileRead(ulong&)" => read_64(*const AtomicI64) -> i64;
        "VolatileRead(intptr&)" => read_64(*const AtomicI64) -> i64;
        "VolatileRead(uintptr&)" => read_64(*const AtomicI64) -> i64;
        "VolatileRead(object&)" => read_ref(*const AtomicUsize) -> Obj;
        "VolatileRead(single&)" => read_f32(*const AtomicI32) -> f32;
        "VolatileRead(double&)" => read_f64(*const AtomicI64) -> f64;
        "VolatileWrite(byte&,byte)" => write_8(*const AtomicI8, i8);
        "VolatileWrite(sbyte&,sbyte)" => write_8(*const AtomicI8, i8);
        "VolatileWrite(int16&,int16)" => write_16(*const AtomicI16, i16);
        "VolatileWrite(uint16&,uint16)" => write_16(*const AtomicI16, i16);
        "VolatileWrite(int&,int)" => write_32(*const AtomicI32, i32);
        "VolatileWrite(uint&,uint)" => write_32(*const AtomicI32, i32);
        "VolatileWrite(long&,long)" => write_64(*const AtomicI64, i64);
        "VolatileWrite(ulong&,ulong)" => write_64(*const AtomicI64, i64);
        "VolatileWrite(intptr&,intptr)" => write_64(*const AtomicI64, i64);
        "VolatileWrite(uintptr&,uintptr)" => write_64(*const AtomicI64, i64);
        "VolatileWrite(object&,object)" => write_ref(*const AtomicUsize, Obj);
        "VolatileWrite(single&,single)" => write_f32(*const AtomicI32, f32);
        "VolatileWrite(double&,double)" => write_f64(*const AtomicI64, f64);
    }
}

const ORDER: Ordering = Ordering::SeqCst;

/// The cell at an address from managed code.
fn cell<T>(at: *const T) -> Result<&'static T, Thrown> {
    // SAFETY: managed code passes null or the address of a location of this type, which its caller keeps alive.
    unsafe { at.as_ref() }.ok_or_else(Thrown::null_reference)
}

macro_rules! atomics {
    ($($name:ident($at:ident: $cell:ty $(, $x:ident: $t:ty)*) $(-> $ret:ty)? = $e:expr;)*) => { $(
        extern "C" fn $name(at: *const $cell $(, $x: $t)*) $(-> $ret)? {
            managed(|| {
                let $at = cell(at)?;
                Ok($e)
            })
        }
    )* };
}

atomics! {
    add_32(c: AtomicI32, n: i32) -> i32 = c.fetch_add(n, ORDER).wrapping_add(n);
    add_64(c: AtomicI64, n: i64) -> i64 = c.fetch_add(n, ORDER).wrapping_add(n);
    increment_32(c: AtomicI32) -> i32 = c.fetch_add(1, ORDER).wrapping_add(1);
    increment_64(c: AtomicI64) -> i64 = c.fetch_add(1, ORDER).wrapping_add(1);
    decrement_32(c: AtomicI32) -> i32 = c.fetch_sub(1, ORDER).wrapping_sub(1);
    decrement_64(c: AtomicI64) -> i64 = c.fetch_sub(1, ORDER).wrapping_sub(1);
    exchange_32(c: AtomicI32, n: i32) -> i32 = c.swap(n, ORDER);
    exchange_64(c: AtomicI64, n: i64) -> i64 = c.swap(n, ORDER);
    exchange_f32(c: AtomicI32, n: f32) -> f32 = f32::from_bits(c.swap(n.to_bits() as i32, ORDER) as u32);
    exchange_f64(c: AtomicI64, n: f64) -> f64 = f64::from_bits(c.swap(n.to_bits() as i64, ORDER) as u64);
    cas_32(c: AtomicI32, new: i32, old: i32) -> i32 = either(c.compare_exchange(old, new, ORDER, ORDER));
    cas_64(c: AtomicI64, new: i64, old: i64) -> i64 = either(c.compare_exchange(old, new, ORDER, ORDER));
    cas_f32(c: AtomicI32, new: f32, old: f32) -> f32 = f32::from_bits(
        either(c.compare_exchange(old.to_bits() as i32, new.to_bits() as i32, ORDER, ORDER)) as u32);
    cas_f64(c: AtomicI64, new: f64, old: f64) -> f64 = f64::from_bits(
        either(c.compare_exchange(old.to_bits() as i64, new.to_bits() as i64, ORDER, ORDER)) as u64);
    read_8(c: AtomicI8) -> i8 = c.load(ORDER);
    read_16(c: AtomicI16) -> i16 = c.load(ORDER);
    read_32(c: AtomicI32) -> i32 = c.load(ORDER);
    read_ref(c: AtomicUsize) -> Obj = Obj::from_addr(c.load(ORDER));
    read_f32(c: AtomicI32) -> f32 = f32::from_bits(c.load(ORDER) as u32);
    read_64(c: AtomicI64) -> i64 = c.load(ORDER);
    read_f64(c: AtomicI64) -> f64 = f64::from_bits(c.load(ORDER) as u64);
    write_8(c: AtomicI8, n: i8) = c.store(n, ORDER);
    write_16(c: AtomicI16, n: i16) = c.store(n, ORDER);
    write_32(c: AtomicI32, n: i32) = c.store(n, ORDER);
    write_ref(c: AtomicUsize, r: Obj) = c.store(r.addr(), ORDER);
    write_f32(c: AtomicI32, n: f32) = c.store(n.to_bits() as i32, ORDER);
    write_64(c: AtomicI64, n: i64) = c.store(n, ORDER);
    write_f64(c: AtomicI64, n: f64) = c.store(n.to_bits() as i64, ORDER);
}

fn either<T>(r: Result<T, T>) -> T {
    match r {
        Ok(v) | Err(v) => v,
    }
}

extern "C" fn cas_32_success(at: *const AtomicI32, new: i32, old: i32, success: *mut bool) -> i32 {
    managed(|| {
        let result = cell(at)?.compare_exchange(old, new, ORDER, ORDER);
        // SAFETY: managed code passes the address of a bool.
        unsafe { success.write(result.is_ok()) };
        Ok(either(result))
    })
}

extern "C" fn cas_ref(at: *const AtomicUsize, new: *const Obj, old: *const Obj, result: *mut Obj) {
    managed(|| {
        let c = cell(at)?;
        // SAFETY: managed code passes addresses of references.
        unsafe {
            let before = c.compare_exchange((*old).addr(), (*new).addr(), ORDER, ORDER);
            result.write(Obj::from_addr(either(before)));
        }
        Ok(())
    });
}

extern "C" fn exchange_ref(at: *const AtomicUsize, new: *const Obj, result: *mut Obj) {
    managed(|| {
        let c = cell(at)?;
        // SAFETY: managed code passes addresses of references.
        unsafe { result.write(Obj::from_addr(c.swap((*new).addr(), ORDER))) };
        Ok(())
    });
}

extern "C" fn barrier() {
    fence(ORDER);
}

extern "C" fn spin() {
    core::hint::spin_loop();
}
