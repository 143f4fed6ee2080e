//! Which digits of a number are shown: rounding, by the rules of ECMA-402.

use fixed_decimal::{Decimal, RoundingIncrement, Sign, SignedRoundingMode, UnsignedRoundingMode};
use serde::Deserialize;

/// The digit options, as `resolvedOptions()` calls them. Of digits that are not used, both bounds are absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Digits {
    minimum_integer_digits: i16,
    minimum_fraction_digits: Option<i16>,
    maximum_fraction_digits: Option<i16>,
    minimum_significant_digits: Option<i16>,
    maximum_significant_digits: Option<i16>,
    rounding_increment: u16,
    rounding_mode: Mode,
    rounding_priority: Priority,
    trailing_zero_display: TrailingZeros,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Mode {
    Ceil,
    Floor,
    Expand,
    Trunc,
    HalfCeil,
    HalfFloor,
    HalfExpand,
    HalfTrunc,
    HalfEven,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Priority {
    Auto,
    MorePrecision,
    LessPrecision,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum TrailingZeros {
    Auto,
    StripIfInteger,
}

/// The longest number, in digits.
const MOST_DIGITS: usize = 10_000;

/// A number to be formatted.
#[derive(Clone)]
pub(super) enum Number {
    Finite(Decimal),
    Infinite(Sign),
    Nan,
}

impl Number {
    /// Reads what JavaScript writes: digits with an optional exponent, `Infinity`, `NaN`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "NaN" => Self::Nan,
            "Infinity" => Self::Infinite(Sign::None),
            "-Infinity" => Self::Infinite(Sign::Negative),
            _ if text.len() > MOST_DIGITS => {
                return Err(format!("a number of more than {MOST_DIGITS} digits cannot be formatted"));
            }
            _ => {
                // JavaScript writes a plus that Rust's readers of numbers do not know.
                let mut decimal = Decimal::try_from_str(&text.replace("e+", "e"))
                    .map_err(|e| format!("{text:?} is not a number: {e}"))?;
                decimal.absolute.trim_start();
                decimal.absolute.trim_end();
                Self::Finite(decimal)
            }
        })
    }

    pub(super) fn is_negative(&self) -> bool {
        match self {
            Self::Finite(decimal) => decimal.sign == Sign::Negative,
            Self::Infinite(sign) => *sign == Sign::Negative,
            Self::Nan => false,
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        matches!(self, Self::Finite(decimal) if decimal.absolute.is_zero())
    }
}

impl Digits {
    /// Rounds a number and gives it the zeros that are to be shown.
    pub(super) fn apply(&self, number: &mut Decimal) {
        let significant = self.minimum_significant_digits.zip(self.maximum_significant_digits);
        let fraction = self.minimum_fraction_digits.zip(self.maximum_fraction_digits);
        match (significant, fraction) {
            (Some(significant), None) => self.to_significant(number, significant),
            (None, Some(fraction)) => self.to_fraction(number, fraction),
            (Some(significant), Some(fraction)) => {
                let by_significant = number.absolute.nonzero_magnitude_start() - significant.1 + 1;
                let by_fraction = -fraction.1;
                let is_finer = by_significant <= by_fraction;
                if is_finer == (self.rounding_priority != Priority::LessPrecision) {
                    self.to_significant(number, significant);
                } else {
                    self.to_fraction(number, fraction);
                }
            }
            (None, None) => {}
        }
        if self.trailing_zero_display == TrailingZeros::StripIfInteger {
            number.absolute.trim_end_if_integer();
        }
        number.absolute.pad_start(self.minimum_integer_digits);
    }

    fn to_significant(&self, number: &mut Decimal, (minimum, maximum): (i16, i16)) {
        if number.absolute.is_zero() {
            number.absolute.pad_end(1 - minimum);
            return;
        }
        let position = number.absolute.nonzero_magnitude_start() - maximum + 1;
        number.round_with_mode(position, self.mode());
        number.absolute.trim_end();
        number.absolute.pad_end((number.absolute.nonzero_magnitude_start() - minimum + 1).min(0));
    }

    fn to_fraction(&self, number: &mut Decimal, (minimum, maximum): (i16, i16)) {
        let mut increment = self.rounding_increment;
        let mut position = -maximum;
        while increment >= 10 && increment.is_multiple_of(10) {
            increment /= 10;
            position += 1;
        }
        // 250 and 2500 leave 25; 20 leaves 2.
        let increment = match increment {
            2 => RoundingIncrement::MultiplesOf2,
            5 => RoundingIncrement::MultiplesOf5,
            25 => RoundingIncrement::MultiplesOf25,
            _ => RoundingIncrement::MultiplesOf1,
        };
        number.round_with_mode_and_increment(position, self.mode(), increment);
        number.absolute.trim_end();
        number.absolute.pad_end(-minimum);
    }

    fn mode(&self) -> SignedRoundingMode {
        use SignedRoundingMode::Unsigned;
        match self.rounding_mode {
            Mode::Ceil => SignedRoundingMode::Ceil,
            Mode::Floor => SignedRoundingMode::Floor,
            Mode::Expand => Unsigned(UnsignedRoundingMode::Expand),
            Mode::Trunc => Unsigned(UnsignedRoundingMode::Trunc),
            Mode::HalfCeil => SignedRoundingMode::HalfCeil,
            Mode::HalfFloor => SignedRoundingMode::HalfFloor,
            Mode::HalfExpand => Unsigned(UnsignedRoundingMode::HalfExpand),
            Mode::HalfTrunc => Unsigned(UnsignedRoundingMode::HalfTrunc),
            Mode::HalfEven => Unsigned(UnsignedRoundingMode::HalfEven),
        }
    }

    /// Scales a number by the power of ten that `exponent_of` its magnitude gives, and rounds it. A number that rounding
    /// brings to the next magnitude is scaled by that one's.
    pub(super) fn apply_scaled(&self, number: &mut Decimal, exponent_of: impl Fn(i16) -> i16) -> i16 {
        if number.absolute.is_zero() {
            self.apply(number);
            return 0;
        }
        let magnitude = number.absolute.nonzero_magnitude_start();
        let exponent = exponent_of(magnitude);
        let mut scaled = number.clone();
        scaled.absolute.multiply_pow10(-exponent);
        self.apply(&mut scaled);
        let next = exponent_of(magnitude + 1);
        if next != exponent && scaled.absolute.nonzero_magnitude_start() > magnitude - exponent {
            number.absolute.multiply_pow10(-next);
            self.apply(number);
            return next;
        }
        *number = scaled;
        exponent
    }
}
