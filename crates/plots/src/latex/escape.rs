//! Plain text as LaTeX text: special characters, and the symbols of this project's labels as maths.

use crate::number::MINUS;

/// Plain text as LaTeX text: its special characters, and the Unicode of this project's labels.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut formula = String::new();
    let mut rest = text;
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        if let Some((symbol, length)) = symbol(before, rest) {
            close(&mut out, &mut formula);
            out += symbol;
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        before = Some(c);
        if let Some(math) = math(c) {
            // Neighbours make one formula: "10⁻³" gets one exponent, "θ₀" one subscript.
            let raises = ["^{", "_{"].iter().any(|mark| {
                math.starts_with(mark) && formula.ends_with('}') && formula.contains(mark)
            });
            match raises {
                true => {
                    formula.pop();
                    formula += &math[2..];
                }
                false => formula += &math,
            }
            continue;
        }
        close(&mut out, &mut formula);
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out += "\\textbackslash{}",
            '~' => out += "\\textasciitilde{}",
            '^' => out += "\\textasciicircum{}",
            _ if c.is_control() => out.push(' '),
            _ => out.push(c),
        }
    }
    close(&mut out, &mut formula);
    out
}

/// A symbol that plain text writes out, at the start of `rest`: its maths, and how long it is there.
fn symbol(before: Option<char>, rest: &str) -> Option<(&'static str, usize)> {
    // Letters that stand for a number, for a single letter is else no word; the others as they are written.
    const SYMBOLS: [(&str, &str); 14] = [
        ("sigma2", "$\\sigma^{2}$"),
        ("theta0", "$\\theta_{0}$"),
        ("gamma*", "$\\gamma^{*}$"),
        ("Q[x,x]", "$Q_{xx}$"),
        ("Q[x,y]", "$Q_{xy}$"),
        ("Q[0,0]", "$Q_{00}$"),
        ("w*", "$w^{*}$"),
        ("v0", "$v_{0}$"),
        ("vx", "$v_{x}$"),
        ("vy", "$v_{y}$"),
        ("n", "$n$"),
        ("m", "$m$"),
        ("d", "$d$"),
        ("w", "$w$"),
    ];
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '*');
    if before.is_some_and(is_word) {
        return None;
    }
    let found = SYMBOLS.iter().find(|(plain, _)| {
        let Some(after) = rest.strip_prefix(plain) else {
            return false;
        };
        let mut next = after.chars();
        // n/a is a word, n/(n + 1) is none.
        match (next.next(), next.next()) {
            (Some('/'), Some(c)) => plain.len() > 1 || !c.is_alphabetic(),
            (Some(c), _) => !is_word(c),
            (None, _) => true,
        }
    });
    found.map(|(plain, maths)| (*maths, plain.len()))
}

fn close(out: &mut String, formula: &mut String) {
    if !formula.is_empty() {
        *out += &format!("${}$", formula.trim_end());
        formula.clear();
    }
}

/// LaTeX math for one character, of those that plain LaTeX text lacks.
fn math(c: char) -> Option<String> {
    let raised = "⁰¹²³⁴⁵⁶⁷⁸⁹";
    let lowered = "₀₁₂₃₄₅₆₇₈₉";
    if let Some(digit) = raised.chars().position(|other| other == c) {
        return Some(format!("^{{{digit}}}"));
    }
    if let Some(digit) = lowered.chars().position(|other| other == c) {
        return Some(format!("_{{{digit}}}"));
    }
    let word = match c {
        MINUS => "-",
        '<' => "<",
        '>' => ">",
        '|' => "|",
        '⁻' => "^{-}",
        '×' => "\\times ",
        '±' => "\\pm ",
        '∞' => "\\infty ",
        '≤' => "\\le ",
        '≥' => "\\ge ",
        '≈' => "\\approx ",
        '→' => "\\to ",
        '·' => "\\cdot ",
        '★' => "\\star ",
        '√' => "\\surd ",
        '‖' => "\\Vert ",
        'α' => "\\alpha ",
        'β' => "\\beta ",
        'ε' => "\\varepsilon ",
        'θ' => "\\theta ",
        'κ' => "\\kappa ",
        'λ' => "\\lambda ",
        'μ' => "\\mu ",
        'σ' => "\\sigma ",
        'Σ' => "\\Sigma ",
        _ => return None,
    };
    Some(word.to_string())
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(escape("50 % of a_b & c"), "50 \\% of a\\_b \\& c");
        assert_eq!(escape("−1.5×10⁻³"), "$-$1.5$\\times$10$^{-3}$");
        assert_eq!(escape("θ₀"), "$\\theta _{0}$");
        assert_eq!(escape("vy Q[x,x], n = 20"), "$v_{y}$ $Q_{xx}$, $n$ = 20");
        assert_eq!(escape("w*(m) of n-grams"), "$w^{*}$($m$) of n-grams");
        assert_eq!(escape("n/a, m/(m+1)"), "n/a, $m$/($m$+1)");
        assert_eq!(escape("vx/vy"), "$v_{x}$/$v_{y}$");
        // A dollar sign beside a formula stays one.
        assert_eq!(escape("$−$"), "\\$$-$\\$");
        assert_eq!(escape("\\{x}"), "\\textbackslash{}\\{x\\}");
    }
}
