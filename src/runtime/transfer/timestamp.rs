//! Points in time as people write them: RFC 3339, and dates alone.

const DAY_MS: i64 = 86_400_000;

/// Milliseconds since 1970 of `2024-02-29T12:30:00.5+01:00`; seconds and their fraction may be left
/// out, and a space may stand for the `T`. `None` for anything else, a time without a zone included.
pub(super) fn parse_instant(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let day = parse_date(date)?;
    let time = time.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = match time.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let at = time.rfind(['+', '-'])?;
            let (time, zone) = time.split_at_checked(at)?;
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = number(hours, 2, 23)? * 60 + number(minutes, 2, 59)?;
            (time, sign * minutes * 60_000)
        }
    };
    let mut parts = time.split(':');
    let hours = number(parts.next()?, 2, 23)?;
    let minutes = number(parts.next()?, 2, 59)?;
    let seconds = match parts.next() {
        None => 0,
        Some(seconds) => milliseconds(seconds)?,
    };
    if parts.next().is_some() {
        return None;
    }
    Some(day + (hours * 60 + minutes) * 60_000 + seconds - offset)
}

/// Milliseconds since 1970 of the beginning of a day, `2024-02-29`, in UTC.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4, 9999)?;
    let month = number(parts.next()?, 2, 12)?;
    let day = number(parts.next()?, 2, 31)?;
    if parts.next().is_some() || month == 0 || day == 0 || day > days_of(year, month) {
        return None;
    }
    Some(days_since_1970(year, month, day) * DAY_MS)
}

fn milliseconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    // 60 is a leap second, which this count does not have.
    let whole = number(whole, 2, 60)?.min(59);
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(whole * 1000 + digits.parse::<i64>().ok()?)
}

fn number(text: &str, digits: usize, most: i64) -> Option<i64> {
    if text.len() != digits || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| *number <= most)
}

fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// In the proleptic Gregorian calendar; years begin in March here, so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_dates() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-11-23T02:16:00.123Z", 1_763_864_160_123),
            ("2025-11-23 03:16:00.1239+01:00", 1_763_864_160_123),
            ("2025-11-22T21:16-05:00", 1_763_864_160_000),
            ("2000-02-29T23:59:60Z", 951_868_799_000),
            ("1969-12-31T23:59:59.999z", -1),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ] {
            assert_eq!(parse_instant(text), Some(ms), "{text}");
        }
        assert_eq!(parse_date("1970-01-02"), Some(86_400_000));
        assert_eq!(parse_date("2024-02-29"), Some(1_709_164_800_000));
    }

    #[test]
    fn anything_else_is_no_time() {
        for bad in [
            "",
            "2025-11-23",
            "2025-11-23T",
            "2025-11-23T02:16:00",
            "2025-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2025-11-23T24:00:00Z",
            "2025-11-23T02:16:00.Z",
            "2025-11-23T02:16:00+1:00",
            "2025-11-23T02:16:00:00Z",
            "äöüäö-11-23T02:16:00Z",
            "2025-1é-23T02:16:00Z",
        ] {
            assert_eq!(parse_instant(bad), None, "{bad}");
        }
        for bad in [
            "2025-00-01",
            "2025-04-31",
            "25-04-01",
            "2025-04-01-01",
            "+025-04-01",
        ] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }
}
