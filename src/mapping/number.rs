//! Decimal numbers without rounding: what `int` and `number` give, what literals are, what number fields take.

use std::cmp::Ordering;
use std::fmt;

/// The most digits a number may have, all told. Two numbers of this size can be brought to one scale within an `i128`.
const MAX_DIGITS: usize = 18;

/// A decimal number, `units * 10^-scale`, always in its shortest form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    units: i128,
    scale: u8,
}

impl Number {
    /// A whole number.
    pub fn integer(value: i64) -> Self {
        Number {
            units: value.into(),
            scale: 0,
        }
    }

    /// Reads `-12`, `12.50` or `12,50`. A thousands separator is refused: `1.234,5` is not a number here.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
        let point_without_digits = digits.len() > whole.len() && fraction.is_empty();
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || point_without_digits || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        // i64 texts of directories (FILETIME) have 19 digits and no fraction.
        if whole.len() + fraction.len() > MAX_DIGITS && (!fraction.is_empty() || whole.len() > MAX_DIGITS + 1) {
            return None;
        }
        let mut units: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            units = units * 10 + i128::from(byte - b'0');
        }
        Some(Number {
            units: if negative { -units } else { units },
            scale: u8::try_from(fraction.len()).ok()?,
        })
    }

    /// The whole part, where it fits.
    pub fn whole(self) -> Option<i64> {
        let divisor = 10_i128.checked_pow(u32::from(self.scale))?;
        i64::try_from(self.units / divisor).ok()
    }

    /// The value, where it is whole and fits.
    pub fn to_i64(self) -> Option<i64> {
        if self.scale == 0 {
            i64::try_from(self.units).ok()
        } else {
            None
        }
    }

    /// The sum; `None` when it has too many digits.
    pub fn plus(self, other: Number) -> Option<Number> {
        let scale = self.scale.max(other.scale);
        let sum = self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?;
        Number::parse(&Number { units: sum, scale }.to_string())
    }

    /// The number with the other sign.
    pub fn negated(self) -> Number {
        Number {
            units: -self.units,
            scale: self.scale,
        }
    }

    fn at_scale(self, scale: u8) -> Option<i128> {
        self.units
            .checked_mul(10_i128.checked_pow((scale - self.scale).into())?)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        let aligned = |number: Number| number.at_scale(scale).expect("18 digits fit at any scale up to 18");
        aligned(*self).cmp(&aligned(*other))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    /// The shortest form: `-0.5`, `12`, `12.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.units);
        }
        let sign = if self.units < 0 { "-" } else { "" };
        let width = usize::from(self.scale) + 1;
        let digits = format!("{:0>width$}", self.units.unsigned_abs());
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.scale));
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_written_in_their_shortest_form() {
        let cases = [
            ("12", "12"),
            (" 12.50 ", "12.5"),
            ("12,50", "12.5"),
            ("-0.50", "-0.5"),
            ("0.05", "0.05"),
            ("007", "7"),
            ("0", "0"),
            ("-0", "0"),
            ("+3.0", "3"),
            ("9223372036854775807", "9223372036854775807"),
        ];
        for (text, shown) in cases {
            assert_eq!(Number::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for wrong in [
            "",
            "-",
            "1.",
            ".5",
            "1.234,5",
            "1 000",
            "1e3",
            "abc",
            "0x10",
            "12345678901234567890",
        ] {
            assert_eq!(Number::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_compare_by_value() {
        let number = |text| Number::parse(text).unwrap();
        assert_eq!(number("1.50"), number("1,5"));
        assert!(number("0.9") < number("1"));
        assert!(number("-2") < number("-1.5"));
        assert!(number("9223372036854775807") > number("0.123456789012345678"));
        assert_eq!(number("0.1").plus(number("0.2")), Some(number("0.3")));
        assert_eq!(number("1.5").plus(number("-0.5")), Some(number("1")));
        assert_eq!(number("1.5").to_i64(), None);
        assert_eq!(number("-3").to_i64(), Some(-3));
    }
}
