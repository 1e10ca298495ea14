use super::*;

#[test]
fn show() {
    for name in [
        "en-US", "de-DE", "fr-FR", "ja-JP", "ar-SA", "th-TH", "pl-PL", "zh-CN", "zh-TW", "tr-TR",
        "en", "de", "sv-SE", "pt-BR", "hi-IN",
    ] {
        let c = Culture::from_name(name).expect(name);
        println!(
            "{} {} {:?} {} / {} {:?} {:?} rtl {}",
            c.name(),
            c.lcid(),
            c.parent().map(|p| p.name()),
            c.english_name(),
            c.native_name(),
            c.calendar(),
            c.code_pages(),
            c.is_right_to_left()
        );
        println!("{:?}", date_data(&c));
        println!("{:?}", number_data(&c));
        println!("{:?}", c.territory().and_then(|t| region_data(&t)));
    }
    println!("{}", all().len());
}
