"""What labels by teachers rest on, as the labels stage tells it in plain JSON."""

from typing import Any

from pydantic import Field

from judgesmith.report.results import Result


class Teaching(Result):
    """Who judged, by which policy verdicts became labels, and the checks made on the way.

    Attributes:
        primary: The teacher that judged all items; empty where it is not known.
        panel: Those that judged a part of them.
        simulated: Those of them that are simulated.
        policy: How several verdicts became one.
        stopped: Whether the stage ended at its dry run, or where people contradict the teacher.
        dry_run: Its checks and buckets (`evaluation.dry_run.DryRun`), if there was one.
        against_people: Rows of the primary teacher against people, all items first.
        panel_items: By bucket: items at hand, wanted and drawn for the panel.
        cross_check: The panel on those items (`evaluation.cross_check.cross_check`).
        final_labels: Decisions by reason and by verdict.
        statuses: By teacher, how its judgments ended.
        queue: The files of items left to a person, in the run folder.
    """

    primary: str
    panel: tuple[str, ...] = ()
    simulated: tuple[str, ...] = ()
    policy: str = ""
    stopped: bool = False
    dry_run: dict[str, Any] | None = None
    against_people: tuple[dict[str, Any], ...] = ()
    panel_items: dict[str, Any] = Field(default_factory=dict)
    cross_check: dict[str, Any] | None = None
    final_labels: dict[str, Any] | None = None
    statuses: dict[str, dict[str, int]] = Field(default_factory=dict)
    queue: tuple[str, ...] = ()
