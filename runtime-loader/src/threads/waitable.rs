//! Objects that threads wait for by number: events, mutexes, semaphores, processes.
//!
//! All state is under one lock, because waiting for several objects at once must take all of them or none. Waiters queue at
//! each object they wait for; whoever signals an object wakes its queue, and each woken thread looks again.

use super::current;
use super::park::{Deadline, WaitEnd, wait_until};
use super::thread::Thread;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A number that stands for a waitable object. Several may stand for the same one.
pub type WaitId = isize;

/// What an object is, with its state.
#[derive(Clone, Debug)]
pub enum Waitable {
    /// An event: stays signalled until reset (`manual`) or until one thread has seen it.
    Event {
        /// Must be reset by hand.
        manual: bool,
        /// Waits succeed.
        signalled: bool,
    },
    /// A mutex: owned by a thread any number of times.
    Mutex {
        /// Who has it.
        owner: Option<Arc<Thread>>,
        /// How often.
        count: u32,
        /// The last owner ended without giving it back.
        abandoned: bool,
    },
    /// A semaphore.
    Semaphore {
        /// Waits that succeed before it blocks.
        count: i32,
        /// Largest count.
        max: i32,
    },
    /// A process: signalled when it has ended.
    Process {
        /// Its number.
        pid: i32,
        /// Exit code, once it has ended.
        exit: Option<i32>,
    },
}

impl Waitable {
    /// A mutex, owned by the calling thread from the start if wanted.
    pub fn mutex(owned: bool) -> Waitable {
        Waitable::Mutex {
            owner: owned.then(|| current().thread().clone()),
            count: owned.into(),
            abandoned: false,
        }
    }

    fn is_ready(&self, me: &Arc<Thread>) -> bool {
        match self {
            Waitable::Event { signalled, .. } => *signalled,
            Waitable::Mutex { owner, .. } => owner.as_ref().is_none_or(|o| Arc::ptr_eq(o, me)),
            Waitable::Semaphore { count, .. } => *count > 0,
            Waitable::Process { exit, .. } => exit.is_some(),
        }
    }

    /// Takes a ready object; was it an abandoned mutex?
    fn take(&mut self, me: &Arc<Thread>) -> bool {
        match self {
            Waitable::Event { manual, signalled } => *signalled = *manual,
            Waitable::Mutex {
                owner,
                count,
                abandoned,
            } => {
                *owner = Some(me.clone());
                *count += 1;
                return core::mem::take(abandoned);
            }
            Waitable::Semaphore { count, .. } => *count -= 1,
            Waitable::Process { .. } => {}
        }
        false
    }

    fn same_kind(&self, other: &Waitable) -> bool {
        core::mem::discriminant(self) == core::mem::discriminant(other)
    }
}

struct Object {
    what: Waitable,
    name: Option<String>,
    handles: u32,
    waiting: Vec<Arc<Thread>>,
}

impl Object {
    fn wake(&self) {
        self.waiting.iter().for_each(|t| t.unpark());
    }
}

#[derive(Default)]
struct Objects {
    /// Object of each number.
    ids: FxHashMap<WaitId, u64>,
    objects: FxHashMap<u64, Object>,
    names: FxHashMap<String, u64>,
    last: u64,
}

impl Objects {
    fn at(&mut self, id: WaitId) -> Option<&mut Object> {
        let object = self.ids.get(&id)?;
        self.objects.get_mut(object)
    }

    fn new_id(&mut self, object: u64) -> WaitId {
        self.last += 1;
        // Multiples of 16, so that they look like addresses and are not taken for descriptors.
        let id = (self.last as WaitId) << 4;
        self.ids.insert(id, object);
        id
    }
}

// Numbers are valid in the whole process.
static OBJECTS: Mutex<Option<Objects>> = Mutex::new(None);

fn with<R>(f: impl FnOnce(&mut Objects) -> R) -> R {
    f(OBJECTS.lock().get_or_insert_default())
}

/// Why an object could not be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameError {
    /// No object has this name.
    Unknown,
    /// An object of another kind has it.
    OtherKind,
}

/// Makes an object, or finds the one with this name. True: it is new.
pub fn create(what: Waitable, name: Option<String>) -> Result<(WaitId, bool), NameError> {
    with(|all| {
        if let Some(&found) = name.as_ref().and_then(|n| all.names.get(n)) {
            return open_object(all, found, &what).map(|id| (id, false));
        }
        all.last += 1;
        let object = all.last;
        if let Some(n) = &name {
            all.names.insert(n.clone(), object);
        }
        all.objects.insert(
            object,
            Object {
                what,
                name,
                handles: 1,
                waiting: Vec::new(),
            },
        );
        Ok((all.new_id(object), true))
    })
}

/// A new number for the object with this name, which must be of the kind of `like`.
pub fn open(name: &str, like: &Waitable) -> Result<WaitId, NameError> {
    with(|all| {
        let found = *all.names.get(name).ok_or(NameError::Unknown)?;
        open_object(all, found, like)
    })
}

fn open_object(all: &mut Objects, object: u64, like: &Waitable) -> Result<WaitId, NameError> {
    let found = all.objects.get_mut(&object).ok_or(NameError::Unknown)?;
    if !found.what.same_kind(like) {
        return Err(NameError::OtherKind);
    }
    found.handles += 1;
    Ok(all.new_id(object))
}

/// A new number for the same object. `None`: no such number.
pub fn duplicate(id: WaitId) -> Option<WaitId> {
    with(|all| {
        let object = *all.ids.get(&id)?;
        all.objects.get_mut(&object)?.handles += 1;
        Some(all.new_id(object))
    })
}

/// Gives a number back; the object goes with its last one.
pub fn close(id: WaitId) {
    with(|all| {
        let Some(object) = all.ids.remove(&id) else {
            return;
        };
        let Some(found) = all.objects.get_mut(&object) else {
            return;
        };
        found.handles -= 1;
        if found.handles == 0 {
            let gone = all.objects.remove(&object);
            if let Some(name) = gone.and_then(|o| o.name) {
                all.names.remove(&name);
            }
        }
    });
}

/// Looks at or changes an object's state and wakes those who wait for it. `None`: no such number.
pub fn update<R>(id: WaitId, f: impl FnOnce(&mut Waitable) -> R) -> Option<R> {
    with(|all| {
        let object = all.at(id)?;
        let result = f(&mut object.what);
        object.wake();
        Some(result)
    })
}

/// Gives a mutex back once; false if the calling thread does not own it.
pub fn release_mutex(id: WaitId) -> bool {
    let me = current().thread().clone();
    let released = update(id, |w| match w {
        Waitable::Mutex { owner, count, .. }
            if owner.as_ref().is_some_and(|o| Arc::ptr_eq(o, &me)) =>
        {
            *count -= 1;
            if *count == 0 {
                *owner = None;
            }
            true
        }
        _ => false,
    });
    released.unwrap_or(false)
}

/// Makes an object ready once more: sets an event, gives a mutex back, adds one to a semaphore.
pub fn signal(id: WaitId) -> bool {
    let is_mutex = with(|all| all.at(id).map(|o| matches!(o.what, Waitable::Mutex { .. })));
    if is_mutex == Some(true) {
        return release_mutex(id);
    }
    let done = update(id, |w| match w {
        Waitable::Event { signalled, .. } => {
            *signalled = true;
            true
        }
        Waitable::Semaphore { count, max } if *count < *max => {
            *count += 1;
            true
        }
        _ => false,
    });
    done.unwrap_or(false)
}

/// The calling thread ends: its mutexes become free, and their next owners are told.
pub fn abandon_all() {
    let me = current().thread().clone();
    with(|all| {
        for object in all.objects.values_mut() {
            if let Waitable::Mutex {
                owner,
                count,
                abandoned,
            } = &mut object.what
                && owner.as_ref().is_some_and(|o| Arc::ptr_eq(o, &me))
            {
                *owner = None;
                *count = 0;
                *abandoned = true;
                object.wake();
            }
        }
    });
}

/// What a wait took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Position of the object in the list; 0 if all were waited for.
    pub index: usize,
    /// It was (one was) an abandoned mutex.
    pub abandoned: bool,
}

/// How a wait for objects ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waited {
    /// It has them.
    Taken(Taken),
    /// It has none.
    Ended(WaitEnd),
    /// One of the numbers is not in use.
    Invalid,
}

/// Waits for one of the objects, or for all at once.
pub fn wait(ids: &[WaitId], all_of_them: bool, deadline: Deadline) -> Waited {
    let me = current().thread().clone();
    let known = with(|all| ids.iter().all(|id| all.ids.contains_key(id)));
    if !known {
        return Waited::Invalid;
    }
    let mut taken = None;
    let end = wait_until(deadline, true, || {
        taken = with(|all| attempt(all, ids, all_of_them, &me));
        taken.is_some()
    });
    with(|all| leave(all, ids, &me));
    match (taken, end) {
        (Some(t), WaitEnd::Done) => Waited::Taken(t),
        (_, end) => Waited::Ended(end),
    }
}

/// Takes what is ready, or queues.
fn attempt(
    all: &mut Objects,
    ids: &[WaitId],
    all_of_them: bool,
    me: &Arc<Thread>,
) -> Option<Taken> {
    let ready = |all: &mut Objects, id: &WaitId| all.at(*id).is_none_or(|o| o.what.is_ready(me));
    let index = if all_of_them {
        ids.iter().all(|id| ready(all, id)).then_some(0)
    } else {
        ids.iter().position(|id| ready(all, id))
    };
    let Some(index) = index else {
        enqueue(all, ids, me);
        return None;
    };
    let wanted = if all_of_them {
        ids
    } else {
        &ids[index..=index]
    };
    let mut abandoned = false;
    for id in wanted {
        abandoned |= all.at(*id).is_some_and(|o| o.what.take(me));
    }
    Some(Taken { index, abandoned })
}

fn enqueue(all: &mut Objects, ids: &[WaitId], me: &Arc<Thread>) {
    for id in ids {
        if let Some(o) = all.at(*id)
            && !o.waiting.iter().any(|t| Arc::ptr_eq(t, me))
        {
            o.waiting.push(me.clone());
        }
    }
}

fn leave(all: &mut Objects, ids: &[WaitId], me: &Arc<Thread>) {
    for id in ids {
        if let Some(o) = all.at(*id) {
            o.waiting.retain(|t| !Arc::ptr_eq(t, me));
        }
    }
}
