//! Programs that look at themselves and make code at run time, with expected output: `programs/reflection`.

#[macro_use]
mod support;

const SUITE: support::Suite = support::Suite {
    folder: "tests/programs/reflection",
    mcs: &["-unsafe", "-r:Microsoft.CSharp.dll", "-r:System.Xml.dll"],
};

program_tests! { SUITE, gc "31":
    dynamic_method 0;
    emit_types 0;
    emit_il 0;
    xml_serializer 0;
    invoke 0;
    types 0;
    attributes 0;
    assemblies 0;
}
