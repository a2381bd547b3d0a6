"""What the routes share: the desk, the counts and the log."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from pydantic import BaseModel

from judgesmith.serving.counting import Counts
from judgesmith.serving.desk import Desk
from judgesmith.serving.judgment_log import JudgmentLog
from judgesmith.serving.schemas import JudgmentReply

log = logging.getLogger(__name__)


class Serving(NamedTuple):
    """One server's parts."""

    desk: Desk
    counts: Counts
    log: JudgmentLog | None

    def note(self, request_id: str, judged: Iterable[tuple[BaseModel, JudgmentReply]]) -> None:
        """Count judgments, and keep those that are to be kept, before they are told."""
        for row, reply in judged:
            self.counts.judged(reply.verdict or "none", reply.status.value)
            if reply.warnings:
                self.counts.warned()
            self.keep(request_id, row, reply)

    def keep(self, request_id: str, asked: BaseModel, said: BaseModel) -> None:
        """Add to the log; a log that cannot be written is counted and said, and stops nothing."""
        if self.log is None or not self.log.wants(request_id):
            return
        try:
            self.log.add(
                request_id, asked.model_dump(mode="json", exclude_none=True),
                said.model_dump(mode="json", exclude_none=True),
            )  # fmt: skip
        except OSError as error:
            self.counts.unlogged()
            log.error("a judgment could not be logged: %s", error)
