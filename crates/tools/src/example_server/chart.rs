//! A bar chart of twelve months, drawn pixel by pixel.

use super::png;

const WIDTH: u16 = 244;
const HEIGHT: u16 = 120;
const BAR_WIDTH: u16 = 14;
const BAR_PITCH: u16 = 20;
const MARGIN: u16 = 4;

/// Paper, bar, best bar, axis.
const PALETTE: [[u8; 3]; 4] =
    [[0xfb, 0xf8, 0xf1], [0x3b, 0x6e, 0xa5], [0xc2, 0x55, 0x2d], [0x4a, 0x44, 0x3d]];

/// Draws the months as bars, the best one in another colour, and returns a PNG.
pub(super) fn draw(months: &[u32; 12]) -> Vec<u8> {
    let mut pixels = vec![0_u8; usize::from(WIDTH) * usize::from(HEIGHT)];
    let mut fill = |x: u16, y: u16, width: u16, height: u16, colour: u8| {
        for row in y..y + height {
            let start = usize::from(row) * usize::from(WIDTH) + usize::from(x);
            if let Some(run) = pixels.get_mut(start..start + usize::from(width)) {
                run.fill(colour);
            }
        }
    };
    let floor = HEIGHT - MARGIN;
    let tallest = floor - 2 * MARGIN;
    let most = months.iter().copied().max().unwrap_or_default().max(1);
    let mut x = MARGIN + (BAR_PITCH - BAR_WIDTH) / 2;
    for sold in months {
        let height = u32::from(tallest) * sold / most;
        let height = u16::try_from(height).unwrap_or(tallest);
        let colour = if *sold == most { 2 } else { 1 };
        fill(x, floor - height, BAR_WIDTH, height, colour);
        x += BAR_PITCH;
    }
    fill(MARGIN, floor, WIDTH - 2 * MARGIN, 2, 3);
    png::encode(WIDTH, HEIGHT, &PALETTE, &pixels)
}
