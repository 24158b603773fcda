//! Numbers as text: what every protocol but CBOR writes and reads.

use std::io::Write as _;

/// Appends a number without a sign.
pub fn push_unsigned(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut used = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
        used += 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - used..).unwrap_or_default());
}

/// Appends an integer.
pub fn push_integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    push_unsigned(out, value.unsigned_abs());
}

/// Appends a finite number or `NaN`, `Infinity`, `-Infinity` (Smithy's spelling, without quotes).
/// `single` prints the shortest text that names the same 32-bit float.
pub fn push_float(out: &mut Vec<u8>, value: f64, single: bool) {
    if let Some(name) = not_finite(value) {
        out.extend_from_slice(name.as_bytes());
        return;
    }
    // Exponents keep the text short; a `.0` keeps the value a float for typeless readers.
    let plain = value == 0.0 || (1e-5..1e16).contains(&value.abs());
    // Writing to a Vec cannot fail.
    let _ = match (single, plain) {
        (true, true) => write!(out, "{:?}", value as f32),
        (true, false) => write!(out, "{:e}", value as f32),
        (false, true) => write!(out, "{value:?}"),
        (false, false) => write!(out, "{value:e}"),
    };
}

/// The name of a number that is not finite.
pub fn not_finite(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        None
    }
}

/// Reads what [`push_float`] writes and any decimal number.
pub fn parse_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust also accepts `inf`, `nan` and `infinity` in any case, which no protocol has.
        _ if text.bytes().any(|byte| matches!(byte, b'n' | b'N' | b'i' | b'I')) => None,
        // Digits beyond the range name no number that the sender can have meant.
        _ => text.parse().ok().filter(|value: &f64| value.is_finite()),
    }
}

/// Reads an integer; `None` when it is none or outside 64 bits.
pub fn parse_integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers() {
        let cases: &[(f64, bool, &str)] = &[
            (1.0, false, "1.0"),
            (0.1, true, "0.1"),
            (f64::from(0.1_f32), false, "0.10000000149011612"),
            (1e300, false, "1e300"),
            (-0.0, false, "-0.0"),
            (f64::NEG_INFINITY, false, "-Infinity"),
            (5e-324, false, "5e-324"),
        ];
        for (value, single, expected) in cases {
            let mut out = Vec::new();
            push_float(&mut out, *value, *single);
            assert_eq!(String::from_utf8(out).unwrap(), *expected);
        }
        for value in [0, -1, i64::MIN, i64::MAX, 10, 99] {
            let mut out = Vec::new();
            push_integer(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
        assert_eq!(parse_float("inf"), None);
        assert_eq!(parse_float("1e999"), None);
        assert_eq!(parse_float("1.5e3"), Some(1500.0));
    }
}
