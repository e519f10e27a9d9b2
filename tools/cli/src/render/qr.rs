//! A QR code out of block characters, two modules in each.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// The code of `text`; `None` if it does not fit one. With `colour`, it is black on white
/// whatever the terminal's colours are; without, it supposes light text on a dark ground.
pub fn blocks(text: &str, colour: bool) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (dark, light) = match colour {
        true => (Dense1x2::Dark, Dense1x2::Light),
        false => (Dense1x2::Light, Dense1x2::Dark),
    };
    let image = code
        .render::<Dense1x2>()
        .dark_color(dark)
        .light_color(light)
        .quiet_zone(true)
        .build();
    let mut out = String::new();
    for line in image.lines() {
        match colour {
            true => out.push_str(&format!("\x1b[30;107m{line}\x1b[0m\n")),
            false => out.push_str(&format!("{line}\n")),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_are_those_of_the_code() {
        let url = "echodb://join/abcdefghijklmnop";
        let code = QrCode::with_error_correction_level(url, EcLevel::L).unwrap();
        let width = code.width();
        let colours = code.to_colors();
        let image = blocks(url, false).unwrap();
        let rows: Vec<Vec<char>> = image.lines().map(|line| line.chars().collect()).collect();
        for (i, colour) in colours.iter().enumerate() {
            // Four modules of quiet zone on every side.
            let (x, y) = (i % width + 4, i / width + 4);
            let lit = match (rows[y / 2][x], y % 2) {
                ('█', _) | ('▀', 0) | ('▄', 1) => true,
                (' ' | '▀' | '▄', _) => false,
                (other, _) => panic!("{other:?}"),
            };
            assert_eq!(lit, *colour == qrcode::Color::Light, "module {x},{y}");
        }
        assert!(blocks(&"x".repeat(5000), false).is_none());
    }
}
