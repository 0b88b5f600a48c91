//! An SVG of ours made small enough to stand in a page, as a `data:` address.
//!
//! Knows what `export` writes: paths with absolute coordinates, far finer than a screen shows. Colours
//! and shapes stay; coordinates become whole drawing units, a twentieth of a point.

/// The picture as the address of an image.
pub fn address(svg: &str) -> String {
    let small = merge(&svg.replace('"', "'"));
    let mut address = String::from("data:image/svg+xml,");
    for c in small.chars() {
        match c {
            '%' => address.push_str("%25"),
            '#' => address.push_str("%23"),
            '<' => address.push_str("%3C"),
            '>' => address.push_str("%3E"),
            '"' | '&' | '\n' => address.push_str(&format!("%{:02X}", c as u32)),
            c => address.push(c),
        }
    }
    address
}

/// Width and height in points, from the first tag.
pub fn size(svg: &str) -> Option<(f64, f64)> {
    let value = |name: &str| {
        let (_, rest) = svg.split_once(&format!(" {name}=\""))?;
        let (value, _) = rest.split_once("pt\"")?;
        value.parse().ok()
    };
    Some((value("width")?, value("height")?))
}

/// Joins paths of one look that follow each other: opaque ones cover each other in any order.
fn merge(svg: &str) -> String {
    let mut text = String::with_capacity(svg.len() / 3);
    let mut look = "";
    for tag in svg.split_inclusive('>') {
        let path = tag
            .strip_prefix("<path")
            .and_then(|tag| tag.strip_suffix("/>"));
        let Some((before, after)) = path.and_then(|tag| tag.split_once(" d='")) else {
            close(&mut text, &mut look);
            text.push_str(tag);
            continue;
        };
        let joins = after.ends_with('\'') && !before.contains("opacity") && !before.is_empty();
        let coordinates = after.trim_end_matches('\'');
        if !joins {
            close(&mut text, &mut look);
            text.push_str(tag);
            continue;
        }
        if before != look {
            close(&mut text, &mut look);
            text.push_str("<path");
            text.push_str(before);
            text.push_str(" d='");
            look = before;
        }
        shorten(coordinates, &mut text);
    }
    text
}

fn close(text: &mut String, look: &mut &str) {
    if !look.is_empty() {
        text.push_str("'/>");
        *look = "";
    }
}

/// Whole numbers, and no space that nothing needs.
fn shorten(coordinates: &str, text: &mut String) {
    let mut after_number = false;
    for word in coordinates.split(' ') {
        match word.parse::<f64>() {
            Ok(number) => {
                let number = format!("{number:.0}");
                let number = if number == "-0" { "0" } else { &number };
                if after_number && !number.starts_with('-') {
                    text.push(' ');
                }
                text.push_str(number);
                after_number = true;
            }
            Err(_) => {
                text.push_str(word);
                after_number = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_look_become_one_and_opaque_order_stays() {
        let svg = "<svg width=\"72pt\" height=\"36pt\"><path fill=\"#fff\" d=\"M 0.4 -1 L 2 3 Z\"/>\
                   <path fill=\"#fff\" d=\"M 5 6\"/><path fill=\"#000\" d=\"M 7 8\"/></svg>";
        let small = merge(&svg.replace('"', "'"));
        assert!(
            small.contains("<path fill='#fff' d='M0-1L2 3ZM5 6'/><path fill='#000' d='M7 8'/>"),
            "{small}"
        );
        assert_eq!(size(svg), Some((72.0, 36.0)));
        assert!(!address(svg).contains(['<', '>', '"', '#']));
    }

    #[test]
    fn what_shines_through_is_left_alone() {
        let svg = "<path fill='#fff' fill-opacity='0.5' d='M 0.4 1'/><path fill='#fff' fill-opacity='0.5' d='M 2 2'/>";
        assert_eq!(merge(svg), svg);
    }
}
