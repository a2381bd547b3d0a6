"""Labels that are scores: by the key and by a teacher, alone and several in one prompt."""

from collections.abc import Mapping
from typing import Any

import pytest

from judgesmith.errors import RecipeError
from judgesmith.judging.dialect import Dialect
from judgesmith.models.about import SCORED_ALONE
from judgesmith.models.simulated_teacher import TeacherSpec
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Finish,
    Item,
    Judgment,
    Kind,
    Label,
    Response,
    Scores,
    Split,
    Status,
    index_by_id,
)
from judgesmith.runs.jsonl import PartialFile
from judgesmith.runs.layout import Header, RunDir
from judgesmith.sources.simulated import read_questions
from judgesmith.stages import labels
from judgesmith.stages.labels.key import judge_by_key
from judgesmith.stages.labels.label_inputs import LabelInputs
from judgesmith.stages.labels.people import ByPeople
from judgesmith.stages.labels.scored import (
    gives_scores,
    mean_scores,
    require_primary_alone,
    scored_by_teacher,
)
from judgesmith.stages.labels.teachers import Teachers
from judgesmith.tasks import load_dialect, task_of
from judgesmith.tasks.general.key import must_hold

TASK = task_of(Header(name="t", task="general", seed=1))
POLICY = "share_held"
QUESTION = next(iter(read_questions(None)))


def dialect(name: str) -> Dialect:
    return load_dialect(TASK, name)


def holding(count: int) -> Response:
    made = Response.make(
        source="t", licence="t", question_id=QUESTION.id, model=f"m{count}", sampling={},
        text="\n".join(["Here:", *must_hold(QUESTION)[:count]]), finish=Finish.STOP, task={},
    )  # fmt: skip
    return TASK.annotate_response(made, QUESTION)


def item(*responses: Response) -> Item:
    kinds = {1: Kind.SINGLE, 2: Kind.PAIR}
    return Item.make(
        source="t", licence="t", kind=kinds[len(responses)], question_id=QUESTION.id,
        response_ids=tuple(r.id for r in responses), bucket="b", subtype=None, split=Split.TRAIN,
    )  # fmt: skip


ALL, HALF, NONE = holding(4), holding(2), holding(0)
RESPONSES = index_by_id([ALL, HALF, NONE])
PAIR, ALONE = item(HALF, ALL), item(HALF)


def by_key(items: list[Item], name: str, **more: Any) -> tuple[list[Judgment], list[Label]]:
    return judge_by_key(
        items, {QUESTION.id: QUESTION}, RESPONSES, TASK, policy=POLICY, dialect=dialect(name),
        **more,
    )  # fmt: skip


def values(label: Label) -> tuple[float, ...]:
    assert isinstance(label.verdict, Scores)
    return label.verdict.values


def test_the_key_scores_both_responses_of_a_pair_in_both_orders() -> None:
    """On 1 to 10, half is 1 + 2 * 9/4 = 5.5, rounded to the even 6, and all is 10."""
    judgments, (label,) = by_key([PAIR], "judgelm")
    assert {(one.order, one.verdict.values) for one in judgments if one.verdict} == {  # type: ignore[union-attr]
        ((0, 1), (6.0, 10.0)), ((1, 0), (10.0, 6.0)),
    }  # fmt: skip
    assert values(label) == (6.0, 10.0)
    assert label.policy == POLICY


def test_the_key_scores_each_response_of_a_pair_alone_and_names_the_better() -> None:
    judgments, labels = by_key([PAIR], "prometheus-absolute-reference")
    assert [one.order for one in judgments] == [(0,), (1,)]
    named, scored = labels
    assert isinstance(named.verdict, Choice)
    assert named.verdict.value == "B"
    assert values(scored) == (3.0, 5.0)
    assert scored.policy == f"{POLICY}, {SCORED_ALONE}"
    assert named.id != scored.id


def test_beside_a_dialect_of_pairs_nobody_is_named_twice() -> None:
    _, (only,) = by_key([PAIR], "prometheus-absolute-reference", further=True)
    assert values(only) == (3.0, 5.0)


def test_a_single_item_has_one_score_and_no_pairs_dialect() -> None:
    _, (label,) = by_key([ALONE], "prometheus-absolute-reference")
    assert values(label) == (3.0,)
    assert by_key([ALONE], "judgelm") == ([], [])


def taught(
    tmp_path: Any, name: str, items: list[Item], rates: Mapping[str, float], both: bool = True
) -> Any:
    teachers = Teachers(
        primary="gpt", simulated=(TeacherSpec(name="gpt", first_rate=0, **rates),),
        both_orders=both,
    )  # fmt: skip
    given = LabelInputs(
        items, {QUESTION.id: QUESTION}, RESPONSES, ByPeople(), {}, TASK, dialect(name), POLICY, 3
    )
    partial = PartialFile(tmp_path / f"{name}.partial")
    return scored_by_teacher(teachers, given, partial, lambda name: pytest.fail(name))


@pytest.mark.parametrize(
    ("name", "expected", "judged"),
    [("judgelm", (6.0, 10.0), 2), ("prometheus-absolute-reference", (3.0, 5.0), 2)],
)
def test_a_teacher_that_is_always_right_gives_the_keys_scores(
    tmp_path: Any, name: str, expected: tuple[float, ...], judged: int
) -> None:
    found = taught(tmp_path, name, [PAIR], {"accuracy": 1.0})
    (label,) = found.labels
    assert values(label) == expected
    assert label.annotator_kind is AnnotatorKind.SIMULATED
    assert len(found.judgments) == len(label.judgment_ids) == judged
    assert {one.source for one in found.judgments} == {"simulated teacher gpt"}


def test_in_one_order_only_the_drawn_one_is_asked(tmp_path: Any) -> None:
    found = taught(tmp_path, "judgelm", [PAIR], {"accuracy": 1.0}, both=False)
    assert len(found.judgments) == 1
    assert values(found.labels[0]) == (6.0, 10.0)


def test_an_item_without_a_score_has_no_label_and_says_why(tmp_path: Any) -> None:
    found = taught(tmp_path, "judgelm", [PAIR], {"refuse_rate": 1.0})
    assert found.labels == []
    assert found.unlabelled == {PAIR.id: "a score could not be read"}
    assert {one.status for one in found.judgments} == {Status.REFUSED}


def judgment(order: tuple[int, ...], *scores: float) -> Judgment:
    return Judgment.make(
        source="t", licence="t", item_id="i", judge="j", dialect="d", order=order, sample=0,
        reply=None, rationale=None, distribution=None, status=Status.PARSED, reference=None,
        verdict=Scores(kind="scores", values=scores, criteria=None),
    )  # fmt: skip


def test_the_mean_is_over_orders_and_by_response() -> None:
    """The first response has 8 and 6, the second 3 and 5."""
    both = [judgment((0, 1), 8, 3), judgment((1, 0), 5, 6)]
    assert mean_scores(both, 2) == (7.0, 4.0)
    assert mean_scores([judgment((1,), 4)], 2) is None


def test_a_panel_on_scores_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(RecipeError, match=r"labels.teachers.panel: expected none in dialect"):
        require_primary_alone(Teachers(primary="a", panel=("b",)), dialect("judgelm"))


def test_a_teacher_gives_scores_only_in_further_dialects(tmp_path: Any) -> None:
    """Letters would be asked for, paid for, and read as no score; it is said before that."""
    run_dir = RunDir(tmp_path, Header(name="t", task="general", seed=1))
    run_dir.write("questions/questions.jsonl", [QUESTION])
    run_dir.write("responses/responses.jsonl", [ALL, HALF, NONE])
    run_dir.write("split/items.jsonl", [PAIR])
    config = {
        "dialect": "judgelm", "more": ["prometheus-relative"],
        "teachers": {"primary": "gpt", "simulated": [{"name": "gpt", "accuracy": 1.0}]},
    }  # fmt: skip
    with pytest.raises(RecipeError, match=r"labels.more: .*'prometheus-relative' has the choices"):
        labels.run(labels.Config.model_validate(config), run_dir, lambda name: pytest.fail(name))
    assert not (tmp_path / "labels").exists()


def test_which_dialects_give_scores() -> None:
    assert gives_scores(dialect("judgelm"), [PAIR])
    assert gives_scores(dialect("prometheus-absolute-reference"), [ALONE])
    assert not gives_scores(dialect("prometheus-absolute-reference"), [PAIR])
    assert not gives_scores(dialect("prometheus-relative-reference"), [PAIR])
