//! Durations and sizes as people write them: `200ms`, `1.5s`, `64MiB`.

use std::time::Duration;

/// Reads a duration, longer than none: a number and `ms`, `s`, `m` or `h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("a duration is a number and a unit, as in 200ms, 30s, 5m or 1h".into()),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(Duration::ZERO) => Err("a cell needs some time to run, as in 200ms or 30s".into()),
        Ok(duration) => Ok(duration),
        Err(_) => Err("that is too long".into()),
    }
}

/// Reads a size in bytes: a number and `B`, `KiB`, `MiB` or `GiB`, or `KB`, `MB`, `GB` for powers of a thousand.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text);
    let factor: f64 = match unit {
        "B" => 1.0,
        "KiB" | "K" => 1024.0,
        "MiB" | "M" => 1024.0 * 1024.0,
        "GiB" | "G" => 1024.0 * 1024.0 * 1024.0,
        "KB" | "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return Err("a size is a number and a unit, as in 512KiB, 64MiB or 0.5GiB".into()),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    let bytes = number * factor;
    // Below 2^53 every whole number is exact, and no memory is larger.
    if bytes < 9e15 { Ok(bytes as usize) } else { Err("that is too large".into()) }
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

/// Writes a duration with as many digits as help: `312 µs`, `4.2 ms`, `1.73 s`, `2 min 5 s`.
pub(crate) fn show_duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.1} ms", duration.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{:.0} ms", duration.as_secs_f64() * 1e3),
        1_000_000..120_000_000 => {
            let seconds = format!("{:.2}", duration.as_secs_f64());
            format!("{} s", seconds.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60),
    }
}

/// Writes a number of bytes: `812 B`, `1.5 KiB`, `64 MiB`.
pub(crate) fn show_bytes(bytes: usize) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if value.fract() == 0.0 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2 m"), Ok(Duration::from_secs(120)));
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("1.5 KiB"), Ok(1536));
        assert_eq!(bytes("2MB"), Ok(2_000_000));
    }

    #[test]
    fn refuses_the_rest_and_says_what_is_accepted() {
        for bad in [
            "",
            "30",
            "0s",
            "0.0ms",
            "0.0000000001s",
            "s",
            "-1s",
            "1..2s",
            "9999999999999999999999h",
            "1 fortnight",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for bad in ["", "64", "MiB", "-1MiB", "1e3MiB", "99999999999GiB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        assert!(duration("30").unwrap_err().contains("30s"));
        assert!(bytes("64").unwrap_err().contains("64MiB"));
    }

    #[test]
    fn writes_few_digits() {
        assert_eq!(show_duration(Duration::from_micros(312)), "312 µs");
        assert_eq!(show_duration(Duration::from_micros(4_210)), "4.2 ms");
        assert_eq!(show_duration(Duration::from_millis(200)), "200 ms");
        assert_eq!(show_duration(Duration::from_millis(1_730)), "1.73 s");
        assert_eq!(show_duration(Duration::from_secs(30)), "30 s");
        assert_eq!(show_duration(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(show_bytes(812), "812 B");
        assert_eq!(show_bytes(64 << 20), "64 MiB");
        assert_eq!(show_bytes(1536), "1.5 KiB");
    }
}
