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

    /// From a hue in degrees, and saturation and lightness from 0 to 1. A colour's three
    /// parts lie a third of the circle apart, as in the definition of CSS Color 4, 7.1.
    fn from_hsl(hue: u32, saturation: f64, lightness: f64) -> Self {
        let reach = saturation * lightness.min(1.0 - lightness);
        let part = |offset: f64| {
            let k = (offset + f64::from(hue) / 30.0) % 12.0;
            let value = lightness - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
            (value * 255.0).round()
        };
        Self(format!("#{:02x}{:02x}{:02x}", part(0.0) as u8, part(8.0) as u8, part(4.0) as u8))
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
