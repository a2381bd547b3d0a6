"""What a writer of negatives is asked for, and which of its replies are refused."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect, Scale
from judgesmith.judging.reply import verdict_text
from judgesmith.judging.words import verdict_in_words
from judgesmith.models.protocol import Completion
from judgesmith.records import (
    TIE,
    Direction,
    Finish,
    Item,
    Message,
    Split,
    choice,
    reorder,
)
from judgesmith.stages.preferences import checks
from judgesmith.stages.preferences.checks import check, in_the_form_of
from judgesmith.stages.preferences.rounds import Ask, Rounds, faults_of, in_even_shares
from judgesmith.stages.preferences.wishes import (
    Case,
    Chosen,
    instruct,
    plan,
    read_instruction,
)
from judgesmith.tasks import load_dialect, load_task

TASK = load_task("bias")
PAIR = load_dialect(TASK, "bias-pair")
COMPACT = load_dialect(TASK, "bias-pair-compact")
SINGLE = load_dialect(TASK, "bias-single-compact")
BETTER = PAIR.model_copy(update={"name": "best", "direction": Direction.BETTER})
ORDERS = ((0, 1), (1, 0))
REASON = "Response A names a person for no reason. Response B leaves it open. A is more biased."
PROMPT = (Message(role="system", content="Judge."), Message(role="user", content="Which one?"))


def chosen_one(reply: str | None = None, right: str = "A", reason: str = REASON) -> Chosen:
    return Chosen((0, 1), ("r0", "r1"), reply or PAIR.write_reply(reason, right), reason, right)


def asked(dialect: Dialect, wrong: str, mode: str = "misread_choice") -> str:
    """The last turn, in which the instruction stands."""
    brief = TASK.mistake_briefs[mode]
    return instruct(PROMPT, dialect, brief, wrong=wrong, words=17)[-1].content


# What the writer is asked


@pytest.mark.parametrize(
    ("dialect", "says", "never"), [(PAIR, "WORSE", "BETTER"), (BETTER, "BETTER", "WORSE")]
)
def test_the_direction_is_in_the_request_and_is_the_dialects(
    dialect: Dialect, says: str, never: str
) -> None:
    """Defect 4: a writer that is not told argues for the opposite question."""
    text = asked(dialect, "B")
    assert f"verdict is B: Response B is the {says} one" in text
    assert f"a letter names the {says.lower()} response, not the {never.lower()} one" in text
    assert never not in text
    assert f"TIE: neither response is {says} than the other" in asked(dialect, TIE)


def test_a_score_is_told_with_its_ends_and_a_dialect_without_direction_is_refused() -> None:
    told = verdict_in_words(SINGLE, "1")
    assert told == "1 from 0 to 1, where a higher score is WORSE, not better"
    undirected = PAIR.model_copy(update={"direction": None})
    with pytest.raises(DataError, match="Name what a letter stands for"):
        asked(undirected, "B")
    with pytest.raises(DataError, match=r"found direction .* and verdict 'C'"):
        verdict_in_words(PAIR, "C")
    named = PAIR.model_copy(update={"scale": Scale(choices=("first", "second"))})
    assert "what it names is the WORSE one" in verdict_in_words(named, "first")


@pytest.mark.parametrize("mode", TASK.mistake_modes)
@pytest.mark.parametrize("dialect", [PAIR, COMPACT, SINGLE])
def test_the_judges_prompt_comes_first_and_the_instruction_can_be_read_back(
    mode: str, dialect: Dialect
) -> None:
    wrong = dialect.scale.values[1]
    messages = instruct(PROMPT, dialect, TASK.mistake_briefs[mode], wrong=wrong, words=17)
    assert messages[0] == PROMPT[0]
    assert [turn.role for turn in messages] == ["system", "user"]
    text = messages[-1].content
    assert text.startswith("Which one?\n\n")
    assert TASK.mistake_briefs[mode] in text
    assert text.endswith(f"<reasoning>why</reasoning><verdict>{wrong}</verdict>")
    assert read_instruction(text, dialect, TASK.mistake_briefs) == ("Which one?", wrong, mode, 17)


def test_a_response_that_quotes_an_instruction_is_not_taken_for_it() -> None:
    quoted = (Message(role="user", content=asked(PAIR, "A", "misread_person")),)
    text = instruct(quoted, PAIR, TASK.mistake_briefs["misread_context"], wrong=TIE, words=9)
    told = read_instruction(text[-1].content, PAIR, TASK.mistake_briefs)
    assert told == (quoted[0].content, TIE, "misread_context", 9)


def test_every_mode_has_one_sentence_that_says_what_goes_wrong() -> None:
    assert set(TASK.mistake_briefs) == set(TASK.mistake_modes)
    assert len(set(TASK.mistake_briefs.values())) == len(TASK.mistake_modes)
    for brief in TASK.mistake_briefs.values():
        assert brief[0].isupper()
        assert brief.index(".") == len(brief) - 1


# Which mistake is asked for


def pair_case(name: str, right: str) -> Case:
    """A pair shown in both orders; `right` is in item order."""
    item = Item.make(
        source="t", licence="t", kind="pair", question_id=name,
        response_ids=(f"{name}0", f"{name}1"), bucket="b", subtype=None, split=Split.TRAIN,
    )  # fmt: skip
    return Case(
        item,
        tuple(
            Chosen(o, tuple(item.response_ids[p] for p in o), "", REASON,
                   verdict_text(reorder(choice(right), o)) or "")
            for o in ORDERS
        ),
    )  # fmt: skip


def flows(wishes: Sequence[Any]) -> Counter[tuple[str, str]]:
    return Counter(
        (one.right, wrong)
        for w in wishes
        for one, wrong in zip(w.case.chosen, w.wrong, strict=True)
    )


def test_each_verdict_is_as_often_wrong_as_right() -> None:
    """12 ties can only become A or B, so 12 of the 30 others become ties and 18 turn round.

    In rows: TIE right 24, wrong 2 x 12 = 24; A right 30, wrong 12 + 18 = 30; B the same.
    """
    cases = [pair_case(f"t{i}", TIE) for i in range(12)]
    cases += [pair_case(f"a{i}", "AB"[i % 2]) for i in range(30)]
    wishes = plan(cases, TASK.mistake_modes, PAIR.scale.values, 3)
    found = flows(wishes)
    assert found == {
        ("TIE", "A"): 12, ("TIE", "B"): 12, ("A", "TIE"): 12, ("B", "TIE"): 12,
        ("A", "B"): 18, ("B", "A"): 18,
    }  # fmt: skip
    assert [wish.case for wish in wishes] == cases


def test_more_ties_than_can_be_evened_out_become_as_even_as_possible() -> None:
    """10 ties and 4 others: all 4 become ties, and TIE stays right 20 times and wrong 8."""
    cases = [pair_case(f"t{i}", TIE) for i in range(10)] + [pair_case(f"a{i}", "A") for i in "wxyz"]
    found = flows(plan(cases, TASK.mistake_modes, PAIR.scale.values, 3))
    assert found["A", "TIE"] == found["B", "TIE"] == 4
    assert found["TIE", "A"] == found["TIE", "B"] == 10


def test_the_wrong_verdict_follows_the_response_into_the_other_order() -> None:
    wishes = plan([pair_case(f"q{i}", "AB"[i % 2]) for i in range(20)], ["m"], ("A", "B", TIE), 1)
    for wish in wishes:
        first, second = wish.wrong
        assert reorder(choice(second), (1, 0)) == choice(first)
        assert all(w != one.right for w, one in zip(wish.wrong, wish.case.chosen, strict=True))
    assert {wish.wrong[0] for wish in wishes} <= {"A", "B"}  # nothing is ever right with a tie


def test_modes_are_even_over_all_and_within_each_pair_of_verdicts() -> None:
    cases = [pair_case(f"q{i}", ("A", "B", TIE)[i % 3]) for i in range(41)]
    wishes = plan(cases, TASK.mistake_modes, PAIR.scale.values, 3)
    by_flow: dict[str, Counter[str]] = {}
    for wish in wishes:
        rights = (one.right for one in wish.case.chosen)
        flow = str(sorted(zip(rights, wish.wrong, strict=True)))
        by_flow.setdefault(flow, Counter())[wish.mode] += 1
    for counts in (Counter(wish.mode for wish in wishes), *by_flow.values()):
        numbers = [counts[mode] for mode in TASK.mistake_modes]
        assert max(numbers) - min(numbers) <= 1


def test_the_plan_does_not_depend_on_the_order_of_items() -> None:
    cases = [pair_case(f"q{i}", ("A", "B", TIE)[i % 3]) for i in range(30)]
    forth = plan(cases, TASK.mistake_modes, PAIR.scale.values, 3)
    back = plan(cases[::-1], TASK.mistake_modes, PAIR.scale.values, 3)
    assert forth == back[::-1]
    other = plan(cases, TASK.mistake_modes, PAIR.scale.values, 4)
    assert [w.mode for w in other] != [w.mode for w in forth]


@pytest.mark.parametrize("most_asked", [2, 3, 5, 6, 7, 25, 60, 61, 200])
@pytest.mark.parametrize("bad", [0, 1, 2, 3])
def test_a_cap_is_never_passed_and_nothing_is_begun_that_it_cannot_finish(
    most_asked: int, bad: int
) -> None:
    """The first `bad` replies to the second order of each of 30 pairs fail; 3 tries.

    A pair costs 2 requests and one more for each failure, with 3 failures it is lost at 4. What
    is left over at the end is too little for one more pair.
    """
    wishes = plan([pair_case(f"q{i}", "A") for i in range(30)], ["m"], PAIR.scale.values, 3)
    rounds = Rounds(wishes, tries=3, most_asked=most_asked)
    asked, orders = 0, Counter[object]()
    while asks := rounds.next_round():
        asked += len(asks)
        for ask in asks:
            orders[ask.wish.case.key, ask.place, ask.attempt] += 1
            one = rounds.begun[ask.wish.case.key]
            if ask.place == 0 or ask.attempt >= bad:
                one.good[ask.place] = "good"
            else:
                one.faults[ask.place] = "bad"
    assert asked == rounds.asked <= most_asked
    assert set(orders.values()) == {1}
    cost = 2 + min(bad, 2)
    unfinished = [b for b in rounds.begun.values() if b.missing and b.tries < 3]
    assert len(unfinished) <= 1  # the last one, begun when no other was sure to fit
    whole = len(rounds.begun) - len(unfinished)
    assert whole == min(30, most_asked // cost)
    assert faults_of(list(rounds.begun.values())).total() == len(unfinished) + whole * (bad == 3)


def test_without_a_cap_all_are_asked_at_once_in_the_order_given() -> None:
    wishes = plan([pair_case(f"q{i}", "A") for i in range(5)], ["m"], PAIR.scale.values, 3)
    rounds = Rounds(wishes, tries=2, most_asked=None)
    assert rounds.next_round() == [Ask(w, place, 0) for w in wishes for place in (0, 1)]
    assert rounds.next_round() == [Ask(w, place, 1) for w in wishes for place in (0, 1)]
    assert rounds.next_round() == []


def test_any_first_part_of_the_draw_holds_every_kind_in_its_share() -> None:
    """72 right A, 24 ties and 24 of dev: each tenth holds a tenth of each, to within two.

    The draw places number i of n between i/n and (i+1)/n; so of a kind the first share s of all
    holds s n give or take one, and where the s-th of all stands shifts that by less than one more.
    """
    sides = [
        plan([pair_case(f"a{i}", "A") for i in range(72)]
             + [pair_case(f"t{i}", TIE) for i in range(24)], ["m", "n"], PAIR.scale.values, 3),
        plan([pair_case(f"d{i}", "A") for i in range(24)], ["m", "n"], PAIR.scale.values, 3),
    ]  # fmt: skip
    found = in_even_shares(sides, 3)
    assert sorted(w.case.key for w in found) == sorted(w.case.key for s in sides for w in s)
    for part in range(12, 120, 12):
        begun = Counter(wish.case.item.question_id[0] for wish in found[:part])
        for kind, n in (("a", 72), ("t", 24), ("d", 24)):
            assert abs(begun[kind] - n * part / 120) <= 4
        modes = Counter(wish.mode for wish in found[:part])
        assert abs(modes["m"] - modes["n"]) <= 6
    assert in_even_shares([side[::-1] for side in sides], 3) == found
    assert in_even_shares(sides, 4) != found


# Which replies are refused

GOOD = "Response A leaves it open. Response B names a person for no reason. B is more biased."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PAIR.write_reply(GOOD, "B"), None),
        (PAIR.write_reply(GOOD, "A"), checks.OTHER_VERDICT),
        (PAIR.write_reply(GOOD, TIE), checks.OTHER_VERDICT),
        (PAIR.write_reply(f"{GOOD} So the verdict must be B.", "B"), checks.LEAK),
        (PAIR.write_reply("Response A leaves it open.", "B"), checks.SHORT),
        (PAIR.write_reply(f"{GOOD} {GOOD} {GOOD}", "B"), checks.LONG),
        (PAIR.write_reply(REASON.upper(), "B"), checks.COPY),
        (PAIR.write_reply(f"{REASON} So I think.", "B"), checks.OTHER_SIDE),
        (PAIR.write_reply("Response B is careful and thorough. " + "It was read. " * 2
                          + "Response B is the stronger answer.", "B"), checks.OTHER_SIDE),
        (PAIR.write_reply("", "B"), checks.NO_REASON),
        (f"{GOOD}", "not read: no_verdict"),
        (f"<reasoning>{GOOD}</reasoning><verdict>C</verdict>", "not read: off_scale"),
        (f"<reasoning>{GOOD} <verdict>A</verdict></reasoning>\n<verdict>b</verdict>", None),
    ],
)  # fmt: skip
def test_each_fault_has_its_reason(text: str, reason: str | None) -> None:
    """The chosen rationale has 17 words, so 9 to 34 are let pass."""
    found = check(PAIR, said(text), chosen_one(), "B")
    assert found.reason == reason
    assert (found.reply is None) == (reason is not None)


def said(text: str, finish: Finish = Finish.STOP, **fields: Any) -> Completion:
    return Completion(text=text, finish=finish, prompt_tokens=1, completion_tokens=1, **fields)


def test_calls_that_gave_nothing_are_named() -> None:
    for completion, status in (
        (said("", Finish.FAILED), "call_failed"), (said("No.", Finish.REFUSED), "refused"),
        (said("<reasoning>A", Finish.LENGTH), "truncated"), (said("", too_long=True), "too_long"),
    ):  # fmt: skip
        assert check(PAIR, completion, chosen_one(), "B").reason == f"not read: {status}"


def test_a_tie_that_ranks_the_responses_and_a_better_one_that_is_blamed_are_refused() -> None:
    filler = "Response A leaves it open and Response B does so too."
    ranked = PAIR.write_reply(f"{filler} Response A is the stronger answer.", TIE)
    assert check(PAIR, said(ranked), chosen_one(), TIE).reason == checks.OTHER_SIDE
    even = PAIR.write_reply(f"{filler} Neither is more biased.", TIE)
    assert check(PAIR, said(even), chosen_one(), TIE).reply == even
    praise = BETTER.write_reply(f"{filler} Response B is the stronger answer.", "B")
    assert check(BETTER, said(praise), chosen_one(), "B").reply == praise
    assert check(PAIR, said(praise), chosen_one(), "B").reason == checks.OTHER_SIDE


def test_a_negative_has_the_form_of_the_chosen_reply_to_the_last_space() -> None:
    """White space between tags would tell the sides apart, and no probe of words would see it."""
    chosen = chosen_one(f"<reasoning>\n{REASON}\n</reasoning>\n\n<verdict> A </verdict>\n")
    found = check(PAIR, said(PAIR.write_reply(GOOD, "B")), chosen, "B")
    assert found.reply == f"<reasoning>\n{GOOD}\n</reasoning>\n\n<verdict>B</verdict>\n"
    untagged = chosen_one(f"{REASON} <verdict>A</verdict>")
    assert in_the_form_of(PAIR, untagged, GOOD, "B") == f"{GOOD} <verdict>B</verdict>"
    quoting = "It says <verdict>A</verdict>."
    assert in_the_form_of(PAIR, untagged, quoting, "B") is None
