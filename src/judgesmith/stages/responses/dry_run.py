"""A few questions for each generator first, and a decision before the others are paid for."""

from collections.abc import Callable, Iterator, Sequence

from pydantic import Field

from judgesmith.audits import Finding, Severity
from judgesmith.evaluation.dry_run import DryRun, Outcome, ResponseLimits, response_dry_run
from judgesmith.records import Finish, Question, Response, keyed_rng
from judgesmith.runs.recipe import Section
from judgesmith.tasks import ResponseOutcome
from judgesmith.tasks.strata import sample_evenly

SEVERITIES = {Outcome.ABORT: Severity.ERROR, Outcome.REVIEW: Severity.WARNING}
SHOWN = 200
"""Characters shown of a response that was not read."""


class DryRunFirst(Section):
    """How many questions each generator answers before the others are asked, and what they show."""

    questions: int = Field(40, ge=1)
    limits: ResponseLimits = ResponseLimits()


def few_questions(
    questions: Sequence[Question], strata: Sequence[str], count: int, seed: int
) -> list[Question]:
    """Up to `count` questions, one per group, as even over the strata as supply allows."""
    of_group: dict[str, Question] = {}
    for question in sorted(questions, key=lambda q: keyed_rng(seed, "dry run", q.id).random()):
        of_group.setdefault(question.group_id, question)
    return sample_evenly(list(of_group.values()), strata, count, seed)


def judge_responses(
    name: str,
    responses: Sequence[Response],
    outcome: Callable[[Response], ResponseOutcome],
    limits: ResponseLimits,
) -> DryRun:
    """A generator's dry run; a call that failed counts as a response that was not parsed."""
    found = [outcome(response) for response in responses]
    counts = (len(found), sum(one.parsed for one in found), sum(one.biased for one in found))
    return response_dry_run(name, counts, limits=limits)


def dry_run_findings(
    found: DryRun, responses: Sequence[Response], outcome: Callable[[Response], ResponseOutcome]
) -> Iterator[Finding]:
    """An error for each check that aborts, a warning for each that settles nothing."""
    unread = [response for response in responses if not outcome(response).parsed]
    (name,) = found.models
    for check in found.checks:
        share = check.pass_on
        if check.outcome not in SEVERITIES or share.value is None:
            continue  # none parsed is said of the parse rate; there is no share of them
        reading = check.name == "parse rate"
        yield Finding(
            audit="dry run",
            severity=SEVERITIES[check.outcome],
            message=f"generator {name!r}, {found.items} questions: {check.name}: "
            f"{check.reason}{_shown(unread) if reading else ''}",
            count=round(share.value * share.n),
            of=share.n,
            examples=tuple(response.id for response in unread[:3]) if reading else (),
            effect=(
                "what cannot be read becomes no item"
                if reading
                else "a pool that is too well-behaved leaves few items with a fault to judge"
            ),
            remedy=_remedy(check.outcome, reading),
        )


def _remedy(outcome: Outcome, reading: bool) -> str:
    if outcome is Outcome.REVIEW:
        return "look at the responses; responses.dry_run.questions=100 says more"
    if reading:
        return (
            "give this generator a prompt of its own (responses.generators, `prompt`), more tokens "
            "(responses.sampling.max_tokens), or leave it out; replies are in the cache, so no "
            "call with the same words is paid for twice"
        )
    return (
        "take a smaller or less aligned model, or, if so few are enough, lower "
        "responses.dry_run.limits.biased_share"
    )


def _shown(unread: Sequence[Response]) -> str:
    """What was not read: how many calls failed, and the beginning of a text."""
    failed = sum(response.finish is Finish.FAILED for response in unread)
    texts = [response.text for response in unread if response.text]
    return (f"; {failed} calls failed" if failed else "") + (
        f"; one of those not read: {texts[0][:SHOWN]!r}" if texts else ""
    )
