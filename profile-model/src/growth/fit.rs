//! Which law it is: the one that fits, if all others are ruled out.

use super::data::{Data, FEWEST, Fitted};
use super::distributions::{quantile, student};
use super::law::{Law, NAMED};
use super::result::{Curve, Exponent, Growth, Point, Prediction, Unknown};

/// Of the largest size by the smallest.
const NARROWEST: f64 = 8.0;
/// A law is ruled out if it fits worse than the best one by more than chance does this often.
const RULED_OUT: f64 = 0.001;
/// The same where a power without a name is to be told: there are many of them.
const NAMELESS: f64 = 0.000_05;
/// A law does not fit if a more flexible curve fits better than chance lets it this often.
const BETTER: f64 = 0.01;
/// What grows by less than this part of itself is constant.
const CONSTANT: f64 = 0.1;
/// How far out it is predicted.
const AHEAD: [f64; 2] = [10.0, 100.0];

/// Tells by which law the values of `points` grow. `resolution` is how far a value may be off by the way
/// it is measured: 1 for a number of bytes, a page or more for RSS.
///
/// Of several values at one size the mean counts; sizes that are not positive are left out. Takes some
/// milliseconds.
#[must_use]
pub fn fit(points: &[Point], resolution: f64) -> Growth {
    let points = one_for_each_size(points);
    let whole = judge(&points, resolution);
    if whole.unknown != Some(Unknown::NoneFits) {
        return whole;
    }
    // Where the sizes are small something else may rule: the law is that of the large ones.
    for from in 1..points.len() {
        let tail = judge(&points[from..], resolution);
        match tail.unknown {
            None => return tail,
            Some(Unknown::NoneFits) => {}
            Some(_) => break,
        }
    }
    whole
}

/// The exponent by which `points` grow, if it is surely higher than `limit`: with a chance of
/// error of one in a thousand.
pub fn faster_than(points: &[Point], resolution: f64, limit: f64) -> Option<Exponent> {
    let growth = fit(points, resolution);
    let exponent = growth.exponent?;
    let mut points = one_for_each_size(points);
    points.retain(|point| point.n >= growth.from);
    let data = Data::new(&points, resolution);
    let power = data.fit_power();
    let chance = quantile(RULED_OUT, 1.0, power.degrees);
    let worse = data.fit(Law::Power(limit)).rss() - power.rss();
    let surely = exponent.value > limit && worse > power.scatter * chance;
    surely.then_some(exponent)
}

fn one_for_each_size(points: &[Point]) -> Vec<Point> {
    let usable = |point: &&Point| point.n > 0.0 && point.n.is_finite() && point.value.is_finite();
    let mut sorted: Vec<Point> = points.iter().filter(usable).copied().collect();
    sorted.sort_by(|a, b| a.n.total_cmp(&b.n));
    let same = sorted.chunk_by(|a, b| a.n == b.n);
    same.map(|same| Point {
        n: same[0].n,
        value: same.iter().map(|point| point.value).sum::<f64>() / same.len() as f64,
    })
    .collect()
}

/// Tells the law of points in order of their size.
fn judge(points: &[Point], resolution: f64) -> Growth {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return unknown(0.0, 0.0, Unknown::FewSizes);
    };
    let (from, to) = (first.n, last.n);
    if points.len() < FEWEST {
        return unknown(from, to, Unknown::FewSizes);
    }
    if to / from < NARROWEST {
        return unknown(from, to, Unknown::NarrowRange);
    }
    let data = Data::new(points, resolution.max(f64::MIN_POSITIVE));
    let laws: Vec<Fitted> = NAMED.iter().map(|&law| data.fit(law)).collect();
    let power = data.fit_power();
    let verdict = choose(&data, &laws, &power);
    Growth {
        from,
        ..tell(&data, verdict, &power)
    }
}

fn unknown(from: f64, to: f64, why: Unknown) -> Growth {
    Growth {
        law: None,
        unknown: Some(why),
        possible: Vec::new(),
        exponent: None,
        curve: None,
        predictions: Vec::new(),
        from,
        to,
    }
}

/// The law or why it cannot be told, and what is possible.
type Verdict<'a> = (Result<&'a Fitted, Unknown>, Vec<&'a Fitted>);

fn choose<'a>(data: &Data, laws: &'a [Fitted], power: &'a Fitted) -> Verdict<'a> {
    let possible = not_ruled_out(laws);
    let constant = &laws[0];
    if fits(data, constant) {
        let grows_little = laws[1..]
            .iter()
            .all(|law| grows_little(data, law, constant));
        return match grows_little {
            true => (Ok(constant), vec![constant]),
            false => (Err(Unknown::SeveralFit), possible),
        };
    }
    match possible.as_slice() {
        &[law] if fits(data, law) => (Ok(law), possible),
        [] | [_] => match is_another_power(data, power, laws) {
            true => (Ok(power), vec![power]),
            false => (Err(Unknown::NoneFits), Vec::new()),
        },
        _ if possible.iter().any(|law| fits(data, law)) => (Err(Unknown::SeveralFit), possible),
        _ => (Err(Unknown::NoneFits), Vec::new()),
    }
}

/// Those that do not fit worse than the best one by more than chance.
fn not_ruled_out(laws: &[Fitted]) -> Vec<&Fitted> {
    let best = laws.iter().min_by(|a, b| a.scatter.total_cmp(&b.scatter));
    let Some(best) = best else { return Vec::new() };
    laws.iter()
        .filter(|law| {
            let worse = law.scatter / best.scatter;
            worse < quantile(RULED_OUT, law.degrees, best.degrees)
        })
        .collect()
}

/// Whether no curve of more parameters describes the values better than by chance.
fn fits(data: &Data, law: &Fitted) -> bool {
    let (rss, degrees) = data.flexible();
    if degrees < 1.0 {
        return true;
    }
    let more = law.degrees - degrees;
    let gain = (law.rss() - rss).max(0.0) / more;
    let noise = (rss / degrees).max(1.0);
    gain / noise < quantile(BETTER, more, degrees)
}

/// Whether growing by `law` it would still grow by so little that it is called constant.
fn grows_little(data: &Data, law: &Fitted, constant: &Fitted) -> bool {
    let (Some(&low), Some(&high)) = (data.n.first(), data.n.last()) else {
        return false;
    };
    let rise = (law.at(high) - law.at(low)).abs();
    let error = law.variance_of_rise(low, high).sqrt() * student(RULED_OUT, law.degrees);
    let level = constant.at(low).abs();
    let least = data.variance(level).sqrt();
    rise + error < (CONSTANT * level).max(3.0 * least)
}

/// Whether it is a power of `n` other than those with a name, all of which are ruled out.
fn is_another_power(data: &Data, power: &Fitted, laws: &[Fitted]) -> bool {
    let all_ruled_out = laws.iter().all(|law| {
        let worse = law.scatter / power.scatter;
        worse > quantile(NAMELESS, law.degrees, power.degrees)
    });
    all_ruled_out && data.len() > FEWEST && fits(data, power)
}

fn tell(data: &Data, (choice, possible): Verdict<'_>, power: &Fitted) -> Growth {
    let (law, unknown) = match &choice {
        Ok(fitted) => (Some(fitted.law), None),
        Err(why) => (None, Some(*why)),
    };
    let likely = possible
        .iter()
        .copied()
        .min_by(|a, b| a.scatter.total_cmp(&b.scatter));
    let curve = choice.ok().or(likely).unwrap_or(power);
    let (constant, factor) = curve.coefficients();
    Growth {
        law,
        unknown,
        exponent: (law != Some(Law::Constant)).then(|| exponent(data, power)),
        curve: Some(Curve {
            law: curve.law,
            factor,
            constant,
        }),
        predictions: predictions(data, curve, &possible, power),
        possible: possible.iter().map(|fitted| fitted.law).collect(),
        from: data.n.first().copied().unwrap_or(0.0),
        to: data.n.last().copied().unwrap_or(0.0),
    }
}

fn exponent(data: &Data, power: &Fitted) -> Exponent {
    let (low, high) = data.exponents(power);
    let Law::Power(value) = power.law else {
        return Exponent {
            value: 0.0,
            low,
            high,
        };
    };
    Exponent { value, low, high }
}

/// Ahead on the curve. The interval spans all that is possible: where the law cannot be told, that of
/// every possible one, and of the steepest and the flattest power.
fn predictions(
    data: &Data,
    curve: &Fitted,
    possible: &[&Fitted],
    power: &Fitted,
) -> Vec<Prediction> {
    let Some(to) = data.n.last() else {
        return Vec::new();
    };
    let mut ways: Vec<Fitted> = possible.iter().map(|&fitted| fitted.clone()).collect();
    if possible.len() != 1 {
        let (low, high) = data.exponents(power);
        ways.extend([low, high].map(|k| data.fit(Law::Power(k))));
    }
    let ahead = AHEAD.iter().map(|times| times * to);
    ahead
        .map(|n| {
            let span = ways.iter().map(|way| interval(data, way, n));
            let (low, high) = span.fold((f64::INFINITY, f64::NEG_INFINITY), |span, way| {
                (span.0.min(way.0), span.1.max(way.1))
            });
            let value = curve.at(n);
            Prediction {
                n,
                value,
                low: low.min(value),
                high: high.max(value),
            }
        })
        .collect()
}

/// Where a value at `n` would be, with 95% confidence, if the law is this one.
fn interval(data: &Data, law: &Fitted, n: f64) -> (f64, f64) {
    let value = law.at(n);
    let variance = law.variance_at(n) + law.scatter * data.variance(value);
    let error = student(0.05, law.degrees) * variance.sqrt();
    (value - error, value + error)
}
