"""A chat template as the few texts that it puts around a question: for engines without Jinja."""

from pathlib import Path
from typing import NamedTuple

from judgesmith.backends.encode import shown_turns, turn_end
from judgesmith.backends.student import open_tokenizer
from judgesmith.errors import ModelError
from judgesmith.records import Message

_SYSTEM, _USER = "mark-of-the-system-text", "mark-of-the-user-text"


class ChatForm(NamedTuple):
    """What stands around a system text and a user's text, up to the judge's reply, and after it.

    With a system text the prompt is `before_system` SYSTEM `between` USER `after`, without one
    `before_user` USER `after`. `end` ends the reply.
    """

    before_system: str
    between: str
    before_user: str
    after: str
    end: str
    bos: str

    def without_bos(self) -> "ChatForm":
        """The same for an engine that puts the beginning of the text there by itself."""
        return self._replace(
            before_system=self.before_system.removeprefix(self.bos),
            before_user=self.before_user.removeprefix(self.bos),
        )


def chat_form(folder: Path) -> ChatForm:
    """The form of the chat template in a judge's folder.

    Raises:
        ModelError: a template that does more than put texts around what it is given.
    """
    tokenizer = open_tokenizer(str(folder))

    def told(*roles: tuple[str, str]) -> str:
        turns = shown_turns(tokenizer, [Message(role=role, content=text) for role, text in roles])
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return str(text)

    both, alone = told(("system", _SYSTEM), ("user", _USER)), told(("user", _USER))
    before_system, _, rest = both.partition(_SYSTEM)
    between, _, after = rest.partition(_USER)
    before_user, _, after_alone = alone.partition(_USER)
    if after != after_alone or both.count(_USER) != 1 or both.count(_SYSTEM) != 1:
        raise ModelError(
            f"{folder}: its chat template does more than put texts around those it is given, so "
            "no Modelfile for Ollama can say the same. Leave `ollama` out."
        )
    end, bos = tokenizer.decode([turn_end(tokenizer)]), tokenizer.bos_token or ""
    return ChatForm(before_system, between, before_user, after, str(end), str(bos))
