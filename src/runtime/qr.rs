//! QR codes (ISO/IEC 18004) of invitations.

use crate::api::QrModules;
use crate::model::{Error, Result};
use qrcode::render::svg;
use qrcode::{Color, EcLevel, QrCode};

/// The code of a text, at the level that mends fifteen percent of damage.
fn encode(text: &str) -> Result<QrCode> {
    if text.is_empty() {
        return Err(Error::state("there is no code of this invitation here"));
    }
    QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|e| Error::internal(format!("an invitation that no QR code holds: {e}")))
}

/// As an SVG picture.
pub fn svg(text: &str) -> Result<String> {
    let picture = encode(text)?
        .render::<svg::Color<'_>>()
        .dark_color(svg::Color("#000"))
        .light_color(svg::Color("#fff"))
        .module_dimensions(1, 1)
        .quiet_zone(true)
        .build();
    Ok(picture)
}

/// As modules.
pub fn modules(text: &str) -> Result<QrModules> {
    let code = encode(text)?;
    Ok(QrModules {
        width: u32::try_from(code.width()).unwrap_or(0),
        modules: code
            .to_colors()
            .into_iter()
            .map(|color| u8::from(color == Color::Dark))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_and_its_modules_say_the_same() {
        let text = "echodb://join/0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let modules = modules(text).unwrap();
        assert_eq!(
            modules.modules.len(),
            (modules.width * modules.width) as usize
        );
        // The finder patterns of three corners: a dark ring of seven modules.
        let at = |x: u32, y: u32| modules.modules[(y * modules.width + x) as usize] == 1;
        let end = modules.width - 1;
        for i in 0..7 {
            assert!(at(i, 0) && at(0, i) && at(end - i, 0) && at(0, end - i));
        }
        assert!(!at(1, 1) && at(2, 2));
        let svg = svg(text).unwrap();
        assert!(
            svg.starts_with("<?xml") && svg.trim_end().ends_with("</svg>"),
            "{svg}"
        );
        let side = modules.width + 8;
        assert!(svg.contains(&format!("width=\"{side}\"")), "{svg}");
        // Upper-case letters and digits take eleven bits a pair: the picture is a small one.
        assert!(modules.width <= 33, "{}", modules.width);
        assert!(super::svg("").is_err());
    }
}
