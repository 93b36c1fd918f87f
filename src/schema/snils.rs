//! The check digits of СНИЛС, the individual insurance number.

/// The highest number that was given before check digits existed; numbers up to it carry none.
const LAST_UNCHECKED: u32 = 1_001_998;

/// Whether the text is a СНИЛС as our schemas write it, `000-000-000 00`, with right check digits.
///
/// The digits are weighed 9 to 1 from the left; the sum modulo 101, where 100 counts as 00, is the check number. Numbers up to
/// 001-001-998 were given without a check and pass as they are.
pub fn snils_is_valid(text: &str) -> bool {
    let shape = b"000-000-000 00";
    let fits = text.len() == shape.len()
        && text
            .bytes()
            .zip(shape)
            .all(|(byte, form)| if *form == b'0' { byte.is_ascii_digit() } else { byte == *form });
    if !fits {
        return false;
    }
    let digits: Vec<u32> = text.bytes().filter(u8::is_ascii_digit).map(|b| u32::from(b - b'0')).collect();
    let (number, check) = digits.split_at(9);
    let as_number = |part: &[u32]| part.iter().fold(0, |sum, digit| sum * 10 + digit);
    if as_number(number) <= LAST_UNCHECKED {
        return true;
    }
    let weighed: u32 = number.iter().zip((1..=9).rev()).map(|(digit, weight)| digit * weight).sum();
    weighed % 101 % 100 == as_number(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits() {
        let table = [
            ("112-233-445 95", true),
            ("087-654-303 00", true), // the sum is 202
            ("999-000-101 18", true),
            ("999-000-101 19", false),
            ("999-000-110 18", false), // two digits swapped
            ("001-001-998 00", true),  // given before check digits existed
            ("001-001-999 65", true),
            ("001-001-999 00", false),
            ("000-000-000 00", true),
            ("11223344595", false), // another spelling
            ("112-233-445-95", false),
            ("112-233-445 9", false),
            ("112-233-445 950", false),
            ("112-233-44Б 95", false),
            ("", false),
        ];
        for (text, valid) in table {
            assert_eq!(snils_is_valid(text), valid, "{text}");
        }
    }

    #[test]
    fn a_sum_of_100_is_written_as_00() {
        // 9*9 + 8*1 + 3*3 + 2*1 = 100, found by hand.
        assert!(snils_is_valid("910-000-310 00"));
        assert!(!snils_is_valid("910-000-310 01"));
    }
}
