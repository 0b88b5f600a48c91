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

/// Whole numbers, each as its distance from the last point, and no space that nothing needs. What is
/// no path of absolute moves, lines and curves is left as it is.
fn shorten(coordinates: &str, text: &mut String) {
    let words: Vec<&str> = coordinates.split(' ').collect();
    match relative(&words) {
        Some(short) => text.push_str(&short),
        None => text.push_str(coordinates),
    }
}

fn relative(words: &[&str]) -> Option<String> {
    let mut text = String::new();
    let (mut start, mut from) = ([0i64; 2], [0i64; 2]);
    let mut words = words.iter();
    while let Some(&command) = words.next() {
        let pairs = match command {
            "M" | "L" => 1,
            "Q" => 2,
            "C" => 3,
            "Z" => {
                text.push('z');
                from = start;
                continue;
            }
            _ => return None,
        };
        if command == "M" {
            // Absolute: paths that follow each other become one.
            text.push('M');
        } else {
            text.push_str(&command.to_lowercase());
        }
        let origin = if command == "M" { [0, 0] } else { from };
        for pair in 0..pairs {
            for axis in 0..2 {
                let number: f64 = words.next()?.parse().ok()?;
                let rounded: i64 = format!("{number:.0}").parse().ok()?;
                let distance = rounded - origin[axis];
                if (pair, axis) != (0, 0) && distance >= 0 {
                    text.push(' ');
                }
                text.push_str(&distance.to_string());
                from[axis] = rounded;
            }
        }
        if command == "M" {
            start = from;
        }
    }
    Some(text)
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
            small.contains("<path fill='#fff' d='M0-1l2 4zM5 6'/><path fill='#000' d='M7 8'/>"),
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
