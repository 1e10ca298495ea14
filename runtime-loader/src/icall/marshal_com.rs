//! COM and Windows Runtime, which there are not here: `PlatformNotSupportedException`, as .NET raises outside Windows.

use super::{Thrown, icalls, managed};
use crate::object::Obj;

icalls! {
    "System.Runtime.InteropServices.Marshal" {
        "AddRefInternal" => no_com_1(usize) -> usize;
        "GetCCW" => no_com_2(usize, usize) -> usize;
        "GetComSlotForMethodInfoInternal" => no_com_1(usize) -> usize;
        "GetHRForException_WinRT" => no_com_1(usize) -> usize;
        "GetIDispatchForObjectInternal" => no_com_1(usize) -> usize;
        "GetIUnknownForObjectInternal" => no_com_1(usize) -> usize;
        "GetNativeActivationFactory" => no_com_1(usize) -> usize;
        "GetObjectForCCW" => no_com_1(usize) -> usize;
        "GetRawIUnknownForComObjectNoAddRef" => no_com_1(usize) -> usize;
        "QueryInterfaceInternal" => no_com_3(usize, usize, usize) -> usize;
        "ReleaseComObjectInternal" => no_com_1(usize) -> usize;
        "ReleaseInternal" => no_com_1(usize) -> usize;
    }
    "Mono.Interop.ComInteropProxy" {
        "AddProxy" => no_com_2(usize, usize) -> usize;
        "FindProxy" => no_com_1(usize) -> usize;
    }
    "System.Runtime.InteropServices.WindowsRuntime.UnsafeNativeMethods" {
        "GetRestrictedErrorInfo" => no_com_0() -> usize;
        "RoOriginateLanguageException" => no_com_3(usize, usize, usize) -> usize;
        "RoReportUnhandledError" => no_com_1(usize) -> usize;
        "WindowsCreateString" => no_com_3(usize, usize, usize) -> usize;
        "WindowsDeleteString" => no_com_1(usize) -> usize;
        "WindowsGetStringRawBuffer" => no_com_2(usize, usize) -> usize;
    }
    "System.RuntimeType" {
        "IsTypeExportedToWindowsRuntime" => is_never(Obj) -> bool;
        "IsWindowsRuntimeObjectType" => is_never(Obj) -> bool;
    }
}

/// None of these gives or takes floats, so all that matters is the number of arguments.
extern "C" fn no_com_0() -> usize {
    managed(|| {
        Err(Thrown::system(
            "PlatformNotSupportedException",
            "COM Interop is not supported on this platform.",
        ))
    })
}

extern "C" fn no_com_1(_: usize) -> usize {
    no_com_0()
}

extern "C" fn no_com_2(_: usize, _: usize) -> usize {
    no_com_0()
}

extern "C" fn no_com_3(_: usize, _: usize, _: usize) -> usize {
    no_com_0()
}

extern "C" fn is_never(_: Obj) -> bool {
    false
}
