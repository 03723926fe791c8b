//! How positions are drawn, counted and judged.

use super::*;

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
    let class = model.output().form.most_probable(&logits).unwrap();
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
