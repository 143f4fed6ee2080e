//! Asks the person at the terminal for calls that wait for their word.
//!
//! What waits is listed together and answered together. Lines are read by a thread of its own, which a terminal may
//! hold up for ever; it ends with the process.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use carrel_tools::policy::{Answer, ApprovalRequest, Approvals, Attendant, printable_whole};
use tokio::sync::mpsc;

use super::reply::{self, Reply, Word};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::terminal::Tone;

/// For how long nothing more may come before what waits is listed: calls made together are asked for together.
const SETTLED: Duration = Duration::from_millis(30);
/// How many calls are listed at once.
const LISTED: usize = 20;

/// Looks after the calls that wait, where somebody can be asked. Never ends by itself.
pub(super) async fn attend(
    approvals: Option<Approvals>,
    interrupt: &Interrupt,
    printer: &Printer,
) -> Infallible {
    if let Some(approvals) = approvals.filter(|_| printer.terminal().can_ask()) {
        let mut attendant = approvals.attend();
        let mut lines = None;
        while next(&mut attendant, &mut lines, interrupt, printer).await.is_some() {}
        printer.asked();
        printer
            .note(Tone::Warning, "warning: the terminal gives no more answers, so nobody is asked any more");
    }
    std::future::pending().await
}

/// Asks for what waits next. `None` when the terminal gives no more answers.
async fn next(
    attendant: &mut Attendant,
    lines: &mut Option<mpsc::Receiver<String>>,
    interrupt: &Interrupt,
    printer: &Printer,
) -> Option<()> {
    while attendant.pending().is_empty() {
        attendant.changed().await;
    }
    while tokio::time::timeout(SETTLED, attendant.changed()).await.is_ok() {}
    let mut requests = attendant.pending();
    let more = requests.len().saturating_sub(LISTED);
    requests.truncate(LISTED);
    if requests.is_empty() {
        return Some(());
    }
    list(&requests, more, printer);
    loop {
        let question = format!("{}: ", reply::usage(requests.len()));
        let line = tokio::select! {
            line = line(lines, || printer.ask(&question)) => line,
            () = gone(attendant, &requests) => {
                printer.unask();
                return Some(());
            }
        };
        printer.asked();
        let reply = match reply::parse(&line?, requests.len()) {
            Ok(reply) => reply,
            Err(problem) => {
                printer.note(Tone::Warning, &problem);
                continue;
            }
        };
        match reply.word {
            Word::View => {
                view(&reply, &requests, printer);
                continue;
            }
            // Unanswered, so that the cell learns nothing that it could act on before it is ended.
            Word::Quit => {
                interrupt.fire(Exit::Interrupted);
                gone(attendant, &requests).await;
            }
            Word::Yes => answer(&reply.places, &requests, attendant, &Answer::Allow),
            Word::All => answer(&reply.places, &requests, attendant, &Answer::AllowForSession),
            Word::No(reason) => answer(&reply.places, &requests, attendant, &Answer::Deny { reason }),
        }
        return Some(());
    }
}

/// Waits until none of these is pending any more. Cancel safe.
async fn gone(attendant: &mut Attendant, requests: &[Arc<ApprovalRequest>]) {
    loop {
        let pending = attendant.pending();
        if !pending.iter().any(|pending| requests.iter().any(|request| request.id == pending.id)) {
            return;
        }
        attendant.changed().await;
    }
}

fn list(requests: &[Arc<ApprovalRequest>], more: usize, printer: &Printer) {
    let heading = match requests {
        [_] => "1 call waits for your word:".to_owned(),
        _ => format!("{} calls wait for your word:", requests.len()),
    };
    printer.note(Tone::Warning, &heading);
    for (place, request) in requests.iter().enumerate() {
        let (call, why) = (request.call_line(), request.reason_line());
        printer.note(Tone::Plain, &format!("{:>3}. {call}\n     {why}", place + 1));
    }
    if more > 0 {
        printer.note(Tone::Plain, &format!("     and {more} more after these"));
    }
}

fn view(reply: &Reply, requests: &[Arc<ApprovalRequest>], printer: &Printer) {
    for (place, request) in reply.places.iter().filter_map(|&place| Some((place, requests.get(place)?))) {
        let whole = printable_whole(request.input.as_ref());
        printer.note(Tone::Plain, &format!("{:>3}. {}({whole})", place + 1, request.tool));
    }
}

fn answer(places: &[usize], requests: &[Arc<ApprovalRequest>], approvals: &Approvals, answer: &Answer) {
    let ids: Vec<_> = places.iter().filter_map(|&place| Some(requests.get(place)?.id)).collect();
    // What is no longer pending belongs to a cell that has ended.
    approvals.answer(&ids, answer).ok();
}

/// Asks for a line and reads it; what was typed before does not count. `None` at the end.
async fn line(lines: &mut Option<mpsc::Receiver<String>>, ask: impl FnOnce()) -> Option<String> {
    let receiver = lines.get_or_insert_with(|| {
        let (send, receive) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut line = String::new();
            while io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {
                if send.blocking_send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        });
        receive
    });
    // Lines that the thread had read by now answer no question.
    forget_typed();
    while receiver.try_recv().is_ok() {}
    ask();
    receiver.recv().await
}

/// Drops what the terminal holds and nobody has read.
#[cfg(unix)]
fn forget_typed() {
    use rustix::termios::{QueueSelector, tcflush};
    tcflush(io::stdin(), QueueSelector::IFlush).ok();
}

#[cfg(not(unix))]
fn forget_typed() {}
