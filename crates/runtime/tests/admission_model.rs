//! Admission against shutdown, over all interleavings.
//!
//! `src/admission.rs` is compiled here once more, with the lock and the wake-up of loom, a model checker: it runs a
//! test once for every order in which its threads can take their steps, and fails one in which they block each other
//! for ever.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::atomic::{AtomicUsize, Ordering};

use carrel_contract::error::ExecuteError;
use carrel_contract::{SessionId, SessionState};
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;

use admission::Admission;
use control::CellControl;

#[path = "../src/admission.rs"]
#[expect(dead_code, reason = "of the whole file, what decides is tested here")]
mod admission;
#[path = "../src/number.rs"]
mod number;

/// What the checker puts in the place of `src/sync.rs`.
mod sync {
    use std::mem;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    pub(crate) use loom::sync::{Mutex, MutexGuard};

    /// As tokio documents its own: a future hears of everything that comes after it was made, polled or not.
    pub(crate) struct Notify(Mutex<(u64, Vec<Waker>)>);

    impl Notify {
        pub(crate) fn new() -> Self {
            Self(Mutex::new((0, Vec::new())))
        }

        pub(crate) fn notified(&self) -> Notified<'_> {
            Notified { notify: self, made: self.0.lock().unwrap().0 }
        }

        pub(crate) fn notify_waiters(&self) {
            let waiting = {
                let mut state = self.0.lock().unwrap();
                state.0 += 1;
                mem::take(&mut state.1)
            };
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    pub(crate) struct Notified<'a> {
        notify: &'a Notify,
        made: u64,
    }

    impl Future for Notified<'_> {
        type Output = ();

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            let mut state = self.notify.0.lock().unwrap();
            if state.0 > self.made {
                return Poll::Ready(());
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        }
    }
}

/// What the checker puts in the place of `src/control.rs`: a cell that ends when it is told to.
mod control {
    use carrel_contract::TerminationReason;
    use loom::sync::{Condvar, Mutex};

    #[derive(Default)]
    pub(crate) struct CellControl {
        told: Mutex<bool>,
        changed: Condvar,
    }

    impl CellControl {
        pub(crate) fn terminate(&self, _: TerminationReason) {
            *self.told.lock().unwrap() = true;
            self.changed.notify_all();
        }

        pub(crate) fn suspend(&self) {
            self.terminate(TerminationReason::Shutdown);
        }

        pub(crate) fn wait(&self) {
            let mut told = self.told.lock().unwrap();
            while !*told {
                told = self.changed.wait(told).unwrap();
            }
        }
    }
}

/// A session's admission with cells that are threads. The counters are the tests' own, not a part of the model.
struct World {
    running_limit: usize,
    admission: Admission,
    begun: AtomicUsize,
    ended: AtomicUsize,
}

/// How a cell comes to its end.
#[derive(Clone, Copy)]
enum Cell {
    ByItself,
    WhenTold,
}

impl World {
    fn new(running_limit: usize) -> Arc<Self> {
        let admission = Admission::new(SessionId::new("session").unwrap(), running_limit);
        Arc::new(Self { running_limit, admission, begun: AtomicUsize::new(0), ended: AtomicUsize::new(0) })
    }

    /// As `execute` does it: a first check, what it costs to make a VM, admission.
    fn execute(this: &Arc<Self>, cell: Cell) -> Result<(), ExecuteError> {
        this.admission.check()?;
        let control = std::sync::Arc::new(CellControl::default());
        this.admission.admit(
            std::sync::Arc::clone(&control),
            || Ok(None),
            |number, _| {
                let before = this.begun.fetch_add(1, Ordering::SeqCst);
                assert!(before - this.ended.load(Ordering::SeqCst) < this.running_limit);
                let world = Arc::clone(this);
                thread::spawn(move || {
                    if matches!(cell, Cell::WhenTold) {
                        control.wait();
                    }
                    world.admission.leave(number, || {
                        world.ended.fetch_add(1, Ordering::SeqCst);
                    });
                });
            },
        )?;
        Ok(())
    }

    /// As `shutdown` does it. Nothing may be left when it returns.
    fn shutdown(&self) {
        self.admission.close();
        block_on(self.admission.empty());
        assert_eq!(self.begun.load(Ordering::SeqCst), self.ended.load(Ordering::SeqCst));
        assert_eq!(self.admission.running(), 0);
        assert_eq!(self.admission.state(), SessionState::Closed);
    }
}

fn is_refused(result: &Result<(), ExecuteError>) -> bool {
    matches!(result, Err(ExecuteError::ShuttingDown(_) | ExecuteError::SessionClosed(_)))
}

#[test]
fn a_cell_is_admitted_and_ended_by_the_shutdown_or_refused_and_never_was() {
    loom::model(|| {
        let world = World::new(64);
        let shutdown = thread::spawn({
            let world = Arc::clone(&world);
            move || world.shutdown()
        });
        let executed = World::execute(&world, Cell::WhenTold);
        shutdown.join().unwrap();
        // Whatever slipped in before was waited for; nothing slips in after.
        assert_eq!(world.begun.load(Ordering::SeqCst), usize::from(executed.is_ok()));
        assert!(executed.is_ok() || is_refused(&executed), "{executed:?}");
        assert!(is_refused(&World::execute(&world, Cell::WhenTold)));
        assert_eq!(world.begun.load(Ordering::SeqCst), world.ended.load(Ordering::SeqCst));
    });
}

#[test]
fn a_shutdown_hears_of_the_last_cell_that_ends_by_itself() {
    loom::model(|| {
        let world = World::new(64);
        World::execute(&world, Cell::ByItself).unwrap();
        world.shutdown();
    });
}

#[test]
fn so_do_two_at_once() {
    few_preemptions(|| {
        let world = World::new(64);
        World::execute(&world, Cell::ByItself).unwrap();
        let other = thread::spawn({
            let world = Arc::clone(&world);
            move || world.shutdown()
        });
        world.shutdown();
        other.join().unwrap();
    });
}

#[test]
fn no_more_cells_run_than_there_are_places() {
    few_preemptions(|| {
        let world = World::new(1);
        let other = thread::spawn({
            let world = Arc::clone(&world);
            move || World::execute(&world, Cell::ByItself)
        });
        let one = World::execute(&world, Cell::ByItself);
        let other = other.join().unwrap();
        for refused in [&one, &other].into_iter().filter_map(|result| result.as_ref().err()) {
            let ExecuteError::LimitReached(limit) = refused else {
                panic!("nothing else is wrong: {refused}")
            };
            assert_eq!((limit.limit, limit.maximum, limit.running.len()), ("running_cells", 1, 1));
        }
        assert!(one.is_ok() || other.is_ok());
    });
}

/// Checks the orders in which threads are interrupted at most twice between their own waits: with four threads,
/// all orders are too many.
fn few_preemptions(test: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(test);
}
