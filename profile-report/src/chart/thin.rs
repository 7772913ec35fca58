//! Reduces a series to what a picture can show, without losing an extreme.

/// Keeps about `most` of `points`: of each of equal slices of time the first, the lowest, the
/// highest and the last, in order. `value` is what counts as high.
pub(crate) fn thin<T: Copy>(
    points: &[T],
    most: usize,
    time: impl Fn(&T) -> u64,
    value: impl Fn(&T) -> u64,
) -> Vec<T> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    if points.len() <= most {
        return points.to_vec();
    }
    let start = time(first);
    let span = time(last).saturating_sub(start).max(1);
    let slices = (most / 4).max(1) as u128;
    let slice =
        |point: &T| u128::from(time(point).saturating_sub(start)) * slices / (u128::from(span) + 1);
    points
        .chunk_by(|a, b| slice(a) == slice(b))
        .flat_map(|chunk| extremes(chunk, &value))
        .collect()
}

/// First, lowest, highest and last of `chunk`, in order, none twice.
fn extremes<T: Copy>(chunk: &[T], value: impl Fn(&T) -> u64) -> Vec<T> {
    let indices = 0..chunk.len();
    let lowest = indices
        .clone()
        .min_by_key(|&i| value(&chunk[i]))
        .unwrap_or(0);
    let highest = indices.max_by_key(|&i| value(&chunk[i])).unwrap_or(0);
    let mut kept = vec![0, lowest, highest, chunk.len() - 1];
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|i| chunk[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bounded_ordered_and_extremes_kept(
            mut points in prop::collection::vec((0u64..1 << 40, any::<u64>()), 1..3_000),
            most in 16usize..400,
        ) {
            points.sort_unstable();
            let kept = thin(&points, most, |p| p.0, |p| p.1);
            prop_assert!(kept.len() <= most);
            prop_assert!(kept.is_sorted_by_key(|p| p.0));
            prop_assert_eq!(kept.iter().map(|p| p.1).max(), points.iter().map(|p| p.1).max());
            prop_assert_eq!(kept.iter().map(|p| p.1).min(), points.iter().map(|p| p.1).min());
            prop_assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        }
    }
}
