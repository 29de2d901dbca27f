//! GIFs of all kinds, made here: no file that somebody else made is in this repository.

use gif::{Encoder, Frame, Repeat};

/// Five mebibytes.
pub(crate) const MAX: usize = 5 * 1024 * 1024;

/// A GIF of `frames` frames, each of the whole size and of one colour.
pub(crate) fn gif(width: u16, height: u16, frames: usize) -> Vec<u8> {
    let pixels = usize::from(width) * usize::from(height);
    let palette = [0xff, 0xff, 0xff, 0xe0, 0x60, 0x20, 0x20, 0x60, 0xe0, 0, 0, 0];
    let mut encoder =
        Encoder::new(vec![], width, height, &palette).expect("BUG: it is memory");
    encoder.set_repeat(Repeat::Infinite).expect("BUG: it is memory");
    for n in 0..frames {
        let frame = Frame {
            width,
            height,
            delay: 20,
            buffer: vec![u8::try_from(n % 4).expect("BUG: a small number"); pixels]
                .into(),
            ..Frame::default()
        };
        encoder.write_frame(&frame).expect("BUG: it is memory");
    }
    encoder.into_inner().expect("BUG: it is memory")
}

/// A small GIF that is like no other: each has a comment of its own.
pub(crate) fn small(n: usize) -> Vec<u8> {
    let gif = gif(16, 16, 2);
    let comment = format!("number {n:08}");
    with_comment(&gif, comment.as_bytes())
}

/// A GIF with another comment before its end, in blocks of at most 255 bytes.
pub(crate) fn with_comment(gif: &[u8], comment: &[u8]) -> Vec<u8> {
    let (trailer, rest) = gif.split_last().expect("BUG: a GIF");
    let mut gif = rest.to_vec();
    gif.extend([0x21, 0xfe]);
    for block in comment.chunks(255) {
        gif.push(u8::try_from(block.len()).expect("BUG: a short block"));
        gif.extend(block);
    }
    gif.extend([0, *trailer]);
    gif
}

/// A GIF of exactly so many bytes: what is missing is a comment.
pub(crate) fn of_size(size: usize) -> Vec<u8> {
    let gif = gif(16, 16, 2);
    let missing = size - gif.len() - 3;
    // Each block of up to 255 bytes takes one more for its length.
    let comment = vec![b'.'; missing - missing.div_ceil(256)];
    let gif = with_comment(&gif, &comment);
    assert_eq!(gif.len(), size);
    gif
}

/// A GIF whose picture is `width` by `height`, and whose data is of any kind.
pub(crate) fn raw(width: u16, height: u16, frames: &[&[u8]]) -> Vec<u8> {
    let mut gif = b"GIF89a".to_vec();
    gif.extend(width.to_le_bytes());
    gif.extend(height.to_le_bytes());
    // Four colours.
    gif.extend([0x81, 0, 0]);
    gif.extend([0; 12]);
    for data in frames {
        gif.extend([0x2c, 0, 0, 0, 0]);
        gif.extend(width.to_le_bytes());
        gif.extend(height.to_le_bytes());
        gif.extend([0, 2]);
        for block in data.chunks(255) {
            gif.push(u8::try_from(block.len()).expect("BUG: a short block"));
            gif.extend(block);
        }
        gif.push(0);
    }
    gif.push(0x3b);
    gif
}

/// Compressed data of which each byte means thousands of pixels: every code repeats the one
/// before, and is longer by one. The last one is repeated to the end.
pub(crate) fn bomb(bytes: usize) -> Vec<u8> {
    const CLEAR: u32 = 4;
    let (mut data, mut bits, mut held) = (vec![], 0_u64, 0);
    let mut width = 3;
    let codes = [CLEAR, 0].into_iter().chain(6..4096).chain(std::iter::repeat(4095));
    for code in codes {
        bits |= u64::from(code) << held;
        held += width;
        while held >= 8 {
            data.push((bits & 0xff) as u8);
            bits >>= 8;
            held -= 8;
        }
        if data.len() >= bytes {
            return data;
        }
        // The table has grown by one: from here on the codes are longer.
        if (6..4095).contains(&code) && (code + 1).is_power_of_two() && width < 12 {
            width += 1;
        }
    }
    data
}
