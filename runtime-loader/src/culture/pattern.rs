//! Patterns of dates and times: from CLDR's letters (UTS #35, part 4) to those of .NET's custom format strings.

/// A pattern in .NET's letters. Years get four digits, as .NET's cultures have them; spaces are plain ones, as people type
/// what is parsed.
pub fn to_net(cldr: &str) -> String {
    let mut out = String::new();
    let mut literal = String::new();
    let mut chars = cldr.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        if c == '\'' {
            if chars.peek() == Some(&'\'') {
                chars.next();
                literal.push('\'');
            } else {
                quoted = !quoted;
            }
            continue;
        }
        if quoted || !c.is_ascii_alphabetic() {
            literal.push(match c {
                '\u{202f}' | '\u{a0}' => ' ',
                c => c,
            });
            continue;
        }
        let mut count = 1;
        while chars.next_if_eq(&c).is_some() {
            count += 1;
        }
        flush(&mut literal, &mut out);
        out.push_str(field(c, count));
    }
    flush(&mut literal, &mut out);
    out.trim().to_owned()
}

/// Do spaces and ASCII punctuation part the name of the day from its neighbours? Otherwise `DateTime.Parse` cannot find it.
pub fn sets_off_weekday(pattern: &str) -> bool {
    let Some(at) = pattern.find("dddd") else {
        return true;
    };
    let before = pattern[..at].chars().next_back();
    let after = pattern[at + 4..].chars().next();
    let parts = |c: Option<char>| c.is_none_or(|c| c == ' ' || c == ',' || c == '.');
    parts(before) && parts(after)
}

/// A field of a pattern; nothing for what .NET has no letter for.
fn field(letter: char, count: usize) -> &'static str {
    match (letter, count) {
        ('y' | 'u' | 'r', _) => "yyyy",
        ('M' | 'L', 1) => "M",
        ('M' | 'L', 2) => "MM",
        ('M' | 'L', 3) => "MMM",
        ('M' | 'L', _) => "MMMM",
        ('d', 1) => "d",
        ('d', _) => "dd",
        ('E' | 'c' | 'e', 1..=3) => "ddd",
        ('E' | 'c' | 'e', _) => "dddd",
        ('G', _) => "gg",
        ('h' | 'K', 1) => "h",
        ('h' | 'K', _) => "hh",
        ('H' | 'k', 1) => "H",
        ('H' | 'k', _) => "HH",
        ('m', 1) => "m",
        ('m', _) => "mm",
        ('s', 1) => "s",
        ('s', _) => "ss",
        ('a' | 'b' | 'B', _) => "tt",
        _ => "",
    }
}

/// Text that is not a field, quoted if .NET would read fields in it.
fn flush(literal: &mut String, out: &mut String) {
    if literal
        .chars()
        .any(|c| c.is_alphabetic() || c == '\'' || c == '%')
    {
        let escaped = literal.replace('\\', "\\\\").replace('\'', "\\'");
        out.push_str(&format!("'{escaped}'"));
    } else {
        out.push_str(literal);
    }
    literal.clear();
}

/// The separator between hours and minutes.
pub fn time_separator(net: &str) -> String {
    let after_hours = net.trim_start_matches(|c| c != 'h' && c != 'H');
    let rest = after_hours.trim_start_matches(['h', 'H']);
    let end = rest.find('m').unwrap_or(0);
    match rest[..end].trim_matches('\'') {
        "" => ":".to_owned(),
        separator => separator.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_literals() {
        assert_eq!(to_net("M/d/yy"), "M/d/yyyy");
        assert_eq!(to_net("EEEE, d. MMMM y"), "dddd, d. MMMM yyyy");
        assert_eq!(to_net("d 'de' MMMM 'de' y"), "d' de 'MMMM' de 'yyyy");
        assert_eq!(to_net("y年M月d日"), "yyyy'年'M'月'd'日'");
        assert_eq!(to_net("h:mm:ss\u{202f}a"), "h:mm:ss tt");
        assert_eq!(to_net("H 'o''clock'"), "H' o\\'clock'");
        assert_eq!(to_net("LLLL y 'г'."), "MMMM yyyy' г.'");
    }

    #[test]
    fn separators() {
        assert_eq!(time_separator("h:mm tt"), ":");
        assert_eq!(time_separator("HH.mm.ss"), ".");
        assert_eq!(time_separator("tt hh'h'mm"), "h");
        assert_eq!(time_separator("yyyy"), ":");
    }

    #[test]
    fn weekdays() {
        for (pattern, parted) in [
            ("dddd, d. MMMM yyyy", true),
            ("yyyy. MMMM d., dddd", true),
            ("d MMMM yyyy", true),
            ("dddd\u{60c} d MMMM yyyy", false),
            ("yyyy'\u{5e74}'M'\u{6708}'d'\u{65e5}'dddd", false),
        ] {
            assert_eq!(sets_off_weekday(pattern), parted, "{pattern}");
        }
    }
}
