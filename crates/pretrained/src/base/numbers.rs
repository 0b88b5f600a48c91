//! Numbers as files store them, made f32: each function is exact, or rounds as its format's definition does.
//!
//! Quantised blocks of 32 share a scale d (and an offset m), both f16; quants are unsigned, low halves of bytes first.
//! One multiplication and one addition, each rounded to f32, as ggml has them. Knows neither files nor tensors.

/// Values of a quantised block.
pub(crate) const BLOCK: usize = 32;

/// IEEE 754 binary16.
pub(crate) fn of_f16(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10) & 0x1f;
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        // fraction * 2^-24: a product of powers of two with at most ten bits is exact.
        0 => (fraction as f32 * f32::from_bits((127 - 24) << 23)).to_bits(),
        31 => 0x7f80_0000 | (fraction << 13),
        _ => ((exponent + 127 - 15) << 23) | (fraction << 13),
    };
    f32::from_bits(sign | magnitude)
}

/// The upper half of an f32.
pub(crate) fn of_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// How a tensor's values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
}

impl Stored {
    /// Values and bytes of the smallest piece.
    pub fn block(self) -> (usize, usize) {
        match self {
            Stored::F32 => (1, 4),
            Stored::F16 | Stored::Bf16 => (1, 2),
            Stored::Q4_0 => (BLOCK, 2 + 16),
            Stored::Q4_1 => (BLOCK, 2 + 2 + 16),
            Stored::Q5_0 => (BLOCK, 2 + 4 + 16),
            Stored::Q5_1 => (BLOCK, 2 + 2 + 4 + 16),
            Stored::Q8_0 => (BLOCK, 2 + 32),
        }
    }

    /// Appends the values of whole pieces; a rest of `bytes` that is none is left out.
    pub fn read(self, bytes: &[u8], into: &mut Vec<f32>) {
        match self {
            Stored::F32 => into.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
            Stored::F16 => into.extend(bytes.as_chunks().0.iter().map(|b| f16(*b))),
            Stored::Bf16 => {
                let words = bytes.as_chunks().0.iter();
                into.extend(words.map(|b| of_bf16(u16::from_le_bytes(*b))));
            }
            Stored::Q4_0 => {
                for block in bytes.as_chunks::<18>().0 {
                    let scale = half(block, 0);
                    let values = nibbles(&block[2..]).map(|quant| f32::from(quant) - 8.0);
                    into.extend(values.map(|value| value * scale));
                }
            }
            Stored::Q4_1 => {
                for block in bytes.as_chunks::<20>().0 {
                    let (scale, offset) = (half(block, 0), half(block, 2));
                    let values = nibbles(&block[4..]).map(f32::from);
                    into.extend(values.map(|value| value * scale + offset));
                }
            }
            Stored::Q5_0 => {
                for block in bytes.as_chunks::<22>().0 {
                    let scale = half(block, 0);
                    let values = fifths(&block[2..]).map(|quant| f32::from(quant) - 16.0);
                    into.extend(values.map(|value| value * scale));
                }
            }
            Stored::Q5_1 => {
                for block in bytes.as_chunks::<24>().0 {
                    let (scale, offset) = (half(block, 0), half(block, 2));
                    let values = fifths(&block[4..]).map(f32::from);
                    into.extend(values.map(|value| value * scale + offset));
                }
            }
            Stored::Q8_0 => {
                for block in bytes.as_chunks::<34>().0 {
                    let scale = half(block, 0);
                    let quants = block[2..].iter().map(|&byte| f32::from(byte as i8));
                    into.extend(quants.map(|quant| quant * scale));
                }
            }
        }
    }
}

fn f16(bytes: [u8; 2]) -> f32 {
    of_f16(u16::from_le_bytes(bytes))
}

fn half(block: &[u8], at: usize) -> f32 {
    f16([block[at], block[at + 1]])
}

/// 16 low halves, then 16 high ones.
fn nibbles(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let low = bytes.iter().map(|byte| byte & 15);
    low.chain(bytes.iter().map(|byte| byte >> 4))
}

/// Four bytes with the fifth bit of each, then their lower four as [`nibbles`].
fn fifths(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let upper = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let quants = nibbles(&bytes[4..]).enumerate();
    quants.map(move |(i, low)| low | (((upper >> i) & 1) as u8) << 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition, in f64, where all of it is exact.
    fn f16_by_definition(bits: u16) -> f64 {
        let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
        let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
        match exponent {
            0 => sign * fraction / f64::from(1 << 24),
            31 if fraction == 0.0 => sign * f64::INFINITY,
            31 => f64::NAN,
            _ => sign * (1.0 + fraction / 1024.0) * f64::from(1 << exponent) / f64::from(1 << 15),
        }
    }

    #[test]
    fn every_half_is_exact() {
        for bits in 0..=u16::MAX {
            let (found, expected) = (of_f16(bits), f16_by_definition(bits));
            assert!(
                f64::from(found) == expected || (found.is_nan() && expected.is_nan()),
                "{bits:#06x}: {found} is not {expected}"
            );
            assert!(found.is_nan() || found.is_sign_negative() == (bits >> 15 == 1));
        }
        assert_eq!(of_bf16(0x3fc0), 1.5);
        assert_eq!(of_bf16(0xc2f7), -123.5);
    }

    fn read(stored: Stored, bytes: &[u8]) -> Vec<f32> {
        let mut values = Vec::new();
        stored.read(bytes, &mut values);
        values
    }

    /// d = 0.5, m = -2; byte j has quant j below and 15 - j above, and the fifth bit of every third is set.
    #[test]
    fn blocks_are_unpacked_in_their_order() {
        let (scale, offset) = (0x3800u16.to_le_bytes(), 0xc000u16.to_le_bytes());
        let quants: Vec<u8> = (0..16).map(|j| j | ((15 - j) << 4)).collect();
        let fifth: u32 = (0..32).step_by(3).map(|i| 1 << i).sum();
        let quant = |i: usize| if i < 16 { i as f32 } else { (31 - i) as f32 };
        let wide = |i: usize| quant(i) + if i.is_multiple_of(3) { 16.0 } else { 0.0 };
        let expect = |of: &dyn Fn(usize) -> f32| (0..32).map(of).collect::<Vec<f32>>();
        let fifth = fifth.to_le_bytes();
        let join = |parts: &[&[u8]]| parts.concat();
        assert_eq!(
            read(Stored::Q4_0, &join(&[&scale, &quants])),
            expect(&|i| (quant(i) - 8.0) * 0.5)
        );
        assert_eq!(
            read(Stored::Q4_1, &join(&[&scale, &offset, &quants])),
            expect(&|i| quant(i) * 0.5 - 2.0)
        );
        assert_eq!(
            read(Stored::Q5_0, &join(&[&scale, &fifth, &quants])),
            expect(&|i| (wide(i) - 16.0) * 0.5)
        );
        assert_eq!(
            read(Stored::Q5_1, &join(&[&scale, &offset, &fifth, &quants])),
            expect(&|i| wide(i) * 0.5 - 2.0)
        );
        let signed: Vec<u8> = (0..32u8).map(|i| i.wrapping_sub(16)).collect();
        assert_eq!(
            read(Stored::Q8_0, &join(&[&scale, &signed])),
            expect(&|i| (i as f32 - 16.0) * 0.5)
        );
    }

    #[test]
    fn a_block_is_as_long_as_it_says() {
        use Stored::{Bf16, F16, F32, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
        for stored in [F32, F16, Bf16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0] {
            let (values, bytes) = stored.block();
            assert_eq!(read(stored, &vec![0; 3 * bytes]).len(), 3 * values);
            assert_eq!(read(stored, &vec![0; 3 * bytes - 1]).len(), 2 * values);
        }
    }
}
