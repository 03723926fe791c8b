//! Compares the network as it runs, with batch norm folded into convolutions, to the graph as written.

use super::{Difference, FoldingCheck, Status, Subject, guarded, inner};
use crate::engine::Network;
use crate::error::{Error, Result};

/// Runs both and compares every tensor that both compute.
pub(super) fn check(subject: &Subject) -> FoldingCheck {
    let mut found = FoldingCheck {
        status: Status::Failed,
        folded: 0,
        compared: 0,
        difference: None,
        worst: None,
        problem: None,
    };
    match guarded(|| compare(subject, &mut found)) {
        Ok(difference) => {
            found.status = subject.status(&difference);
            found.difference = Some(difference);
        }
        Err(error) => found.problem = Some(inner(&error)),
    }
    found
}

fn compare(subject: &Subject, found: &mut FoldingCheck) -> Result<Difference> {
    let plain = Network::load_unfolded(subject.model, &subject.request.device)?;
    let mut plain = plain.walk(subject.input.clone())?;
    let mut folded = subject.network.walk(subject.input.clone())?;
    let mut worst = Difference::NONE;
    while let Some((position, values)) = folded.step()? {
        let expected = loop {
            match plain.step()? {
                Some((at, expected)) if at == position => break expected,
                // A step that only the plain graph has is a batch norm that was folded.
                Some(_) => found.folded += 1,
                None => return Err(Error::internal("the plain graph ended early")),
            }
        };
        found.compared += 1;
        let difference = Difference::between(&values, &expected);
        if difference.relative > worst.relative {
            worst = difference;
            found.worst = Some(subject.model.graph().nodes[position].name.clone());
        }
    }
    Ok(worst)
}
