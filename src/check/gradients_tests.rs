//! Slopes of functions with known derivatives.

use super::*;

const RULER: Ruler = Ruler { step: 2.0, allowed: 0.02, rounding: 1e-7 };

/// What is found at `value` when the program under test claims that the slope there is `gradient`.
fn measure(value: f32, gradient: f64, function: impl Fn(f64) -> f64) -> Finding {
    let mut smallest = RULER.step;
    RULER.measure(value, gradient, &mut smallest, |value| Ok(function(f64::from(value)))).unwrap()
}

#[track_caller]
fn has_slope(value: f32, slope: f64, function: impl Fn(f64) -> f64) {
    for gradient in [slope, slope + 0.1, -7.0] {
        match measure(value, gradient, &function) {
            Finding::Smooth(found) => {
                let distance = (found - slope).abs();
                assert!(distance <= RULER.allowed, "with gradient {gradient}: {found} against {slope}");
            }
            other => panic!("with gradient {gradient}: {other:?}, expected the slope {slope}"),
        }
    }
}

#[test]
fn a_smooth_function_has_its_derivative_whatever_is_claimed() {
    has_slope(0.7, 3.0, |x| 3.0 * x - 1.0);
    has_slope(0.7, 1.4, |x| x * x);
    has_slope(0.7, 0.7_f64.cos(), f64::sin);
    has_slope(-2.0, 0.0, |_| 5.0);
}

#[test]
fn a_kink_nearby_is_stepped_away_from() {
    has_slope(0.3, 1.0, |x| x.max(0.0));
    has_slope(-0.3, 0.0, |x| x.max(0.0));
    // A dent on each side, which long steps miss.
    assert!(
        matches!(measure(0.0, 0.0, |x| x.signum() * (x.abs() - 0.01).max(0.0)), Finding::Smooth(slope) if slope == 0.0)
    );
}

#[test]
fn a_kink_at_the_place_itself_is_called_one() {
    for gradient in [0.0, 0.5, 1.0] {
        let finding = measure(0.0, gradient, |x| x.max(0.0));
        let Finding::Kink([up, down]) = finding else { panic!("{finding:?}") };
        assert!((up - 1.0).abs() < 1e-6 && down.abs() < 1e-6, "{up}, {down}");
    }
    assert!(matches!(measure(0.0, 1.0, f64::abs), Finding::Kink(_)));
}

#[test]
fn at_a_kink_the_gradient_lies_between_the_slopes() {
    let off = |gradient| outside(gradient, [1.0, 0.0]);
    assert_eq!([off(0.0), off(0.3), off(1.0)], [0.0; 3]);
    assert_eq!([off(-0.5), off(1.5)], [0.5; 2]);
}

#[test]
fn a_wrong_gradient_at_a_kink_is_counted_as_wrong() {
    let mut found = concluded(0, 0, 0);
    found.count(Finding::Kink([1.0, 0.0]), None, 0.0);
    found.count(Finding::Kink([1.0, 0.0]), Some(Verdict::Wrong), 0.5);
    found.count(Finding::Smooth(1.0), Some(Verdict::Sound), 0.5);
    found.count(Finding::Smooth(1.0), Some(Verdict::NotTaken), 0.5);
    assert_eq!((found.smooth, found.at_kink, found.unsettled, found.wrong), (0, 3, 1, 1));
    assert_eq!(found.relative, Some(0.5));
}

/// Pools over a padded border tie, and where ties meet the head's slope differs from the chain rule.
#[test]
fn ties_of_pools_are_no_mistake_and_mistakes_are_none_of_theirs() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases/numbers/tied_pools.bpk");
    let model = crate::Model::open(&path, None).unwrap();
    let request = super::super::CheckRequest::default();
    let layer = model.graph().position("n0").unwrap();
    let runtime = crate::engine::Runtime::from(&request.device);
    let network = crate::engine::Network::load(&model, &[layer], &runtime).unwrap();
    let input = super::super::noise::input(&model, 0).unwrap();
    let logits = network.logits(input.clone()).unwrap();
    let class = most_probable(&logits);
    let trunk = network.trunk(input.clone()).unwrap();
    let evidence = network.record(&trunk).unwrap().evidence(&Score::Logit, class).unwrap().remove(0);
    let subject = Subject { model: &model, request: &request, network, layer: Some(layer), input, logits };
    let judged = |change: fn(f32) -> f32| {
        let mut evidence = evidence.clone();
        evidence.gradients.values.iter_mut().for_each(|gradient| *gradient = change(*gradient));
        let mut found = concluded(0, 0, 0);
        judge(&subject, (&trunk, &evidence, class), &mut found).unwrap();
        found
    };
    let sound = judged(|gradient| gradient);
    assert_eq!((sound.status, sound.wrong), (Status::Ok, 0), "{sound:?}");
    let mistakes: [fn(f32) -> f32; 3] =
        [|gradient| 1.5 * gradient, |gradient| -gradient, |gradient| gradient * gradient];
    for wrong in mistakes {
        let found = judged(wrong);
        assert!(found.status == Status::Failed && found.wrong > 0, "{found:?}");
    }
}

#[test]
fn what_rounding_drowns_stays_unsettled() {
    assert_eq!(measure(0.0, 1.0, |x| (30_000.0 * x).sin()), Finding::Unsettled);
    let coarse = Ruler { rounding: 1.0, ..RULER };
    let finding = coarse.measure(0.0, 1.0, &mut 2.0, |x| Ok(f64::from(x))).unwrap();
    assert_eq!(finding, Finding::Unsettled);
}

fn concluded(smooth: usize, at_kink: usize, wrong: usize) -> GradientCheck {
    let mut found = GradientCheck {
        status: Status::NotAvailable,
        layer: None,
        class: None,
        positions: smooth + at_kink,
        smooth,
        at_kink,
        unsettled: 0,
        wrong,
        steps: None,
        relative: None,
        limit: GradientCheck::LIMIT,
        problem: None,
    };
    conclude(&mut found);
    found
}

#[test]
fn one_wrong_position_fails_and_too_few_prove_nothing() {
    assert_eq!(concluded(32, 0, 0).status, Status::Ok);
    assert_eq!(concluded(32, 0, 1).status, Status::Failed);
    assert_eq!(concluded(2, 30, 1).status, Status::Failed);
    let few = concluded(7, 25, 0);
    assert_eq!(few.status, Status::NotAvailable);
    assert!(few.problem.unwrap().starts_with("not conclusive"));
}

#[test]
fn half_of_the_sample_lies_where_the_gradient_is_not_zero() {
    let mut gradients = vec![0.0; 10_000];
    gradients[40..80].fill(1.0);
    let drawn = sample(&gradients, 0);
    assert_eq!(drawn.len(), POSITIONS);
    assert!(drawn.iter().filter(|at| (40..80).contains(*at)).count() >= POSITIONS / 2);
    assert_eq!(sample(&gradients, 0), drawn);
    assert_ne!(sample(&gradients, 1), drawn);
    assert_eq!(sample(&[0.0; 5], 0).len(), 5);
    assert_eq!(sample(&vec![0.0; 100], 0).len(), POSITIONS);
}
