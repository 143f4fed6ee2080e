//! The smallest encoder of PNG (RFC 2083) that an image of four colours needs: two bits a pixel, stored
//! without compression.

/// Encodes an image. `pixels` are indices 0 to 3 into `palette`, row by row; missing ones are 0.
pub(super) fn encode(width: u16, height: u16, palette: &[[u8; 3]; 4], pixels: &[u8]) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..usize::from(height) {
        // Each row begins with its filter: none.
        rows.push(0);
        let start = y * usize::from(width);
        let row = pixels.get(start..start + usize::from(width)).unwrap_or_default();
        for x in (0..usize::from(width)).step_by(4) {
            let at = |i: usize| row.get(x + i).copied().unwrap_or(0) & 3;
            rows.push(at(0) << 6 | at(1) << 4 | at(2) << 2 | at(3));
        }
    }
    let mut header = Vec::new();
    header.extend(u32::from(width).to_be_bytes());
    header.extend(u32::from(height).to_be_bytes());
    header.extend([2, 3, 0, 0, 0]); // two bits, palette, deflate, adaptive filters, not interlaced
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"PLTE", palette.as_flattened());
    chunk(&mut png, *b"IDAT", &zlib_stored(&rows));
    chunk(&mut png, *b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    png.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    png.extend(kind);
    png.extend(data);
    png.extend(crc32(kind.iter().chain(data)).to_be_bytes());
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951, 3.2.4).
fn zlib_stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = data.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out.extend(adler32(data).to_be_bytes());
    out
}

fn adler32(data: &[u8]) -> u32 {
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

fn crc32<'a>(data: impl Iterator<Item = &'a u8>) -> u32 {
    !data.fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789".iter()), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn encodes_pixel_by_pixel() {
        let png = encode(5, 2, &[[0; 3], [1; 3], [2; 3], [3; 3]], &[3, 2, 1, 0, 3, 0, 0, 0, 0, 1]);
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x05\0\0\0\x02\x02\x03"));
        let rows = [0, 0b1110_0100, 0b1100_0000, 0, 0, 0b0100_0000];
        assert!(png.windows(rows.len()).any(|window| window == rows));
    }
}
