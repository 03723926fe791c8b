//! Messages from data, in the library's words and in a command's.

use super::*;

const FLAGS: Wording = Wording::new(
    |option| match option {
        OptionName::Samples => "--samples",
        OptionName::Score => "--score",
        OptionName::Signed => "--signed",
        _ => "--other",
    },
    " ",
    |_| "`tool list`",
);

#[test]
fn the_cause_is_in_the_source_and_not_in_the_text() {
    let error = Error::io("read", Path::new("a.png"))(io::Error::other("disk on fire"));
    assert_eq!(error.to_string(), "cannot read 'a.png'");
    assert_eq!((error.kind(), error.io_kind()), (ErrorKind::Io, Some(io::ErrorKind::Other)));
    assert_eq!(error.subjects(), [Subject::File("a.png".into())]);
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("disk on fire"));
}

#[test]
fn a_message_has_subject_found_expected_and_hint_in_this_order() {
    let problem = Problem::new("has shape [1, 2]").expected("[1, 3]").found("two").hint("transpose it");
    assert_eq!(problem.to_string(), "has shape [1, 2], expected [1, 3], got two (transpose it)");
    let error = problem.about_tensor("w").about_node("fc", "Gemm").of_model("a.onnx");
    assert_eq!(
        error.to_string(),
        "model 'a.onnx': node 'fc' (Gemm): tensor 'w': has shape [1, 2], expected [1, 3], got two (transpose it)"
    );
    assert_eq!(error.subjects().len(), 3);
    assert_eq!(error.kind(), ErrorKind::Model);
    assert_eq!(Problem::expected_but("a name", "nothing").to_string(), "expected a name, got nothing");
}

#[test]
fn options_are_fields_in_the_library_and_flags_in_a_command() {
    let error = Error::from(Problem::new("is 0").hint(Hint::Raise(OptionName::Samples)));
    assert_eq!(error.to_string(), "is 0 (raise Options::samples)");
    assert_eq!(error.say(FLAGS), "is 0 (raise --samples)");
    let hint = Hint::Drop(vec![OptionName::Signed, OptionName::Samples, OptionName::Score]);
    assert_eq!(hint.say(FLAGS), "drop --signed, --samples and --score");
    assert_eq!(hint.steps().len(), 3);
    let hint = Hint::set(OptionName::Score, "prob");
    assert_eq!(hint.say(FLAGS), "use --score prob");
    assert_eq!(hint.say(Wording::LIBRARY), "use Request::score = prob");
    assert_eq!(hint.steps(), [Piece::Set(OptionName::Score, "prob".into())]);
    let subject = Problem::new("is 5").about(Subject::Option(OptionName::Samples));
    assert_eq!(subject.say(FLAGS), "--samples is 5");
}

#[test]
fn an_unknown_name_comes_with_the_nearest_and_all() {
    let error = Error::unknown("method", "gradcm", ["gradcam", "cam"]);
    let expected = "method 'gradcm' is not known (did you mean 'gradcam'?); expected one of gradcam, cam";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.nearest(), Some("gradcam"));
}

#[test]
fn the_hint_of_a_list_has_a_line_of_its_own() {
    let problem = Problem::new("1 of 2 tensors fit\n  missing: 'a'").hint("is it whole?");
    assert_eq!(problem.to_string(), "1 of 2 tensors fit\n  missing: 'a'\n  (is it whole?)");
}

#[test]
fn no_field_is_called_twice() {
    for (at, option) in OptionName::ALL.iter().enumerate() {
        assert!(OptionName::ALL[..at].iter().all(|other| other.field() != option.field()), "{option}");
    }
}
