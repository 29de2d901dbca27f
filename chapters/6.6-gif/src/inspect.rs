//! Is it a GIF? What a file's name says, and what a browser says of its type, is only a claim.

use std::io::{BufReader, Read};

use gif::{ColorOutput, DecodeOptions, Decoder};

/// The largest side of a picture, in pixels.
const MAX_SIDE: u16 = 4096;
/// The most frames. At the usual speed they last for more than three minutes.
const MAX_FRAMES: usize = 2000;
/// The most pixels in all frames together. A file of 5 MiB can legally ask for gigabytes,
/// and keep a core busy for ten seconds.
const MAX_PIXELS: u64 = 64 * 1024 * 1024;

/// What is wrong with it, for whoever sent it.
pub(crate) type NoGif = &'static str;

/// Reads every frame. What passes is a GIF from the first byte to the last, small enough for
/// every browser, and nothing else at the same time.
pub(crate) fn inspect(bytes: &[u8]) -> Result<(), NoGif> {
    const BROKEN: NoGif = "That is not a whole GIF.";
    let mut options = DecodeOptions::new();
    // Numbers of colours are enough to know that a frame can be read.
    options.set_color_output(ColorOutput::Indexed);
    options.check_frame_consistency(true);
    let mut decoder = options.read_info(bytes).map_err(|_| "That is not a GIF.")?;
    if decoder.width().max(decoder.height()) > MAX_SIDE {
        return Err("A GIF has at most 4096 by 4096 pixels.");
    }
    if count_frames(&mut decoder, BROKEN)? == 0 {
        return Err("This GIF has no picture in it.");
    }
    // The decoder stops at the trailer. A file that goes on may be something else as well.
    if ends_here(decoder.into_inner()) { Ok(()) } else { Err(BROKEN) }
}

/// Decodes all frames, after having looked at how large each is.
fn count_frames<R: Read>(
    decoder: &mut Decoder<R>,
    broken: NoGif,
) -> Result<usize, NoGif> {
    let (mut frames, mut pixels) = (0, 0);
    let mut buffer = Vec::new();
    while let Some(frame) = decoder.next_frame_info().map_err(|_| broken)? {
        frames += 1;
        pixels += u64::from(frame.width) * u64::from(frame.height);
        if frames > MAX_FRAMES {
            return Err("A GIF has at most 2000 frames.");
        }
        if pixels > MAX_PIXELS {
            return Err("This GIF has too many pixels, in all frames together.");
        }
        buffer.resize(decoder.buffer_size(), 0);
        decoder.read_into_buffer(&mut buffer).map_err(|_| broken)?;
    }
    Ok(frames)
}

fn ends_here(rest: BufReader<&[u8]>) -> bool {
    rest.buffer().is_empty() && rest.get_ref().is_empty()
}
