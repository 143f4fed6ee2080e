//! The thread that starts hosts.
//!
//! A host asks the kernel to be killed when its parent dies, and for the kernel a parent is the thread that started it. So one
//! thread starts all hosts of a provider, and lives as long as any of them.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use tokio::sync::oneshot;

/// Orders that may wait.
const ORDERS: usize = 64;

/// The way to the thread, which ends when nobody has it any more.
#[derive(Clone)]
pub(super) struct Reaper(SyncSender<Order>);

struct Order {
    command: Box<Command>,
    started: oneshot::Sender<io::Result<Child>>,
}

impl Reaper {
    pub(super) fn start() -> io::Result<Self> {
        let (orders, ordered) = sync_channel(ORDERS);
        thread::Builder::new().name("carrel-hosts".to_owned()).spawn(move || run(&ordered))?;
        Ok(Self(orders))
    }

    /// Starts a process.
    pub(super) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let (started, is_started) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts hosts is gone");
        self.0.try_send(Order { command: Box::new(command), started }).map_err(|_| gone())?;
        is_started.await.map_err(|_| gone())?
    }
}

fn run(orders: &Receiver<Order>) {
    while let Ok(mut order) = orders.recv() {
        let started = order.command.spawn();
        if let Err(Ok(mut unwanted)) = order.started.send(started) {
            // Nobody waits for it any more. One that is gone already cannot be killed.
            unwanted.kill().ok();
            unwanted.wait().ok();
        }
    }
}
