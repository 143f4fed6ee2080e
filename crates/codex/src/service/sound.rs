//! What a sound costs of a budget: ten tokens a second, where its length can be told, else what its text costs.

/// What is said in place of a sound that no model can hear.
pub(super) const TOO_SHORT: &str =
    "Audio output omitted because the clip is shorter than 25 ms; use a longer clip.";

const TOKENS_PER_SECOND: u64 = 10;
const LEAST_MICROSECONDS: u64 = 25_000;
const SECOND: u64 = 1_000_000;
const TOKEN_BYTES: usize = 4;

/// Returns what a sound costs; `None` for one that is too short.
pub(super) fn tokens(url: &str) -> Option<usize> {
    let Some(microseconds) = length(url) else { return Some(url.len().div_ceil(TOKEN_BYTES)) };
    let tokens = microseconds.saturating_mul(TOKENS_PER_SECOND).div_ceil(SECOND);
    (microseconds >= LEAST_MICROSECONDS).then(|| usize::try_from(tokens).unwrap_or(usize::MAX))
}

/// Returns how long a sound is, in microseconds: of a WAV file or an MP3 file, and whatever their URL calls these. Other
/// formats that there are for sounds are taken for a second, as long as nobody reads them here.
fn length(url: &str) -> Option<u64> {
    let (head, data) = url.split_once(',')?;
    let head = head.to_ascii_lowercase();
    let kind = head.strip_prefix("data:audio/")?;
    let (kind, _) = kind.split_once(';')?;
    if !head.ends_with(";base64") || !KINDS.contains(&kind) {
        return None;
    }
    let bytes = decode(data)?;
    match bytes.get(..4)? {
        b"RIFF" => wav(&bytes),
        b"OggS" | b"fLaC" | b"\x1a\x45\xdf\xa3" => Some(SECOND),
        _ if bytes.get(4..8) == Some(b"ftyp") => Some(SECOND),
        _ => mp3(&bytes),
    }
}

const KINDS: [&str; 12] =
    ["wav", "x-wav", "wave", "vnd.wave", "mpeg", "mp3", "ogg", "opus", "flac", "mp4", "m4a", "webm"];

fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for i in 0..4 {
            let value = match group.get(i) {
                None => 0,
                Some(c @ b'A'..=b'Z') => c - b'A',
                Some(c @ b'a'..=b'z') => c - b'a' + 26,
                Some(c @ b'0'..=b'9') => c - b'0' + 52,
                Some(b'+') => 62,
                Some(b'/') => 63,
                Some(_) => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bytes.extend_from_slice(bits.to_be_bytes().get(1..group.len())?);
    }
    Some(bytes)
}

/// Reads a WAV file's bytes a second, and how many it says that it has.
fn wav(bytes: &[u8]) -> Option<u64> {
    let number = |at: usize| Some(u64::from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)));
    let (mut at, mut rate) = (12, None);
    loop {
        let (name, size) = (bytes.get(at..at + 4)?, number(at + 4)?);
        match name {
            b"fmt " => rate = Some(number(at + 16)?).filter(|rate| *rate > 0),
            b"data" => return size.checked_mul(SECOND)?.checked_div(rate?),
            _ => {}
        }
        at = at.checked_add(8)?.checked_add(usize::try_from(size + size % 2).ok()?)?;
    }
}

/// Adds up the frames of an MP3 file, of which there has to be one.
fn mp3(bytes: &[u8]) -> Option<u64> {
    let mut at = 0;
    if let Some([b'I', b'D', b'3', _, _, _, size @ ..]) = bytes.get(..10) {
        // Seven bits a byte.
        at = 10 + size.iter().fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
    }
    let mut microseconds = 0;
    while let Some(frame) = bytes.get(at..).and_then(Frame::read) {
        microseconds += frame.microseconds;
        at += frame.bytes;
    }
    (microseconds > 0).then_some(microseconds)
}

/// A frame of MPEG audio, layer III.
struct Frame {
    bytes: usize,
    microseconds: u64,
}

impl Frame {
    fn read(bytes: &[u8]) -> Option<Self> {
        const KBITS: [[u32; 14]; 2] = [
            [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
            [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        ];
        const HERTZ: [u32; 3] = [44_100, 48_000, 32_000];
        let &[0xff, kind, rates, _] = bytes.get(..4)? else { return None };
        // Version 1, 2 or 2.5; of the latter two a frame has half the samples.
        let (is_first, slower) = match kind >> 3 & 3 {
            3 => (true, 1),
            2 => (false, 2),
            0 => (false, 4),
            _ => return None,
        };
        if kind >> 5 != 7 || kind >> 1 & 3 != 1 {
            return None;
        }
        let kbits = KBITS.get(usize::from(!is_first))?.get(usize::from(rates >> 4).checked_sub(1)?)?;
        let hertz = HERTZ.get(usize::from(rates >> 2 & 3))? / slower;
        let samples = if is_first { 1152 } else { 576 };
        let length = samples / 8 * kbits * 1000 / hertz + u32::from(rates >> 1 & 1);
        Some(Self {
            bytes: usize::try_from(length).ok()?,
            microseconds: u64::from(samples) * SECOND / u64::from(hertz),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(kind: &str, bytes: &[u8]) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let bits = (0..3).fold(0usize, |bits, i| bits << 8 | group.get(i).map_or(0, |b| usize::from(*b)));
            for i in 0..=group.len() {
                text.push(char::from(DIGITS[bits >> (18 - 6 * i) & 63]));
            }
            text.push_str(&"="[..usize::from(group.len() < 3)].repeat(3 - group.len()));
        }
        format!("data:audio/{kind};base64,{text}")
    }

    /// Eight thousand bytes a second, with a chunk before them that is none of ours.
    fn wav(milliseconds: u32) -> Vec<u8> {
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wav.extend([8000_u32.to_le_bytes(), 8000_u32.to_le_bytes()].concat());
        wav.extend(b"\x01\0\x08\0LIST\x03\0\0\0xyz\0data");
        wav.extend((milliseconds * 8).to_le_bytes());
        wav.resize(wav.len() + milliseconds as usize * 8, 0x80);
        wav
    }

    /// As observed on the host of 0.169.0.
    #[test]
    fn ten_tokens_a_second() {
        for (milliseconds, expected) in
            [(3000, Some(30)), (3050, Some(31)), (500, Some(5)), (25, Some(1)), (10, None)]
        {
            for kind in ["wav", "x-wav", "mpeg", "WAV;codecs=1"] {
                assert_eq!(tokens(&url(kind, &wav(milliseconds))), expected, "{kind} {milliseconds}");
            }
        }
        let frame = [&[0xff, 0xfb, 0x90, 0][..], &[0; 413]].concat();
        assert_eq!(tokens(&url("mpeg", &frame.repeat(115))), Some(31));
        assert_eq!(tokens(&url("mp3", &frame.repeat(1150))), Some(301));
        let tagged = [&b"ID3\x04\0\0\0\0\x01\x02"[..], &[0; 130], &frame.repeat(115)].concat();
        assert_eq!(tokens(&url("mp3", &tagged)), Some(31));
    }

    /// As observed on the host of 0.169.0.
    #[test]
    fn what_is_no_sound_costs_its_text() {
        let garbage = url("wav", &b"garbage".repeat(1000));
        for (url, expected) in [
            ("data:x", 2),
            ("data:audio/wav,hello", 5),
            ("data:audio/wav;base64,AAAA", 7),
            (&garbage, 2340),
            (&url("foo", &wav(3000)), 8025),
        ] {
            assert_eq!(tokens(url), Some(expected));
        }
        assert_eq!(tokens(&url("ogg", b"OggS and so on")), Some(10));
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_no_fault() {
        let (wav, frame) = (wav(30), [0xff, 0xfb, 0x90, 0]);
        for end in 0..wav.len() {
            tokens(&url("wav", &wav[..end]));
        }
        for byte in 0..=u8::MAX {
            for at in 0..4 {
                let mut frame = frame;
                frame[at] = byte;
                tokens(&url("mp3", &frame));
            }
        }
    }
}
