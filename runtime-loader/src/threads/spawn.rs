//! Starting threads.

use super::thread::Thread;
use super::world::{attach, current, detach};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

/// How a thread is started.
#[derive(Clone, Debug, Default)]
pub struct SpawnOptions {
    /// Bytes of stack for managed code; 0: the default.
    pub stack_size: usize,
    /// Name shown by debuggers.
    pub name: Option<String>,
}

/// Stack of threads that do not ask for a size.
const DEFAULT_STACK: usize = 8 << 20;
/// Smallest stack.
const MIN_STACK: usize = 256 << 10;
/// What the runtime adds for itself.
const EXTRA_STACK: usize = 512 << 10;

/// Starts a thread that attaches, runs `body` in managed state and detaches. Returns when it has attached.
pub fn spawn(
    options: SpawnOptions,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<Arc<Thread>> {
    let asked = if options.stack_size == 0 {
        DEFAULT_STACK
    } else {
        options.stack_size.max(MIN_STACK)
    };
    let mut builder = std::thread::Builder::new().stack_size(asked + EXTRA_STACK);
    if let Some(name) = options.name {
        builder = builder.name(name);
    }
    let (tell, attached) = sync_channel(1);
    builder.spawn(move || {
        attach();
        // The receiver waits for this; if it is gone nobody wants to know.
        let _ = tell.send(current().thread().clone());
        body();
        detach();
    })?;
    super::blocking(|| attached.recv())
        .map_err(|_| io::Error::other("the new thread ended before it attached"))
}
