//! The colours of the charts, each with a role, for light and for dark surroundings.
//!
//! Plotters writes the light colour into the file, so that a program without CSS draws a light
//! card. A style sheet in the file replaces them, by their value, where the reader prefers dark.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// What a colour is used for; no two roles share a light colour.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    /// The card behind everything.
    Card,
    /// Titles.
    Ink,
    /// Subtitles, axis labels.
    Muted,
    /// Lines of the grid.
    Grid,
    /// RSS during the call.
    Rss,
    /// RSS of the process outside the call.
    Process,
    /// Live heap bytes.
    Heap,
    /// Peaks.
    Peak,
    /// Entry, exit and brackets of calls.
    Call,
    /// Brackets of other calls.
    OtherCall,
    /// The first of several curves over each other.
    Curve1,
    /// The second.
    Curve2,
    /// The third.
    Curve3,
    /// The fourth.
    Curve4,
    /// The fifth.
    Curve5,
    /// The sixth.
    Curve6,
    /// The seventh.
    Curve7,
    /// The eighth.
    Curve8,
}

/// The roles of curves over each other, in their order.
const CURVES: [Role; 8] = [
    Role::Curve1,
    Role::Curve2,
    Role::Curve3,
    Role::Curve4,
    Role::Curve5,
    Role::Curve6,
    Role::Curve7,
    Role::Curve8,
];

/// Roles with their light and dark colours. Text and lines that carry meaning have a contrast of
/// 4.5 with their card, the grid is meant to stay behind.
const COLOURS: [(Role, u32, u32); 18] = [
    (Role::Card, 0xFF_FF_FF, 0x12_16_1C),
    (Role::Ink, 0x1F_23_28, 0xE8_EC_F1),
    (Role::Muted, 0x57_60_6A, 0x9B_A5_B1),
    (Role::Grid, 0xE4_E7_EB, 0x2A_30_38),
    (Role::Rss, 0x0B_5F_A5, 0x5A_AD_F5),
    (Role::Process, 0x6F_78_82, 0x7F_88_93),
    (Role::Heap, 0x8A_5A_00, 0xD9_A4_3B),
    (Role::Peak, 0xB4_23_2A, 0xFF_83_7A),
    (Role::Call, 0x6B_3F_B8, 0xB7_9A_F5),
    (Role::OtherCall, 0x6B_3F_B9, 0xB7_9A_F6),
    (Role::Curve1, 0x0B_5F_A6, 0x5A_AD_F6),
    (Role::Curve2, 0xB3_42_0B, 0xFF_9F_66),
    (Role::Curve3, 0x0F_7A_5A, 0x4C_C7_9B),
    (Role::Curve4, 0x9A_2F_7F, 0xE7_8B_D0),
    (Role::Curve5, 0x7A_62_00, 0xD1_B3_3C),
    (Role::Curve6, 0x5A_4F_CF, 0xA4_9B_FF),
    (Role::Curve7, 0x0A_72_85, 0x45_BF_D6),
    (Role::Curve8, 0x8A_3A_3A, 0xF0_90_90),
];

impl Role {
    /// The role of the curve with this number, from 0; colours come again after eight.
    pub(super) fn curve(number: usize) -> Role {
        CURVES[number % CURVES.len()]
    }

    /// The colour that is written into the file.
    pub(super) fn colour(self) -> RGBColor {
        let [_, r, g, b] = COLOURS[self as usize].1.to_be_bytes();
        RGBColor(r, g, b)
    }
}

/// The style sheet of a chart, whose body is `drawn`.
pub(super) fn style_sheet(drawn: &str) -> String {
    let mut css = String::from(
        "text{font-family:system-ui,-apple-system,\"Segoe UI\",sans-serif;font-variant-numeric:tabular-nums}\
         @media screen and (prefers-color-scheme:dark){",
    );
    // Most charts have a single curve.
    let used = |role: &Role, light: u32| {
        (*role as usize) < Role::Curve1 as usize || drawn.contains(&format!("#{light:06X}"))
    };
    for (_, light, dark) in COLOURS
        .into_iter()
        .filter(|(role, light, _)| used(role, *light))
    {
        // Writing to a String cannot fail.
        let _ = write!(
            css,
            ".memprof [fill=\"#{light:06X}\"]{{fill:#{dark:06X}}}.memprof [stroke=\"#{light:06X}\"]{{stroke:#{dark:06X}}}"
        );
    }
    css.push('}');
    css
}

/// Relative luminance as WCAG 2 defines it.
#[cfg(test)]
fn luminance(rgb: u32) -> f64 {
    let [_, r, g, b] = rgb.to_be_bytes();
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// The contrast of two colours as WCAG 2 defines it, from 1 to 21.
#[cfg(test)]
pub(crate) fn contrast(a: u32, b: u32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_the_grid_stands_out_from_its_card() {
        let (_, light_card, dark_card) = COLOURS[Role::Card as usize];
        for (role, light, dark) in COLOURS {
            if !matches!(role, Role::Card | Role::Grid) {
                let worst = contrast(light, light_card).min(contrast(dark, dark_card));
                assert!(
                    worst >= 4.5 || matches!(role, Role::Process) && worst >= 3.0,
                    "{role:?}: {worst:.2}"
                );
            }
        }
    }

    #[test]
    fn roles_can_be_told_apart_by_their_light_colour() {
        for (i, (role, light, _)) in COLOURS.into_iter().enumerate() {
            assert_eq!(role as usize, i);
            assert!(
                COLOURS
                    .iter()
                    .skip(i + 1)
                    .all(|(_, other, _)| *other != light)
            );
        }
    }
}
