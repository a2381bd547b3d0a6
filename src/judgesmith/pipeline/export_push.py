"""What of an export goes to the hub, and what must not."""

from judgesmith.backends.hub_push import Upload
from judgesmith.errors import RecipeError, RunError
from judgesmith.pipeline.audit_licences import licences_of
from judgesmith.pipeline.export_data import DATASET
from judgesmith.report.exports import Exports
from judgesmith.runs.layout import RunDir
from judgesmith.runs.recipe import Recipe


def uploads(run_dir: RunDir, recipe: Recipe, exports: Exports, name: str) -> list[Upload]:
    """The folders with their repositories: NAME, or NAME-CHECKPOINT of several; NAME-data.

    Raises:
        RecipeError: a name that is none.
        RunError: a rehearsal, an export that was refused, or data whose terms forbid it.
    """
    if name.count("/") != 1 or not all(name.split("/")):
        raise RecipeError(f"--push {name!r}: expected OWNER/NAME")
    if recipe.header.rehearsed:
        raise RunError(f"{run_dir.path}: a rehearsal is no judge, and is not pushed.")
    if exports.outcome == "fail":
        raise RunError(
            f"{run_dir.path}: a form of this export is not the judge that was measured, so "
            "nothing is pushed. Leave that form out, or raise export.max_kappa_loss."
        )
    several = len(exports.exported) > 1
    found = [
        Upload(
            run_dir.file("export") / one.folder,
            f"{name}-{one.checkpoint}" if several else name, "model",
        )
        for one in exports.exported
    ]  # fmt: skip
    if exports.dataset:
        _require_publishable(run_dir, recipe)
        found.append(Upload(run_dir.file(DATASET), f"{name}-data", "dataset"))
    return found


def _require_publishable(run_dir: RunDir, recipe: Recipe) -> None:
    table = licences_of(run_dir, recipe)
    if table is None:
        raise RunError(
            f"{run_dir.path}: the terms of its data cannot be followed back; see `judgesmith "
            "audit`. Leave --dataset out."
        )
    for output in table.outputs:
        for found in output.sets:
            if found.publish.value != "yes":
                terms = "; ".join(part.title for part in found.parts)
                raise RunError(
                    f"{output.output}: {found.n} records may not be published, or nobody said "
                    f"that they may ({terms}). Say so in the recipe's `terms`, or leave --dataset "
                    "out."
                )
