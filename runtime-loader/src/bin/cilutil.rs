//! `cilutil`: see `runtime_loader::cilutil`.

fn main() -> anyhow::Result<()> {
    runtime_loader::cilutil::run()
}
