//! A colour for every visitor.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// How many hues there are.
const HUES: u32 = 359;
/// Saturations and lightnesses at which a name can be told from its background.
const LEVELS: [f64; 3] = [0.35, 0.5, 0.65];

/// A colour, as CSS writes it: `#rrggbb` in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Colour(String);

impl Colour {
    /// The colour of a text, always the same: the npm package `color-hash` finds it too.
    /// There are 3,231 of them. Two visitors may well have one, so it names nobody.
    pub(crate) fn of(text: &str) -> Self {
        let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(text));
        let hash = u32::from_be_bytes([a, b, c, d]);
        let rest = hash.div_ceil(360);
        let level = |number: u32| LEVELS[number as usize % LEVELS.len()];
        Self::from_hsl(hash % HUES, level(rest), level(rest.div_ceil(3)))
    }

    /// From a hue in degrees, and saturation and lightness from 0 to 1. The definition of CSS
    /// Color 3, 4.2.4, in its own order: half a step decides how a part is rounded.
    fn from_hsl(hue: u32, saturation: f64, lightness: f64) -> Self {
        let high = if lightness < 0.5 {
            lightness * (1.0 + saturation)
        } else {
            lightness + saturation - lightness * saturation
        };
        let low = 2.0 * lightness - high;
        // Where on the circle of hues this part is, as a fraction of it.
        let part = |turn: f64| {
            let turn = if turn < 0.0 { turn + 1.0 } else { turn };
            let value = match if turn > 1.0 { turn - 1.0 } else { turn } {
                turn if turn < 1.0 / 6.0 => low + (high - low) * 6.0 * turn,
                turn if turn < 0.5 => high,
                turn if turn < 2.0 / 3.0 => low + (high - low) * 6.0 * (2.0 / 3.0 - turn),
                _ => low,
            };
            (value * 255.0).round() as u8
        };
        let (hue, third) = (f64::from(hue) / 360.0, 1.0 / 3.0);
        let (red, green, blue) = (part(hue + third), part(hue), part(hue - third));
        Self(format!("#{red:02x}{green:02x}{blue:02x}"))
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
