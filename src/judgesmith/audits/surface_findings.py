"""What the surface table means: where the key can be told without the context."""

from collections.abc import Mapping, Sequence

from judgesmith.audits.finding import Finding, Severity
from judgesmith.audits.surface import CONFIDENCE, Asked, HeldOut, SurfaceProbe, SurfaceTable
from judgesmith.audits.surface_probe import Weighed
from judgesmith.errors import RecipeError


def surface_findings(table: SurfaceTable, *, warn: float = 0.5) -> tuple[Finding, ...]:
    """Warn where the key can be told without the context.

    Args:
        table: What `surface_table` measured.
        warn: The lower end of an accuracy from where on to warn; 0.5 (chance) to 1.

    Returns:
        At most one finding per thing asked and way of holding out.

    Raises:
        RecipeError: If warn lies outside its range.
    """
    if not 0.5 <= warn <= 1:
        raise RecipeError(f"surface limit: expected 0.5 <= warn <= 1, found warn={warn!r}")
    features: Mapping[Asked, tuple[Weighed, ...]] = {
        "which person": table.person_features,
        "unknown or not": table.unknown_features,
    }
    return tuple(
        _finding(probe, features[probe.asked])
        for probe in table.probes
        if probe.accuracy.low is not None and probe.accuracy.low > warn
    )


_THING: Mapping[Asked, str] = {
    "which person": "which of two people is the key",
    "unknown or not": "whether the unknown choice is the key",
}
_UNSEEN: Mapping[HeldOut, str] = {
    "templates": "templates that the probe did not see",
    "people": "people that the probe did not see in this template",
}


def _finding(probe: SurfaceProbe, features: Sequence[Weighed]) -> Finding:
    accuracy = probe.accuracy
    named = ", ".join(f.feature for f in features[:3]) or "none alone"
    both = "" if probe.asked == "which person" else " as the mean of both sides"
    return Finding(
        audit="surface",
        severity=Severity.WARNING,
        message=(
            f"{_THING[probe.asked]} can be told from question and choices alone: "
            f"{probe.hits:.0f} of {accuracy.n} questions on {_UNSEEN[probe.held_out]}, "
            f"{float(accuracy):.0%}{both} ({CONFIDENCE:.1%} interval from {accuracy.low:.0%}, "
            f"chance 50%; strongest: {named})"
        ),
        count=int(probe.hits),
        of=accuracy.n,
        examples=probe.examples,
        effect="an answer can be right without reading the context, and a judge trained on such "
        "answers learns the cue instead",
        remedy="ask about each pair of people both ways round, draw the place of each choice and "
        "the phrasing of the unknown one at random, and reword what the strongest features name",
    )
