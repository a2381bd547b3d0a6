"""Which rows and groups of a log belong together."""

from hypothesis import given
from hypothesis import strategies as st

from judgesmith.sources.log_questions import Groups


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz")), min_size=1))
def test_groups_are_the_connected_ones_in_whatever_order(pairs: list[tuple[str, str]]) -> None:
    """Against the definition: two names are joined where a chain of pairs leads from one to the
    other, and go by the first of the group names in the chain."""

    def group_of(question: str) -> str:
        chain = {question}
        while True:
            more = chain | {name for pair in pairs if chain & {*pair} for name in pair}
            if more == chain:
                return min(chain - {*"abcdef"})
            chain = more

    for listed in (pairs, pairs[::-1]):
        groups = Groups()
        for question, group in listed:
            groups.join(question, group)
        for question, _ in pairs:
            assert groups.of(question) == group_of(question)
