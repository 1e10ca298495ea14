//! `cilutil`: see `runtime_loader::cilutil`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime_loader::cilutil::run()
}
