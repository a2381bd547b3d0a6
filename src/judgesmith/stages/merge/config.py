"""What a recipe says of a merge: which judges, how, and what else is tried on dev."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from judgesmith.backends.merging.methods import MergeMethod, Sparse
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.runs.students import student_folder

Share = Annotated[float, Field(ge=0, le=1)]


class Search(Section):
    """Other merges that are scored on dev items, in every dialect that a merged judge knows.

    `shares` of the first of two judges are tried in the merge's own method, `methods` as they are.
    `items` limits the dev items per dialect, `reply_tokens` the length of a reply. Where `choose`
    is set, the one that keeps most of what its specialists can do replaces the method of the
    recipe; else the table is all that comes of it. `beside` are further students that stand in the
    table, such as one that was trained on all formats at once.
    """

    shares: tuple[Share, ...] = ()
    methods: tuple[MergeMethod, ...] = ()
    items: int = Field(100, gt=0)
    reply_tokens: int = Field(120, gt=0)
    choose: bool = True
    beside: tuple[str, ...] = ()


class Config(Section):
    """What is merged, and how.

    `judges` are names of `sft.judges`; `method` has one weight for each, in their order. `rank` is
    that of the merged adapter: null keeps the merge exact, at the sum of the ranks. `search` scores
    other merges on dev.
    """

    judges: tuple[str, ...] = Field(min_length=2)
    method: MergeMethod
    rank: int | None = Field(None, gt=0)
    search: Search | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.judges)) < len(self.judges):
            raise ValueError(f"expected each judge once, found {self.judges!r}")
        if self.search is not None and self.search.shares and len(self.judges) != 2:
            raise ValueError("`search.shares` are of the first of two judges; give `methods`")
        for method in self.candidates:
            if len(method.weights) != len(self.judges):
                raise ValueError(
                    f"{method.kind}: {len(method.weights)} weights for {len(self.judges)} judges; "
                    "give one each"
                )
            if isinstance(method, Sparse) and self.rank is None:
                raise ValueError(
                    f"{method.kind} chooses among entries, so its result has full rank; give "
                    "`rank` for the adapter to be compressed to"
                )
        return self

    @property
    def candidates(self) -> tuple[MergeMethod, ...]:
        """The recipe's own method first, then those of the search that differ from it."""
        tried = [self.method]
        if self.search is not None:
            for share in self.search.shares:
                tried.append(self.method.model_copy(update={"weights": (share, 1 - share)}))
            tried += self.search.methods
        unique: list[MergeMethod] = []
        for method in tried:
            if not any(_same(method, other) for other in unique):
                unique.append(method)
        return tuple(unique)

    def rehearsed(self, rates: Rates) -> Self:
        """Few items, and two other merges at most."""
        if self.search is None:
            return self
        less = {"items": min(self.search.items, 8), "shares": self.search.shares[:2]}
        return self.model_copy(update={"search": self.search.model_copy(update=less)})


def _same(one: MergeMethod, other: MergeMethod) -> bool:
    return one.kind == other.kind and one.model_dump() == other.model_dump()


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    students = config.judges
    if config.search is None:
        return tuple(student_folder(name) for name in students)
    return (
        *(student_folder(name) for name in (*students, *config.search.beside)),
        "questions/questions.jsonl", "responses/responses.jsonl", "split/items.jsonl",
        "labels/judgments.jsonl", "labels/labels.jsonl",
    )  # fmt: skip


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}
