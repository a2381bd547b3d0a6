"""`review`: a review made or opened, and served until a signal."""

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from judgesmith.cli import show
from judgesmith.cli.opened_review import Wanted, existing_review, open_review
from judgesmith.errors import JudgesmithError, RecipeError, RunError

if TYPE_CHECKING:
    from judgesmith.review.agreement import AgreementRow
    from judgesmith.review.review import Review
    from judgesmith.runs.layout import RunDir

NEEDS = (
    "reviewing needs packages that are not installed ({missing}). Install them: "
    "pip install 'judgesmith[review]'"
)
ROLES = ("adjudicate", "label", "owner")


class Serving(NamedTuple):
    """Where a review is served, and who owns it."""

    name: str | None
    host: str
    port: int
    open_browser: bool


class Adding(NamedTuple):
    """Somebody to add: their name, what they may do, and whether they are no person."""

    name: str
    roles: tuple[str, ...]
    simulated: bool


def review_command(source: str, wanted: Wanted, serving: Serving) -> None:
    """Make the review of a source, or open the one that is there, and serve it."""
    try:
        from judgesmith.review.running import serve
        from judgesmith.web.listening import Address, is_loopback
    except ModuleNotFoundError as error:
        raise RunError(NEEDS.format(missing=error.name)) from None

    review = open_review(source, wanted)
    link = _first(review, serving, local=is_loopback(serving.host))

    def tell(url: str) -> None:
        print(
            f"Review of {review.about.name}, {review.about.items:,} items: {url}{link}", flush=True
        )
        print(f"It is kept in {review.folder}. Ctrl-C ends it.", flush=True)
        if serving.open_browser:
            webbrowser.open(f"{url}{link}")

    run_dir = run_of(source, review)
    serve(review, Address(serving.host, serving.port), tell, run_dir)
    print("Stopped; what was told as saved is on disk", file=sys.stderr)


def run_of(source: str, review: "Review") -> "RunDir | None":
    """The run that a review is of, with its index built; None where it cannot be looked at."""
    from judgesmith.pipeline.recipes import is_run, open_run
    from judgesmith.review.looking.index import open_index

    places = (Path(source), review.folder.parent, Path(review.about.source))
    found = next(filter(is_run, places), None) if review.about.from_run else None
    if found is None:
        return None
    try:
        run_dir, _ = open_run(found)
        open_index(run_dir).close()
    except JudgesmithError as error:
        print(f"The page Look is left out: {error}", file=sys.stderr)
        return None
    return run_dir


def add_command(source: str, wanted: Wanted, adding: Adding) -> None:
    """Add somebody to a review, which is made where there is none, and print their link once."""
    from judgesmith.records import AnnotatorKind

    review = open_review(source, wanted)
    kind = AnnotatorKind.SIMULATED if adding.simulated else AnnotatorKind.PERSON
    token = review.add_annotator(adding.name, adding.roles, kind)
    show.line(f"{adding.name} may {', '.join(adding.roles)}. The personal link, shown this once:")
    _show_link(source, token)


def link_command(source: str, wanted: Wanted, name: str) -> None:
    """Print a new link for somebody who is in a review that is there, such as a lost owner's."""
    token = existing_review(source, wanted).new_token(name)
    show.line(f"The link of {name} from before lets nobody in any more. The new one, shown once:")
    _show_link(source, token)


def _show_link(source: str, token: str) -> None:
    show.line(f"  ADDRESS/enter/{token}")
    show.line(f"where ADDRESS is what `judgesmith review {source}` prints.")


def status_command(source: str, wanted: Wanted) -> None:
    """How far a review has come, and how far people agree."""
    review = existing_review(source, wanted)
    about, found = review.about, review.agreement()
    show.line(f"{about.name}: {about.items:,} items, judged in {about.dialect}")
    rows = [
        (one.name, one.kind.value, ", ".join(sorted(one.roles)),
         f"{one.progress.done:,} of {one.progress.total:,}")
        for one in review.annotators()
    ]  # fmt: skip
    show.table("Annotators", ("name", "kind", "may", "answered"), rows)
    waiting = [one for one in review.disagreements() if not one.settled]
    show.line(f"{found.answered:,} items labelled, {len(waiting):,} wait for adjudication")
    if found.pairs:
        shown = [(one.first, one.second or "", one.measure, _number(one)) for one in found.pairs]
        show.table("Agreement", ("person", "with", "measure", "value [95%]"), shown)
    if found.simulated:
        show.line("Some labels are simulated: this is no agreement of people.")
    if found.preferring:
        show.line("The queue prefers hard items: agreement here is of those, not of all.")
    if found.needed is not None:
        show.line(
            f"An interval of kappa of plus or minus {found.half_width:g} takes {found.needed:,} "
            f"items that two people label; {found.shared:,} are."
        )


def _number(row: "AgreementRow") -> str:
    one = row.estimate
    if row.withheld is not None or one.value is None:
        return f"not shown: {row.withheld or one.undefined}"
    if one.low is None or one.high is None:
        return f"{one.value:.2f} (n = {one.n:,})"
    return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}] (n = {one.n:,})"


def export_command(source: str, wanted: Wanted) -> None:
    """Write what was answered, as files."""
    review = existing_review(source, wanted)
    for name, rows in review.export().rows.items():
        show.line(f"{review.folder / name}: {rows:,} rows")


def _first(review: "Review", options: Serving, *, local: bool) -> str:
    """The path of the owner's personal link where they are made now, else nothing."""
    people = review.annotators()
    owners = [one.name for one in people if "owner" in one.roles]
    if owners:
        if options.name not in (None, *(one.name for one in people)):
            raise RecipeError(
                f"--name {options.name}: this review belongs to {', '.join(owners)}. Leave --name "
                "out, and add people with --new-annotator NAME --role ROLE."
            )
        return ""
    if options.name is not None:
        return f"/enter/{review.add_annotator(options.name, ROLES)}"
    if not local:
        raise RecipeError(
            f"--host {options.host}: others can reach this address, so everybody needs a personal "
            "link. Say who you are with --name ME: yours is printed."
        )
    if people:
        raise RecipeError(
            "nobody owns this review yet, and whoever comes cannot, as it has people already. Say "
            "who you are with --name ME: your personal link is printed."
        )
    return ""
