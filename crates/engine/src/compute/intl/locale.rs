//! What a locale is called, in the form that the standard gives it, and the data of one.

use icu::datetime::provider::Baked as Dates;
use icu::datetime::provider::names::{DatetimeNamesMonthGregorianV1, DatetimeNamesWeekdayV1};
use icu::locale::preferences::LocalePreferences;
use icu::locale::{Locale, LocaleCanonicalizer, LocaleExpander};
use icu_experimental::dimension::currency::CurrencyType;
use icu_experimental::dimension::provider::currency::fractions::CurrencyFractionsV1;
use icu_experimental::provider::Baked;
use icu_provider::prelude::*;

use super::{Service, unknown};
use crate::compute::zone;

/// Answers what there is to know of locales.
pub(super) struct Locales;

impl Service for Locales {
    fn reply(&self, verb: char, operand: &str) -> Result<String, String> {
        match verb {
            // The canonical form of a tag, and whether there is data of its language.
            'c' => {
                let mut locale: Locale = operand.parse().map_err(|_| "not a language tag".to_owned())?;
                LocaleCanonicalizer::new_extended().canonicalize(&mut locale);
                Ok(format!("{}{locale}", if is_known(&locale) { '+' } else { '-' }))
            }
            // With the likely subtags added, or taken away.
            'x' | 'n' => {
                let mut locale: Locale = operand.parse().map_err(|_| "not a language tag".to_owned())?;
                let expander = LocaleExpander::new_extended();
                let _changed = match verb {
                    'x' => expander.maximize(&mut locale.id),
                    _ => expander.minimize(&mut locale.id),
                };
                Ok(locale.to_string())
            }
            // The digits of a currency's smallest unit.
            'd' => {
                let currency = currency(operand)?;
                let fractions: DataPayload<CurrencyFractionsV1> =
                    Baked.load(DataRequest::default()).map_err(|e| missing(&e))?.payload;
                Ok(fractions.get().resolve(currency).digits.to_string())
            }
            // The name that a time zone has.
            'z' => zone::canonical(operand).ok_or_else(|| format!("{operand:?} is not a time zone")),
            _ => Err(unknown(verb)),
        }
    }
}

/// Tells whether CLDR has data of the locale's language: names of months or of weekdays that are not the root's.
fn is_known(locale: &Locale) -> bool {
    has_own::<DatetimeNamesMonthGregorianV1>(locale) || has_own::<DatetimeNamesWeekdayV1>(locale)
}

fn has_own<M: DataMarker>(locale: &Locale) -> bool
where
    Dates: DataProvider<M>,
{
    // Wide names.
    let attributes = DataMarkerAttributes::from_str_or_panic("4");
    let data = DataLocale::from(locale.id.clone());
    let id = DataIdentifierBorrowed::for_marker_attributes_and_locale(attributes, &data);
    !locale.id.language.is_unknown()
        && DataProvider::<M>::load(&Dates, DataRequest { id, ..DataRequest::default() })
            .is_ok_and(|found| found.metadata.locale.is_none_or(|at| !at.is_unknown()))
}

/// Reads a locale that was canonical when the prelude sent it, with a numbering system or without.
pub(super) fn parse(tag: &str, numbering_system: Option<&str>) -> Result<Locale, String> {
    let tag = match numbering_system {
        Some(name) => format!("{tag}-u-nu-{name}"),
        None => tag.to_owned(),
    };
    tag.parse().map_err(|_| format!("{tag:?} is not a language tag"))
}

pub(super) fn currency(code: &str) -> Result<CurrencyType, String> {
    CurrencyType::try_from_str(code).map_err(|_| format!("{code:?} is not a currency code"))
}

/// Loads data of a locale under a name; `None` when there is none.
pub(super) fn load<M: DataMarker, P: DataProvider<M>>(
    provider: &P,
    name: &str,
    preferences: LocalePreferences,
) -> Option<DataPayload<M>> {
    found(provider, name, preferences).map(|found| found.payload)
}

/// Loads data that is of the locale or of its language, and not what all languages have.
pub(super) fn load_own<M: DataMarker, P: DataProvider<M>>(
    provider: &P,
    name: &str,
    preferences: LocalePreferences,
) -> Option<DataPayload<M>> {
    found(provider, name, preferences)
        .filter(|found| found.metadata.locale.is_none_or(|at| !at.is_unknown()))
        .map(|found| found.payload)
}

fn found<M: DataMarker, P: DataProvider<M>>(
    provider: &P,
    name: &str,
    preferences: LocalePreferences,
) -> Option<DataResponse<M>> {
    let locale = M::make_locale(preferences);
    let attributes = DataMarkerAttributes::try_from_str(name).ok()?;
    let id = DataIdentifierBorrowed::for_marker_attributes_and_locale(attributes, &locale);
    let mut metadata = DataRequestMetadata::default();
    metadata.silent = true;
    provider.load(DataRequest { id, metadata }).ok()
}

/// Says that data is missing, which compiled-in data never is.
pub(super) fn missing(error: &DataError) -> String {
    format!("no data: {error}")
}
