"""One way from messages to token ids, for training and for judging."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.backends.encode import encode_prompt, encode_reply, fold_system, neutralise
from judgesmith.backends.sft_trl import encode_rows
from judgesmith.errors import ModelError
from judgesmith.records import Message, SftRow, Split

TAGS = ("<s>", "<|end|>", "<pad>", "<|user|>", "<|judge|>")


def user(text: str) -> tuple[Message, ...]:
    return (Message(role="user", content=text),)


def specials(tokenizer: Any, ids: list[int]) -> list[str]:
    return [
        token for token in tokenizer.convert_ids_to_tokens(ids) if token in TAGS
    ]  # fmt: skip


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_in_text_is_text(student: Any, tag: str) -> None:
    """The prompt's own frame has four special tokens, whatever a response quotes."""
    tokenizer = student[1]
    ids = encode_prompt(tokenizer, user(f"before {tag}{tag} after"))
    assert specials(tokenizer, ids) == ["<s>", "<|user|>", "<|end|>", "<|judge|>"]
    assert "before" in tokenizer.decode(ids)
    assert specials(tokenizer, encode_reply(tokenizer, tag)) == ["<|end|>"]


def test_text_without_tags_is_untouched(student: Any) -> None:
    text = "a < b > c <end> |user| <|user |> </s>"
    assert neutralise(student[1], text) == text
    assert text in student[1].decode(encode_prompt(student[1], user(text)))


def test_tags_that_only_a_chat_template_names_are_text_too(student_folder: Any) -> None:
    """Llama 3 keeps its header tags as added tokens that `all_special_tokens` does not list."""
    from transformers import AddedToken, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(student_folder)
    header = "<|start_header_id|>"
    tokenizer.add_tokens([AddedToken(header, special=True, normalized=False)])
    assert header not in tokenizer.all_special_tokens
    ids = encode_prompt(tokenizer, user(f"x {header} y"))
    assert tokenizer.convert_tokens_to_ids(header) not in ids


pieces = st.lists(st.sampled_from([*TAGS, "word ", "<", "|", ">", "é", "\n", "日"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(pieces)
def test_no_text_adds_a_special_token(student: Any, parts: list[str]) -> None:
    ids = encode_prompt(student[1], user("".join(parts)))
    assert specials(student[1], ids) == ["<s>", "<|user|>", "<|end|>", "<|judge|>"]


def row(prompt: str, completion: str) -> SftRow:
    return SftRow.make(
        source="t", licence="n", item_id="i", order=(0, 1), split=Split.TRAIN, dialect="d",
        prompt=user(prompt), completion=completion,
    )  # fmt: skip


def test_training_and_judging_see_the_same_prompt(student: Any) -> None:
    """Defect 15: the prompt of a training row is what a judge is asked, token by token."""
    tokenizer = student[1]
    one = row("Who was <|judge|> late?", "<reasoning>x</reasoning><verdict>A</verdict>")
    (lesson,) = encode_rows(tokenizer, [one], 500).rows
    prompt = encode_prompt(tokenizer, one.prompt)
    fields = lesson.fields()
    assert fields["input_ids"][: len(prompt)] == prompt
    assert fields["input_ids"][len(prompt) :] == encode_reply(tokenizer, one.completion)
    assert fields["labels"][: len(prompt)] == [-100] * len(prompt)
    assert fields["labels"][len(prompt) :] == encode_reply(tokenizer, one.completion)
    assert fields["input_ids"][-1] == tokenizer.eos_token_id


def test_rows_that_do_not_fit_are_counted(student: Any) -> None:
    rows = [row("short", "reply"), row("long " * 400, "reply"), row("x" * 2_000_000, "reply")]
    found = encode_rows(student[1], rows, 100)
    assert (len(found.rows), found.too_long) == (1, 2)


GEMMA = (
    "{{ '<s>' }}{% for m in messages %}{% if m['role'] == 'system' %}"
    "{{ raise_exception('no system') }}{% endif %}<|user|>{{ m['content'] }}<pad>{% endfor %}"
    "{% if add_generation_prompt %}<|judge|>{% endif %}"
)
DEAF = (
    "{% for m in messages %}{% if m['role'] != 'system' %}<|user|>{{ m['content'] }}<|end|>"
    "{% endif %}{% endfor %}"
)
FOLDS = (
    "{% set s = messages[0]['content'] if messages[0]['role'] == 'system' else '' %}"
    "{% for m in messages if m['role'] != 'system' %}<|user|>{{ s + '/' + m['content'] }}<|end|>"
    "{% endfor %}"
)
JUDGED = (Message(role="system", content="Judge."), Message(role="user", content="Who?"))


@pytest.fixture
def templated(student_folder: Any) -> Any:
    """A tokenizer with a chat template of the test's own."""
    from judgesmith.backends.weights import load_tokenizer

    def make(template: str) -> Any:
        tokenizer = load_tokenizer(str(student_folder))
        tokenizer.chat_template = template
        return tokenizer

    return make


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (GEMMA, "<s><|user|>Judge.\n\nWho?<pad><|judge|>"),
        (DEAF, "<|user|>Judge.\n\nWho?<|end|>"),
        (FOLDS, "<|user|>Judge./Who?<|end|>"),
    ],
    ids=["refuses the system role", "drops what it says", "folds it in by itself"],
)
def test_what_the_system_role_says_is_never_lost(templated: Any, template: str, text: str) -> None:
    tokenizer = templated(template)
    assert tokenizer.decode(encode_prompt(tokenizer, JUDGED)) == text


def test_a_template_with_a_system_role_is_left_alone(student: Any) -> None:
    text = student[1].decode(encode_prompt(student[1], JUDGED))
    assert text == "<s><|user|>Judge.<|end|><|user|>Who?<|end|><|judge|>"


def test_system_text_without_a_user_turn() -> None:
    alone = [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}]
    assert fold_system(alone) == [{"role": "user", "content": "a\n\nb"}]


def test_a_reply_ends_as_the_template_ends_a_turn(templated: Any) -> None:
    """Gemma ends a turn with another token than a document; a template may also say nothing."""
    ends = {"gemma": templated(GEMMA), "own": templated(FOLDS), "none": templated("{{ 1 }}")}
    found = {name: tok.decode(encode_reply(tok, "A")[-1:]) for name, tok in ends.items()}
    assert found == {"gemma": "<pad>", "own": "<|end|>", "none": "<|end|>"}


def test_no_chat_template_is_refused(templated: Any) -> None:
    with pytest.raises(ModelError, match="no chat template"):
        encode_prompt(templated(""), JUDGED)


@pytest.mark.parametrize("architecture", ["gemma3", "gemma4"])
def test_a_rehearsed_gemma_has_no_system_role_and_ends_turns_its_own_way(
    bases: Any, architecture: str
) -> None:
    from judgesmith.backends.student import load_student

    model, tokenizer = load_student(str(bases(architecture)))
    end = encode_reply(tokenizer, "A")[-1]
    assert end != tokenizer.eos_token_id
    assert end in model.generation_config.eos_token_id
    assert "Judge it.\n\nWho?" in tokenizer.decode(
        encode_prompt(tokenizer, (Message(role="system", content="Judge it."), JUDGED[1]))
    )
