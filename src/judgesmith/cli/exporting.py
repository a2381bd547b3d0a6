"""`export`: folders and files for others, and what they were found to be worth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.hub_push import Upload, push
from judgesmith.cli import show
from judgesmith.errors import RecipeError
from judgesmith.pipeline import open_run
from judgesmith.pipeline.export_data import DATASET
from judgesmith.pipeline.export_push import uploads
from judgesmith.pipeline.export_run import export_config, export_run, require_adapter
from judgesmith.report.export_tables import gguf_table, parity_table


class ExportOptions(NamedTuple):
    """What the command line said; None is what it did not say."""

    checkpoint: str | None
    gguf: str | None
    flags: dict[str, bool | None]
    max_kappa_loss: float | None
    served: bool

    def given(self) -> dict[str, Any]:
        """The same as fields of the stage's config."""
        listed = {"checkpoints": self.checkpoint, "gguf": self.gguf}
        found: dict[str, Any] = {
            name: tuple(part.strip() for part in text.split(","))
            for name, text in listed.items()
            if text is not None
        }
        found |= {name: value for name, value in self.flags.items() if value is not None}
        if self.max_kappa_loss is not None:
            found["max_kappa_loss"] = self.max_kappa_loss
        if self.served:
            if found.get("check") is False:
                raise RecipeError("--served: expected a check, found --no-check; leave one out.")
            found["check"] = "served"
        return found


class Pushing(NamedTuple):
    """Where on the hub, whether now or only to see what would go there, and for whom."""

    name: str
    now: bool
    public: bool


def export_command(
    folder: Path, options: ExportOptions, pushing: Pushing | None = None
) -> str | None:
    """Export, and show what was found; the outcome, None where nothing was checked."""
    run_dir, recipe = open_run(folder)
    show.rehearsal(recipe.header.rehearsed)
    config = export_config(recipe, options.given())
    merged = options.flags.get("merged")
    if merged is not None:
        require_adapter(run_dir, config, "--merged" if merged else "--adapter")
    if options.max_kappa_loss is not None and not config.check:
        raise RecipeError("--max-kappa-loss: expected a check, found --no-check; leave one out.")
    with run_dir.locked():
        exports = export_run(run_dir, recipe, config, _announce)
    for one in exports.exported:
        if one.gguf:
            show.block(gguf_table(one))
        if one.parity:
            show.block(parity_table(one))
        for form, reason in one.not_measured.items():
            show.line(f"{form}: not checked: {reason}")
        for file in one.gguf:
            if file.refused:
                show.line(f"refused, and deleted: {file.file}: {file.refused}")
        show.line(f"{one.checkpoint}: {run_dir.file('export') / one.folder}")
    if exports.dataset:
        show.line(f"data: {run_dir.file(DATASET)}")
    if pushing is not None:
        if exports.outcome is None:
            show.line(
                "NOT CHECKED: whether any form of this export gives the verdicts of the judge that "
                "was measured is not known."
            )
        _push(uploads(run_dir, recipe, exports, pushing.name), pushing)
    show.rehearsal(recipe.header.rehearsed)
    return exports.outcome


def _push(found: Sequence[Upload], pushing: Pushing) -> None:
    """Upload, or list what would be."""
    for upload in found:
        rows = [(name, f"{size:,}") for name, size in upload.files]
        show.table(f"{upload.kind} {upload.repo}", ("file", "bytes"), rows)
        if pushing.now:
            show.line(f"Uploaded: {push(upload, public=pushing.public)}")
    if not pushing.now:
        show.line("Nothing was uploaded. Give --yes to upload this.")


def _announce(stage: str, why: str) -> None:
    show.line(f"{stage} ({why})")
