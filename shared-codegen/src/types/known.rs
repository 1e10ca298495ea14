//! Classes that the runtime and the compiler know by name, all in mscorlib.

use super::{TypeContext, TypeId, TypeKind};

macro_rules! known {
    ($($name:ident = $ns:literal $class:literal;)*) => {
        /// A well-known class. [`TypeContext::known`] finds its `TypeId` at first use.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the names are the classes'")]
        pub enum Known { $($name),* }

        /// Namespace and metadata name of each [`Known`] class.
        const NAMES: &[(&str, &str)] = &[$(($ns, $class)),*];

        impl Known {
            /// All well-known classes in the order of their numbers.
            pub const ALL: &'static [Known] = &[$(Known::$name),*];
        }
    };
}

known! {
    Object = "System" "Object";
    Void = "System" "Void";
    Boolean = "System" "Boolean";
    Char = "System" "Char";
    SByte = "System" "SByte";
    Byte = "System" "Byte";
    Int16 = "System" "Int16";
    UInt16 = "System" "UInt16";
    Int32 = "System" "Int32";
    UInt32 = "System" "UInt32";
    Int64 = "System" "Int64";
    UInt64 = "System" "UInt64";
    IntPtr = "System" "IntPtr";
    UIntPtr = "System" "UIntPtr";
    Single = "System" "Single";
    Double = "System" "Double";
    String = "System" "String";
    ValueType = "System" "ValueType";
    Enum = "System" "Enum";
    Array = "System" "Array";
    Delegate = "System" "Delegate";
    MulticastDelegate = "System" "MulticastDelegate";
    Exception = "System" "Exception";
    Attribute = "System" "Attribute";
    Nullable = "System" "Nullable`1";
    TypedReference = "System" "TypedReference";
    ArgIterator = "System" "ArgIterator";
    RuntimeArgumentHandle = "System" "RuntimeArgumentHandle";
    RuntimeTypeHandle = "System" "RuntimeTypeHandle";
    RuntimeMethodHandle = "System" "RuntimeMethodHandle";
    RuntimeFieldHandle = "System" "RuntimeFieldHandle";
    Type = "System" "Type";
    RuntimeType = "System" "RuntimeType";
    AppDomain = "System" "AppDomain";
    AppDomainSetup = "System" "AppDomainSetup";
    MarshalByRefObject = "System" "MarshalByRefObject";
    ByReference = "System" "ByReference`1";
    Span = "System" "Span`1";
    ReadOnlySpan = "System" "ReadOnlySpan`1";
    Decimal = "System" "Decimal";
    DateTime = "System" "DateTime";
    Guid = "System" "Guid";
    DBNull = "System" "DBNull";
    WeakReference = "System" "WeakReference";
    Environment = "System" "Environment";
    Console = "System" "Console";
    ThreadStaticAttribute = "System" "ThreadStaticAttribute";
    ContextStaticAttribute = "System" "ContextStaticAttribute";
    FlagsAttribute = "System" "FlagsAttribute";
    UnhandledExceptionEventArgs = "System" "UnhandledExceptionEventArgs";
    AsyncCallback = "System" "AsyncCallback";
    IAsyncResult = "System" "IAsyncResult";
    MonoAsyncCall = "System" "MonoAsyncCall";
    IDisposable = "System" "IDisposable";
    ComObject = "System" "__ComObject";
    Thread = "System.Threading" "Thread";
    InternalThread = "System.Threading" "InternalThread";
    Monitor = "System.Threading" "Monitor";
    Interlocked = "System.Threading" "Interlocked";
    ManualResetEvent = "System.Threading" "ManualResetEvent";
    WaitHandle = "System.Threading" "WaitHandle";
    ThreadAbortException = "System.Threading" "ThreadAbortException";
    ThreadPoolWaitCallback = "System.Threading" "_ThreadPoolWaitCallback";
    ThreadPool = "System.Threading" "ThreadPool";
    ExecutionContext = "System.Threading" "ExecutionContext";
    Assembly = "System.Reflection" "Assembly";
    RuntimeAssembly = "System.Reflection" "RuntimeAssembly";
    Module = "System.Reflection" "Module";
    RuntimeModule = "System.Reflection" "RuntimeModule";
    FieldInfo = "System.Reflection" "FieldInfo";
    MethodInfo = "System.Reflection" "MethodInfo";
    ParameterInfo = "System.Reflection" "ParameterInfo";
    RuntimeMethodInfo = "System.Reflection" "RuntimeMethodInfo";
    RuntimeConstructorInfo = "System.Reflection" "RuntimeConstructorInfo";
    RuntimeFieldInfo = "System.Reflection" "RuntimeFieldInfo";
    RuntimePropertyInfo = "System.Reflection" "RuntimePropertyInfo";
    RuntimeEventInfo = "System.Reflection" "RuntimeEventInfo";
    RuntimeParameterInfo = "System.Reflection" "RuntimeParameterInfo";
    MethodBody = "System.Reflection" "MethodBody";
    LocalVariableInfo = "System.Reflection" "LocalVariableInfo";
    ExceptionHandlingClause = "System.Reflection" "ExceptionHandlingClause";
    CustomAttributeData = "System.Reflection" "CustomAttributeData";
    CustomAttributeTypedArgument = "System.Reflection" "CustomAttributeTypedArgument";
    CustomAttributeNamedArgument = "System.Reflection" "CustomAttributeNamedArgument";
    Missing = "System.Reflection" "Missing";
    Pointer = "System.Reflection" "Pointer";
    StackFrame = "System.Diagnostics" "StackFrame";
    StackTrace = "System.Diagnostics" "StackTrace";
    Marshal = "System.Runtime.InteropServices" "Marshal";
    SafeHandle = "System.Runtime.InteropServices" "SafeHandle";
    CriticalHandle = "System.Runtime.InteropServices" "CriticalHandle";
    HandleRef = "System.Runtime.InteropServices" "HandleRef";
    GCHandle = "System.Runtime.InteropServices" "GCHandle";
    MarshalAsAttribute = "System.Runtime.InteropServices" "MarshalAsAttribute";
    CriticalFinalizerObject = "System.Runtime.ConstrainedExecution" "CriticalFinalizerObject";
    RuntimeHelpers = "System.Runtime.CompilerServices" "RuntimeHelpers";
    RuntimeWrappedException = "System.Runtime.CompilerServices" "RuntimeWrappedException";
    Ephemeron = "System.Runtime.CompilerServices" "Ephemeron";
    TransparentProxy = "System.Runtime.Remoting.Proxies" "TransparentProxy";
    RealProxy = "System.Runtime.Remoting.Proxies" "RealProxy";
    IRemotingTypeInfo = "System.Runtime.Remoting" "IRemotingTypeInfo";
    AsyncResult = "System.Runtime.Remoting.Messaging" "AsyncResult";
    MonoMethodMessage = "System.Runtime.Remoting.Messaging" "MonoMethodMessage";
    Context = "System.Runtime.Remoting.Contexts" "Context";
    StringBuilder = "System.Text" "StringBuilder";
    CultureInfo = "System.Globalization" "CultureInfo";
    IListOf = "System.Collections.Generic" "IList`1";
    ICollectionOf = "System.Collections.Generic" "ICollection`1";
    IEnumerableOf = "System.Collections.Generic" "IEnumerable`1";
    IReadOnlyListOf = "System.Collections.Generic" "IReadOnlyList`1";
    IReadOnlyCollectionOf = "System.Collections.Generic" "IReadOnlyCollection`1";
    IEnumeratorOf = "System.Collections.Generic" "IEnumerator`1";
    EqualityComparerOf = "System.Collections.Generic" "EqualityComparer`1";
    ComparerOf = "System.Collections.Generic" "Comparer`1";
}

impl Known {
    /// Namespace and metadata name.
    pub fn name(self) -> (&'static str, &'static str) {
        NAMES[self as usize]
    }
}

impl TypeContext {
    /// The type of a well-known class, found in mscorlib at first use. If mscorlib lacks it the
    /// result is a [`TypeKind::Missing`] type, whose every use fails with `TypeLoad`.
    pub fn known(&self, class: Known) -> TypeId {
        *self.known[class as usize].get_or_init(|| {
            let (namespace, name) = class.name();
            match self.find_type_def(self.corlib(), namespace, name) {
                Some(t) => t,
                None => self.intern_type(TypeKind::Missing(class)),
            }
        })
    }
}
