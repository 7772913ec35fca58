//! Random trials of known laws: the right one is named, or none.

use super::{Growth, Law, Point, Unknown, fit};

/// SplitMix64: the same trials on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Between 0 and 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[(self.next() % values.len() as u64) as usize]
    }

    /// Normally distributed, near enough: the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

const LAWS: [Law; 7] = [
    Law::Constant,
    Law::Log,
    Law::Power(1.0),
    Law::NLogN,
    Law::Power(1.5),
    Law::Power(2.0),
    Law::Power(3.0),
];

#[derive(Debug)]
struct Trial {
    law: Law,
    paged: bool,
    points: Vec<Point>,
}

/// What disturbs a trial: noise, and a constant part that is as large as what grows, or ten times as large.
#[derive(Debug, Clone, Copy)]
struct Disturbed {
    noise: f64,
    constant: f64,
}

impl Disturbed {
    /// Any of all.
    fn somehow(random: &mut Random) -> Disturbed {
        Disturbed {
            noise: random.one_of(&[0.0, 0.0, 0.005, 0.02, 0.05, 0.1]),
            constant: random.one_of(&[0.0, 0.0, 0.1, 1.0, 10.0]),
        }
    }

    /// With noise or without, with a large constant part or without.
    fn by(noise: bool, constant: bool, random: &mut Random) -> Disturbed {
        let noises = [0.005, 0.02, 0.05, 0.1];
        Disturbed {
            noise: if noise { random.one_of(&noises) } else { 0.0 },
            constant: if constant {
                random.one_of(&[1.0, 10.0])
            } else {
                0.0
            },
        }
    }
}

/// A program of known law, measured: five to sixteen sizes, values of 1 KiB to 1 GiB, noise up to 10%,
/// a constant part of up to ten times what grows, in whole pages or not.
fn trial(law: Law, Disturbed { noise, constant }: Disturbed, random: &mut Random) -> Trial {
    let count = 5 + random.next() % 12;
    let step: f64 = random.one_of(&[1.5, 2.0, 2.0, 3.0, 10.0]);
    let first: f64 = random.one_of(&[1.0, 2.0, 10.0, 64.0, 1000.0]);
    let paged = random.one_of(&[true, false, false]);
    let largest = if paged { 1e6 } else { 1e3 } * 1e3_f64.powf(random.unit());
    let sizes: Vec<f64> = (0..count)
        .map(|i| (first * step.powi(i as i32)).round())
        .collect();
    let term = |n: f64| {
        if law == Law::Constant {
            1.0
        } else {
            law.term(n)
        }
    };
    let top = sizes.iter().map(|&n| term(n)).fold(0.0, f64::max);
    let measure = |n: f64, random: &mut Random| {
        let exact = largest * (term(n) / top + constant);
        let noisy = exact * (noise * random.normal()).exp();
        if paged {
            ((noisy / 4096.0).ceil() + random.one_of(&[0.0, 0.0, 1.0, -1.0])).max(0.0) * 4096.0
        } else {
            noisy.round()
        }
    };
    let points = sizes.iter().map(|&n| Point {
        n,
        value: measure(n, random),
    });
    Trial {
        law,
        paged,
        points: points.collect(),
    }
}

fn judged(trial: &Trial) -> Growth {
    fit(&trial.points, if trial.paged { 8192.0 } else { 1.0 })
}

impl Trial {
    /// Whether `law` is what it was made by. What grows by less than a tenth may be called constant.
    fn is(&self, law: Law) -> bool {
        let values = || self.points.iter().map(|point| point.value);
        let lowest = values().fold(f64::INFINITY, f64::min);
        let highest = values().fold(0.0, f64::max);
        law == self.law || (law == Law::Constant && highest < 1.1 * lowest)
    }
}

#[test]
fn two_hundred_programs_of_known_law() {
    let mut random = Random(2026);
    let mut named = [0; LAWS.len()];
    let mut wrong = Vec::new();
    for number in 0..200 {
        let at = number % LAWS.len();
        let disturbed = Disturbed::somehow(&mut random);
        let trial = trial(LAWS[at], disturbed, &mut random);
        let growth = judged(&trial);
        match growth.law {
            Some(law) if trial.is(law) => named[at] += 1,
            Some(_) => wrong.push((trial, growth)),
            None => assert!(growth.unknown.is_some(), "{growth:?}"),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // To tell nothing would be right as well, and of no use.
    println!("{named:?} named of 29 or 28 each");
    assert!(named.iter().all(|&named| named >= 6), "{named:?}");
    assert!(named.iter().sum::<i32>() >= 75, "{named:?}");
}

/// Two hundred of each law: a quarter each exact, with noise, with a large constant part, with both.
#[test]
fn two_hundred_programs_of_each_law() {
    let mut random = Random(9);
    for law in LAWS {
        let mut named = [0; 4];
        for (named, (noise, constant)) in named.iter_mut().zip(WAYS) {
            for _ in 0..50 {
                let disturbed = Disturbed::by(noise, constant, &mut random);
                let trial = trial(law, disturbed, &mut random);
                let growth = judged(&trial);
                match growth.law {
                    Some(law) if trial.is(law) => *named += 1,
                    Some(_) => panic!("{trial:#?} {growth:#?}"),
                    None => assert!(growth.unknown.is_some(), "{growth:?}"),
                }
            }
        }
        println!("{law}: {named:?} named of 50 each: {WAYS:?}");
        assert!(named[0] >= 40, "{law}: {named:?}");
        assert!(named.iter().sum::<i32>() >= 60, "{law}: {named:?}");
    }
}

/// With noise, and with a large constant part.
const WAYS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

/// With values that are exact, any law is told from eight sizes on, over a range of 128.
#[test]
fn what_is_exact_is_told() {
    for law in LAWS {
        let truth = |n: f64| 1e6 + 1e6 * law.term(n) / law.term(1024.0).max(1.0);
        let points: Vec<Point> = (3..11)
            .map(|exponent| f64::from(1 << exponent))
            .map(|n| Point { n, value: truth(n) })
            .collect();
        let growth = fit(&points, 1.0);
        assert_eq!(growth.law, Some(law), "{growth:#?}");
        for prediction in growth.predictions {
            let truth = truth(prediction.n);
            assert!(
                (prediction.low..=prediction.high).contains(&truth),
                "{law}: {truth} is not in {prediction:?}"
            );
            assert!(
                prediction.high < 1.2 * truth,
                "{law}: {prediction:?} of {truth}"
            );
        }
    }
}

/// Below a size something else rules: the law is that of the large ones, and it says from where.
#[test]
fn small_sizes_may_follow_something_else() {
    let growth_of = |linear: f64| {
        let sizes = (0..14).map(|exponent| f64::from(1 << exponent));
        let value = |n: f64| 24.0 * n * n + linear * n;
        let points = sizes.map(|n| Point { n, value: value(n) });
        fit(&points.collect::<Vec<_>>(), 1.0)
    };
    let growth = growth_of(100.0);
    assert_eq!(growth.law, Some(Law::Power(2.0)), "{growth:#?}");
    assert!(growth.from >= 8.0, "{growth:#?}");
    // Here both are of one order to the end: no single law is right.
    let growth = growth_of(100_000.0);
    assert_eq!(growth.law, None, "{growth:#?}");
}

#[test]
fn too_little_to_tell() {
    let points = |sizes: &[f64]| -> Vec<Point> {
        let point = |&n: &f64| Point { n, value: n };
        sizes.iter().map(point).collect()
    };
    let why = |sizes: &[f64]| fit(&points(sizes), 1.0).unknown;
    assert_eq!(why(&[]), Some(Unknown::FewSizes));
    assert_eq!(why(&[1.0, 10.0, 100.0, 1000.0]), Some(Unknown::FewSizes));
    assert_eq!(
        why(&[100.0, 200.0, 300.0, 400.0, 500.0]),
        Some(Unknown::NarrowRange)
    );
    assert_eq!(
        why(&[0.0, -1.0, f64::NAN, f64::INFINITY, 7.0, 7.0]),
        Some(Unknown::FewSizes)
    );
}
