//! No number in the text of a run is larger than one that a run can have.
//!
//! One pass over the text looks at every number in it, those of fields that this version does not know
//! included. So a new field is looked at by itself, and its numbers must stay within the bound.

use struson::reader::{JsonReader, ReaderError, ValueType};

use crate::allowance::Allowance;
use crate::format::json::{self, TextReader};
use crate::text::visible::{truncate, visible};

/// No figure is larger: 256 PiB, nine years in nanoseconds. A difference or a sum of several then
/// stays within its type.
pub(super) const MOST: u64 = 1 << 58;

/// Fields whose numbers may have any finite size: a program's `by = …`, and the curves that were fitted to it.
pub(super) const ANY_SIZE: [&str; 9] = [
    "by", "n", "value", "low", "high", "factor", "constant", "from", "to",
];

/// The most columns of a number or a place that are shown.
const QUOTED: usize = 80;

/// Says which number in `text`, a JSON value, cannot be one of a run.
pub(super) fn check(text: &[u8], allowance: Allowance) -> Result<(), String> {
    let mut json = json::reader(text, allowance);
    match first_wrong(&mut json, false) {
        Ok(None) => Ok(()),
        Ok(Some(number)) => {
            let place = json.current_position(true).to_string();
            let [number, place] = [number, place].map(|text| truncate(&visible(&text), QUOTED));
            Err(format!("{number} is no figure of a run, {place}"))
        }
        Err(error) => Err(truncate(&visible(&error.to_string()), QUOTED)),
    }
}

/// The first number of the next value that is none; the reader stands behind it then.
fn first_wrong(json: &mut TextReader<'_>, any_size: bool) -> Result<Option<String>, ReaderError> {
    match json.peek()? {
        ValueType::Number => {
            let number = json.next_number_as_str()?;
            return Ok((!is_figure(number, any_size)).then(|| number.to_owned()));
        }
        ValueType::Array => {
            json.begin_array()?;
            while json.has_next()? {
                if let Some(wrong) = first_wrong(json, any_size)? {
                    return Ok(Some(wrong));
                }
            }
            json.end_array()?;
        }
        ValueType::Object => {
            json.begin_object()?;
            while json.has_next()? {
                let any_size = ANY_SIZE.contains(&json.next_name()?);
                if let Some(wrong) = first_wrong(json, any_size)? {
                    return Ok(Some(wrong));
                }
            }
            json.end_object()?;
        }
        _ => json.skip_value()?,
    }
    Ok(None)
}

fn is_figure(number: &str, any_size: bool) -> bool {
    match number.parse::<i128>() {
        Ok(whole) => any_size || whole.unsigned_abs() <= u128::from(MOST),
        // JSON can tell of numbers that are larger than any that can be calculated with.
        Err(_) => number.parse().is_ok_and(|number: f64| {
            number.is_finite() && (any_size || number.abs() <= MOST as f64)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_exact_and_the_place_is_named() {
        let text = |number: &str| format!("{{\"a\":[{{\"rss\":0}},{{\"rss\":{number}}}]}}");
        for allowed in ["288230376151711744", "-288230376151711744", "0.5", "1e17"] {
            assert_eq!(
                check(text(allowed).as_bytes(), Allowance::UNLIMITED),
                Ok(())
            );
        }
        for refused in [
            "288230376151711745",
            "-288230376151711745",
            "18446744073709551616",
            "1e18",
            "-1e999",
            &"9".repeat(300),
        ] {
            let said = check(text(refused).as_bytes(), Allowance::UNLIMITED).unwrap_err();
            assert!(said.contains("no figure of a run"), "{said}");
            assert!(said.contains("'$.a[1].rss', line 0"), "{said}");
            assert!(said.len() < 250, "{said}");
        }
        let hostile = check(b"{\"\\u001b[31m\":1e99}", Allowance::UNLIMITED).unwrap_err();
        assert!(!hostile.contains('\u{1b}'), "{hostile}");
    }
}
