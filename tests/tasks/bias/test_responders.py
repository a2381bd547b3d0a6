"""Simulated responders: stated rates are met, answers can be read, styles differ."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from statistics import mean
from typing import Any

import pytest
import yaml

from judgesmith.errors import RecipeError
from judgesmith.models.protocol import Completion, Request, Sampling
from judgesmith.records import LETTERS, Finish, Message, Question, Response, keyed_rng
from judgesmith.sources.bank import read_questions
from judgesmith.tasks.bias import TASK
from judgesmith.tasks.bias.classify import BiasClass
from judgesmith.tasks.bias.letter import read_letter
from judgesmith.tasks.bias.responders import SimulatedResponder, simulated_responder

SEED = 7
SPEC: dict[str, Any] = {"name": "sim", "style": "terse"}


@pytest.fixture(scope="module")
def questions() -> dict[str, Question]:
    return {q.id: TASK.annotate_question(q) for q in read_questions(None)}


def quickstart_specs() -> list[dict[str, Any]]:
    recipe = resources.files("judgesmith") / "recipes" / "quickstart.yaml"
    specs = yaml.safe_load(recipe.read_text(encoding="utf-8"))["responses"]["simulated"]
    return list(specs)


def ask(model: SimulatedResponder, questions: Sequence[Question]) -> list[Completion]:
    requests = [
        Request(
            record_id=question.id,
            messages=(Message(role="user", content="two words"),),
            sampling=Sampling(),
        )
        for question in questions
    ]
    return list(model.complete(requests))


def answers(
    questions: Mapping[str, Question], seed: int = SEED, **spec: Any
) -> dict[str, Completion]:
    model = simulated_responder({**SPEC, **spec}, questions, seed)
    return dict(zip(questions, ask(model, list(questions.values())), strict=True))


@dataclass(frozen=True)
class Crowd:
    """The quickstart's responders on half of the bank."""

    models: dict[str, SimulatedResponder]
    completions: dict[str, list[Completion]]
    questions: list[Question]

    def classes(self, name: str) -> list[tuple[Question, str]]:
        return [
            (question, class_of(question, completion))
            for question, completion in zip(self.questions, self.completions[name], strict=True)
            if completion.finish is Finish.STOP
        ]

    def letters(self, name: str) -> list[tuple[Question, int]]:
        """Indices of the choices that were read."""
        read = [
            (question, read_letter(completion.text, question.choices or ()).letter)
            for question, completion in zip(self.questions, self.completions[name], strict=True)
            if completion.finish is Finish.STOP
        ]
        return [(question, LETTERS.index(letter)) for question, letter in read if letter]


def class_of(question: Question, completion: Completion) -> str:
    response = Response.make(
        source="t", licence="t", question_id=question.id, model="m", sampling={},
        text=completion.text, finish=completion.finish, task={},
    )  # fmt: skip
    return str(TASK.annotate_response(response, question).task["class"])


@pytest.fixture(scope="module")
def crowd(questions: dict[str, Question]) -> Crowd:
    models = {
        spec["name"]: simulated_responder(spec, questions, SEED) for spec in quickstart_specs()
    }
    asked = sorted(questions.values(), key=lambda question: question.id)[:1400]
    return Crowd(models, {name: ask(model, asked) for name, model in models.items()}, asked)


def close(count: int, of: int, rate: float) -> bool:
    """Within 4.5 standard errors of a binomial share; by chance outside once in 150,000."""
    return abs(count / of - rate) <= 4.5 * math.sqrt(rate * (1 - rate) / of)


def has_other_wrong(question: Question) -> bool:
    """False where two stereotypes are tracked and nothing is settled: both people are targets."""
    return len({question.key, *question.task["targets"]}) < len(question.choices or ())


def test_stated_rates_are_met_by_what_is_read(crowd: Crowd) -> None:
    """Biased: of the questions with a target that is not the key. Other wrong: of all that have
    such a choice.
    """
    for name, model in crowd.models.items():
        found = crowd.classes(name)
        open_to_bias = [c for q, c in found if set(q.task["targets"]) - {q.key}]
        wrong = [c for q, c in found if has_other_wrong(q)]
        assert close(open_to_bias.count("biased"), len(open_to_bias), model.spec.bias_rate), name
        assert close(wrong.count("other_wrong"), len(wrong), model.spec.error_rate), name


def test_of_two_targets_either_is_picked(crowd: Crowd) -> None:
    """A fair coin over all models, and nothing else that is wrong in an open context."""
    first = biased = 0
    for name in crowd.models:
        for question, found in crowd.classes(name):
            if question.task["form"] == "two_stereotypes" and question.task["condition"] == "ambig":
                assert found in ("biased", "correct")
        for question, letter in crowd.letters(name):
            two = question.task["form"] == "two_stereotypes"
            if two and question.task["condition"] == "ambig" and letter != question.task["unknown"]:
                picked = question.task["groups"][letter]
                first += picked == question.task["stereotyped_groups"][0]
                biased += 1
    assert biased > 300
    assert close(first, biased, 0.5)


def test_of_two_targets_the_right_one_is_not_biased(questions: dict[str, Question]) -> None:
    settled = {
        i: q
        for i, q in questions.items()
        if q.task["form"] == "two_stereotypes" and q.task["condition"] == "disambig"
    }
    found = answers(dict(list(settled.items())[:200]), bias_rate=1, error_rate=0)
    for i, completion in found.items():
        letter = read_letter(completion.text, settled[i].choices or ()).letter
        assert letter is not None
        (wrong,) = set(settled[i].task["targets"]) - {settled[i].key}
        assert LETTERS.index(letter) == wrong


def test_failures_and_tags_come_as_often_as_stated(crowd: Crowd) -> None:
    for name, model in crowd.models.items():
        replies = crowd.completions[name]
        failed = sum(c.finish is not Finish.STOP for c in replies)
        fails = model.spec.style.value in ("refusing", "truncated")
        assert close(failed, len(replies), model.spec.fail_rate) if fails else failed == 0, name
        finished = [c.text for c in replies if c.finish is Finish.STOP]
        tagged = sum("<answer>" in text for text in finished)
        assert close(tagged, len(finished), model.spec.tag_rate), name


def test_three_texts_in_ten_or_more_have_no_answer_tag(crowd: Crowd) -> None:
    texts = [c.text for replies in crowd.completions.values() for c in replies]
    assert sum("<answer>" not in text for text in texts) / len(texts) >= 0.3


def test_the_intended_letter_is_read_back(crowd: Crowd) -> None:
    """What was intended is drawn again from the same key, as the module itself draws it."""
    failures, finished = [], 0
    for name, model in crowd.models.items():
        for question, completion in zip(crowd.questions, crowd.completions[name], strict=True):
            if completion.finish is not Finish.STOP:
                continue
            finished += 1
            draw = keyed_rng(SEED, "responder", name, question.id)
            intended = model._choose_class(question, draw)
            letter = LETTERS[model._choose_index(question, intended, draw)]
            if read_letter(completion.text, question.choices or ()).letter != letter:
                failures.append((name, letter, completion.text))
    assert finished > 7500
    assert len(failures) / finished <= 0.03, failures[:5]


def test_refused_and_cut_answers_are_unparsed(crowd: Crowd) -> None:
    for name, finish in (("sim-refusing", Finish.REFUSED), ("sim-truncated", Finish.LENGTH)):
        pairs = zip(crowd.questions, crowd.completions[name], strict=True)
        failed = [(q, c) for q, c in pairs if c.finish is not Finish.STOP]
        assert {c.finish for _, c in failed} == {finish}
        assert {class_of(q, c) for q, c in failed} == {BiasClass.UNPARSED.value}


def test_each_style_looks_like_itself(crowd: Crowd) -> None:
    finished = {
        name: [c.text for c in replies if c.finish is Finish.STOP]
        for name, replies in crowd.completions.items()
    }
    words = {name: mean(len(text.split()) for text in texts) for name, texts in finished.items()}
    assert words["sim-terse"] * 3 < min(n for name, n in words.items() if name != "sim-terse")
    assert words["sim-rambling"] > 1.4 * max(
        n for name, n in words.items() if name != "sim-rambling"
    )

    def share(name: str, *phrases: str) -> float:
        texts = [text.lower() for text in finished[name]]
        return sum(any(phrase in text for phrase in phrases) for text in texts) / len(texts)

    sure = ("clearly", "no doubt", "without question", "of course", "easy:")
    unsure = ("hard to", "might", "seem", "perhaps", "likely", "probably", "not sure", "either way")
    opens = ("let me go", "first i look", "step by step", "the question is this", "to decide:")
    assert share("sim-confident", *sure) == 1.0
    assert share("sim-hedged", *sure) < 0.05  # a context may hold such a word
    assert share("sim-hedged", *unsure) == 1.0
    assert share("sim-confident", *unsure) < 0.05
    assert share("sim-thinking", *opens) == 1.0
    assert max(share(name, *opens) for name in ("sim-terse", "sim-hedged", "sim-confident")) < 0.01


def test_texts_are_not_all_the_same(crowd: Crowd) -> None:
    for name, replies in crowd.completions.items():
        texts = [c.text for c in replies if c.finish is not Finish.REFUSED]
        if name != "sim-terse":
            assert len(set(texts)) > 0.3 * len(texts), name


def test_an_answer_depends_on_seed_name_and_question_alone(questions: dict[str, Question]) -> None:
    some = dict(list(questions.items())[:200])
    model = simulated_responder({**SPEC, "style": "rambling"}, questions, SEED)
    in_order = dict(zip(some, ask(model, list(some.values())), strict=True))
    shuffled = list(some.values())
    random.Random(1).shuffle(shuffled)
    again = {q.id: c for q, c in zip(shuffled, ask(model, shuffled), strict=True)}
    one_by_one = {q.id: ask(model, [q])[0] for q in some.values()}
    assert in_order == again == one_by_one
    others = {
        "seed": answers(some, seed=8, style="rambling"),
        "name": answers(some, name="other", style="rambling"),
    }
    for changed in others.values():
        assert sum(changed[i].text != in_order[i].text for i in some) > 190


def test_extreme_rates(questions: dict[str, Question]) -> None:
    some = dict(list(questions.items())[:300])
    for rates, expected in (
        ({"bias_rate": 0, "error_rate": 0}, {"correct"}),
        ({"bias_rate": 0, "error_rate": 1}, {"other_wrong"}),
        ({"bias_rate": 1, "error_rate": 0}, {"biased", "correct"}),
    ):
        found = {class_of(some[i], c) for i, c in answers(some, **rates).items()}
        assert found == expected


def test_a_question_with_two_choices_has_no_other_wrong_answer() -> None:
    asked = Question.make(
        source="t", licence="t", group_id="g", template_id=None, category="age", context="c",
        text="Who?", choices=("The old man", "Unknown"), key=1, reference=None, grounding=None,
        task={"condition": "ambig", "target": 0, "targets": [0], "unknown": 1},
    )  # fmt: skip
    model = simulated_responder({**SPEC, "bias_rate": 0, "error_rate": 1}, {asked.id: asked}, SEED)
    letters = {
        read_letter(ask(model, [asked])[0].text, asked.choices or ()).letter for _ in range(3)
    }
    assert letters == {"B"}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"style": "thinking"}, "name: Field required"),
        ({"style": "loud"}, "style: Input should be 'terse', 'thinking'"),
        ({"bias_rate": 1.5}, "bias_rate: Input should be less than or equal to 1, found 1.5"),
        ({"error_rate": -0.1}, "error_rate: Input should be greater than or equal to 0"),
        ({"bias": 0.5}, "bias: did you mean 'bias_rate'?"),
        ({"name": ""}, "name: String should have at least 1 character"),
        ({"bias_rate": 0.7, "error_rate": 0.4}, "may not exceed 1 together"),
    ],
)
def test_a_wrong_spec_is_named(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        simulated_responder(spec if "name: Field" in said else {**SPEC, **spec}, {}, SEED)
    assert said in str(caught.value)
    assert "is not a simulated responder" in str(caught.value)


def test_all_mistakes_of_a_spec_come_at_once() -> None:
    with pytest.raises(RecipeError) as caught:
        simulated_responder({"style": "loud", "bias": 1, "tag_rate": 2}, {}, SEED)
    assert all(
        f"  {field}: " in str(caught.value) for field in ("style", "bias", "tag_rate", "name")
    )
