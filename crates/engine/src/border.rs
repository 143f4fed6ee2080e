//! Where the guest's calls arrive: the host's half of `guest/host.h`.
//!
//! The guest is hostile: every number and range that it passes is checked. Nothing here may depend on
//! anything but the guest and the event that it is working on.

use std::str;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::{Caller, Error, Linker, Memory, ResourceLimiter, Result};

use crate::compute::{self, Question};
use crate::event::{CallHandle, Effect, Ending, GuestError, ImageDetail, Level, MediaKind, StoredValues};

/// The host's side of one VM, kept in its wasmtime store.
pub(crate) struct Guest {
    /// Effects of the current turn. Shared with the VM's owner, who takes them while the guest is preempted.
    pub(crate) effects: Arc<Mutex<Vec<Effect>>>,
    /// The guest's memory, known once it is instantiated.
    pub(crate) memory: Option<Memory>,
    /// Set by a [`Stopper`](crate::Stopper), read when a slice ends.
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) limiter: MemoryLimiter,
    /// The byte strings the guest may fetch now, in the order of `enum parcel`.
    pub(crate) parcels: [Option<Arc<str>>; 5],
    /// How the cell ended, and whether the VM takes a further one.
    pub(crate) ending: Option<(Ending, bool)>,
    pub(crate) stored: Arc<dyn StoredValues>,
}

/// The indices of [`Guest::parcels`].
pub(crate) const EVENT: usize = 0;
pub(crate) const SOURCE: usize = 1;
const STORED: usize = 2;
const REPLY: usize = 3;
pub(crate) const ZONE: usize = 4;

impl Guest {
    pub(crate) fn new(stored: Arc<dyn StoredValues>, memory_bytes: usize, stop: Arc<AtomicBool>) -> Self {
        Self {
            effects: Arc::default(),
            memory: None,
            stop,
            limiter: MemoryLimiter { memory_bytes, refused: false },
            parcels: [const { None }; 5],
            ending: None,
            stored,
        }
    }

    /// Forgets what was the last cell's.
    pub(crate) fn begin(&mut self, stop: Arc<AtomicBool>) {
        self.stop = stop;
        self.limiter.refused = false;
        self.parcels = [const { None }; 5];
    }

    pub(crate) fn must_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Holds a VM to its memory limit.
pub(crate) struct MemoryLimiter {
    memory_bytes: usize,
    /// Whether the limit was reached in this event.
    pub(crate) refused: bool,
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let allowed = desired <= self.memory_bytes;
        self.refused |= !allowed;
        Ok(allowed)
    }

    /// Asked once, when the instance is made: the guest has no instruction that grows a table.
    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(true)
    }
}

/// Defines the imports that `guest/host.h` declares.
pub(crate) fn define(linker: &mut Linker<Guest>) -> Result<()> {
    linker.func_wrap("carrel", "effect", effect)?;
    linker.func_wrap("carrel", "find_stored", find_stored)?;
    linker.func_wrap("carrel", "copy_parcel", copy_parcel)?;
    linker.func_wrap("carrel", "compute", compute)?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the shape of the import")]
fn effect(
    mut caller: Caller<'_, Guest>,
    kind: i32,
    small: i32,
    number: i64,
    a: u32,
    a_len: u32,
    b: u32,
    b_len: u32,
) -> Result<()> {
    let memory = memory(&caller)?;
    let (bytes, guest) = memory.data_and_store_mut(&mut caller);
    let a = || text(bytes, a, a_len);
    let b_text = || text(bytes, b, b_len);
    // The numbers of `enum effect`.
    let effect = match kind {
        1 => Effect::CallTool {
            call: CallHandle(number),
            tool: usize::try_from(small).map_err(|_| odd("tool"))?,
            input: (a_len > 0).then(a).transpose()?,
            location: (b > 0).then_some((b, b_len)),
        },
        2 => Effect::Text { text: a()?, level: level(small)? },
        3 => Effect::Media { kind: MediaKind::Image, data: a()?, mime_type: b_text()? },
        4 => Effect::Media { kind: MediaKind::Audio, data: a()?, mime_type: b_text()? },
        5 => Effect::Block { json: a()? },
        6 => Effect::Notify { text: a()? },
        7 => Effect::Store { key: a()?, json: b_text()? },
        8 => Effect::SetTimer { id: number, delay_ms: u32::try_from(small).map_err(|_| odd("delay"))? },
        9 => Effect::ClearTimer { id: number },
        10 => Effect::Yield,
        11 => Effect::Warn { reason: guest_error(&a()?) },
        12 => {
            guest.ending = Some((ending(small, &a()?)?, number != 0));
            return Ok(());
        }
        13 => Effect::SearchTools {
            call: CallHandle(number),
            query: a()?,
            limit: usize::try_from(small).map_err(|_| odd("limit"))?,
        },
        14 => Effect::DescribeTools { call: CallHandle(number), tools: places(&a()?)? },
        15 => Effect::ImageUrl { url: a()?, detail: detail(small)? },
        16 => Effect::AudioUrl { url: a()? },
        _ => return Err(odd("effect")),
    };
    guest.effects.lock().unwrap_or_else(PoisonError::into_inner).push(effect);
    Ok(())
}

/// Reads the places of tools, separated by commas.
fn places(text: &str) -> Result<Vec<usize>> {
    text.split(',').map(|place| place.parse().map_err(|_| odd("tool"))).collect()
}

fn find_stored(mut caller: Caller<'_, Guest>, key: u32, key_len: u32) -> Result<i32> {
    let memory = memory(&caller)?;
    let (bytes, guest) = memory.data_and_store_mut(&mut caller);
    let found = guest.stored.get(&text(bytes, key, key_len)?);
    let len = found.as_ref().map_or(Ok(-1), |json| i32::try_from(json.len()));
    guest.parcels[STORED] = found;
    len.map_err(|_| odd("length of a stored value"))
}

fn copy_parcel(mut caller: Caller<'_, Guest>, parcel: i32, into: u32) -> Result<()> {
    let memory = memory(&caller)?;
    let (bytes, guest) = memory.data_and_store_mut(&mut caller);
    let parcel = usize::try_from(parcel)
        .ok()
        .and_then(|index| guest.parcels.get_mut(index))
        .and_then(Option::take)
        .ok_or_else(|| odd("parcel"))?;
    bytes
        .get_mut(into as usize..)
        .and_then(|room| room.get_mut(..parcel.len()))
        .ok_or_else(|| odd("address"))?
        .copy_from_slice(parcel.as_bytes());
    Ok(())
}

fn compute(
    mut caller: Caller<'_, Guest>,
    question: i32,
    a: u32,
    a_len: u32,
    b: u32,
    b_len: u32,
) -> Result<i32> {
    let memory = memory(&caller)?;
    let (bytes, guest) = memory.data_and_store_mut(&mut caller);
    let question = Question::of(question).ok_or_else(|| odd("question"))?;
    let answer = compute::answer(question, &text(bytes, a, a_len)?, &text(bytes, b, b_len)?);
    let (reply, refused) = match answer {
        Ok(reply) => (reply, false),
        Err(reason) => (reason, true),
    };
    let len = i32::try_from(reply.len()).map_err(|_| odd("length of a reply"))?;
    guest.parcels[REPLY] = Some(reply.into());
    Ok(if refused { -1 - len } else { len })
}

fn memory(caller: &Caller<'_, Guest>) -> Result<Memory> {
    caller.data().memory.ok_or_else(|| odd("memory"))
}

/// Copies text out of the guest. JavaScript strings may hold half a surrogate pair, which QuickJS writes as UTF-8
/// would if it could; it becomes U+FFFD.
fn text(bytes: &[u8], at: u32, len: u32) -> Result<String> {
    let range =
        bytes.get(at as usize..).and_then(|rest| rest.get(..len as usize)).ok_or_else(|| odd("range"))?;
    if let Ok(text) = str::from_utf8(range) {
        return Ok(text.to_owned());
    }
    let mut copy = range.to_vec();
    let mut rest = copy.as_mut_slice();
    while let [first, after @ ..] = rest {
        if let (0xed, [second @ 0xa0..=0xbf, third, ..]) = (*first, &mut *after) {
            (*first, *second, *third) = (0xef, 0xbf, 0xbd);
        }
        rest = after;
    }
    Ok(String::from_utf8_lossy(&copy).into_owned())
}

fn detail(small: i32) -> Result<ImageDetail> {
    Ok(match small {
        0 => ImageDetail::Auto,
        1 => ImageDetail::Low,
        2 => ImageDetail::High,
        3 => ImageDetail::Original,
        _ => return Err(odd("detail")),
    })
}

fn level(small: i32) -> Result<Option<Level>> {
    Ok(Some(match small {
        0 => return Ok(None),
        1 => Level::Debug,
        2 => Level::Log,
        3 => Level::Info,
        4 => Level::Warn,
        5 => Level::Error,
        _ => return Err(odd("level")),
    }))
}

/// Reads the numbers of `enum ending`.
fn ending(small: i32, text: &str) -> Result<Ending> {
    Ok(match small {
        0 => Ending::Completed((!text.is_empty()).then(|| text.to_owned())),
        1 => Ending::Exited,
        // A module can also fail to link, by an import: that is an error like any other.
        2 => match guest_error(text) {
            error if error.name == "SyntaxError" => Ending::SyntaxError(error),
            error => Ending::Threw(error),
        },
        3 => Ending::Threw(guest_error(text)),
        4 => Ending::Unsettled,
        5 => Ending::OutOfMemory((!text.is_empty()).then(|| guest_error(text))),
        _ => return Err(odd("ending")),
    })
}

/// Reads what the prelude's `describe` wrote, if it could.
fn guest_error(json: &str) -> GuestError {
    serde_json::from_str(json).unwrap_or_else(|_| GuestError {
        message: "a value that cannot be described".to_owned(),
        ..GuestError::default()
    })
}

/// The guest broke the agreement of `host.h`: its memory can no longer be trusted, so it traps.
fn odd(what: &'static str) -> Error {
    Error::msg(format!("the guest passed an impossible {what}"))
}
