//! A text as the picture of a QR code, for apps that take a seed through their camera.

use crate::errors::internal;
use palisade_shape::Result;
use png::{BitDepth, ColorType, Encoder};
use qrcodegen::{QrCode, QrCodeEcc};

/// Pixels to a module.
const SCALE: i32 = 4;
/// Light modules around the code, which scanners want (ISO/IEC 18004).
const MARGIN: i32 = 4;

/// The text's QR code as a PNG of one bit a pixel.
pub fn png(text: &str) -> Result<Vec<u8>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(internal)?;
    let side = (code.size() + 2 * MARGIN) * SCALE;
    let mut rows = Vec::new();
    for y in 0..side {
        let mut x = 0;
        while x < side {
            let bit = |x: i32| {
                // Outside of the code, and beyond the end of a row, everything is light.
                u8::from(!code.get_module(x / SCALE - MARGIN, y / SCALE - MARGIN))
            };
            rows.push((0..8).fold(0, |byte, place| byte << 1 | bit(x + place)));
            x += 8;
        }
    }
    let side = u32::try_from(side).map_err(internal)?;
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header().map_err(internal)?;
    writer.write_image_data(&rows).map_err(internal)?;
    writer.finish().map_err(internal)?;
    Ok(out)
}
