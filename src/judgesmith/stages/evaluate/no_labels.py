"""What to do where no test item has a label of the kind that the recipe measures against."""

from collections import Counter

from judgesmith.records import AnnotatorKind, Item, Label, Split
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import read_manifest

_MAKE = {
    AnnotatorKind.PERSON: "Import verdicts by people (labels.imports)",
    AnnotatorKind.MODEL: "Label with teachers (labels.teachers), or import what models said "
    "(labels.imports)",
    AnnotatorKind.SIMULATED: "Label with simulated teachers (labels.teachers.simulated)",
    AnnotatorKind.KEY: "Let the answer key label (labels.key_policy)",
}


def what_to_do(run_dir: RunDir, kind: AnnotatorKind) -> str:
    """How test items get such labels, and which kinds of label there are instead."""
    sides = (Split.TEST, Split.HELD_OUT)
    on_test = {one.id for one in run_dir.read("split/items.jsonl", Item) if one.split in sides}
    labels = run_dir.read("labels/labels.jsonl", Label)
    there = Counter(one.annotator_kind.value for one in labels if one.item_id in on_test)
    told = ", ".join(f"{name} ({count})" for name, count in sorted(there.items())) or "none"
    policy = _key_policy(run_dir) if kind is AnnotatorKind.KEY else None
    make = _MAKE[kind]
    if policy is not None:
        make = (
            f"The answer key labels by {policy!r} (labels.key_policy) and decides none of them: "
            "see that the questions have a key, and that the policy fits the dialect"
        )
    return (
        f"Labels of test items by kind, in any dialect: {told}. {make}, or set evaluate.labels to "
        "a kind that there is."
    )


def _key_policy(run_dir: RunDir) -> str | None:
    """The policy that the labels were made with; None without one."""
    made = read_manifest(run_dir.file("labels"))
    config = {} if made is None else made.determined_by.get("config", {})
    return config.get("key_policy") if isinstance(config, dict) else None
