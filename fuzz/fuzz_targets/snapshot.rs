//! Bytes of a snapshot: as they come; and those of a real one with changes to its pages and a checksum that fits, of
//! which a VM is made and run. Its memory is then anything at all, so it may trap, but that is all it may do.
#![no_main]

use std::sync::{Arc, OnceLock};

use arbitrary::Arbitrary;
use carrel_engine::{CallHandle, Effect, Event, Progress, Snapshot};
use carrel_fuzz::{LIMITS, Stored, engine, run, start};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Bytes(&'a [u8]),
    Sealed(&'a [u8]),
    Changed { header: Vec<(u8, u8)>, pages: Vec<(u32, u8)>, call: Option<i64> },
}

/// The magic, the version and what else stands before the compressed pages.
const HEADER_BYTES: usize = 6 + 2 + 32 + 4 + 1 + 8 + 4;

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    bytes
}

/// A real snapshot's header and pages, and the call that its VM waits for.
fn real() -> &'static (Vec<u8>, Vec<u8>, CallHandle) {
    static REAL: OnceLock<(Vec<u8>, Vec<u8>, CallHandle)> = OnceLock::new();
    REAL.get_or_init(|| {
        let mut vm = start("const m = new Map([[1, 2]]); for (;;) text(await tools.echo([...m]))".to_owned());
        let (effects, _) = run(&mut vm);
        let [Effect::CallTool { call, .. }] = effects.as_slice() else { panic!("it calls") };
        let bytes = vm.snapshot().expect("it waits").to_bytes();
        let (header, rest) = bytes.split_at(HEADER_BYTES);
        let count = u32::from_le_bytes(header[HEADER_BYTES - 4..].try_into().expect("four bytes"));
        let pages =
            lz4_flex::block::decompress(&rest[..rest.len() - 32], count as usize * 4100).expect("its pages");
        (header.to_vec(), pages, *call)
    })
}

fuzz_target!(|input: Input| {
    let (header, pages, pending) = real();
    let (bytes, call) = match input {
        Input::Bytes(bytes) => (bytes.to_vec(), *pending),
        Input::Sealed(bytes) => (sealed([b"CRLVM\0\x02\0", bytes].concat()), *pending),
        Input::Changed { header: in_header, pages: in_pages, call } => {
            let (mut header, mut pages) = (header.clone(), pages.clone());
            // The identity of the image is left as it is: another is refused at once.
            for (at, byte) in in_header {
                let at = 40 + usize::from(at) % (HEADER_BYTES - 40);
                header[at] ^= byte;
            }
            let length = pages.len();
            for (at, byte) in in_pages {
                pages[at as usize % length] ^= byte;
            }
            header.extend(lz4_flex::block::compress(&pages));
            (sealed(header), call.map_or(*pending, CallHandle))
        }
    };
    let Ok(snapshot) = Snapshot::from_bytes(&bytes) else { return };
    assert_eq!(Snapshot::from_bytes(&snapshot.to_bytes()), Ok(snapshot.clone()));
    let Ok(mut vm) = engine().restore(&snapshot, Arc::new(Stored), LIMITS) else { return };
    vm.deliver(Event::Answered { call, json: "{\"a\":[1]}".into(), now_us: 1 });
    while matches!(vm.run().progress, Progress::Preempted | Progress::Ready) {}
    drop(vm.snapshot());
});
