"""Schemathesis against the server's own description: no request makes it fail.

Every reply has a status and a body that the description names.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from judges import scripted_judge
from served import Server

from judgesmith.judging.dialect import Dialect

EXAMPLES = 150
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


PLAIN = Dialect.model_validate({
    "name": "plain", "kind": "pair", "direction": "better", "scale": ["A", "B", "TIE"],
    "user": "{{ question }}{% for one in responses %} {{ one.text }}{% endfor %}",
})  # fmt: skip
"""It needs nothing but a question and two responses, so that rows at random are judged, too."""


def test_no_request_makes_the_server_fail(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve(scripted_judge(PLAIN)[0])
    done = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "run", f"{server.url}/openapi.json",
         "--checks", CHECKS, "--seed", "7",
         "--max-examples", str(EXAMPLES), "--mode", "all", "--phases", "examples,coverage,fuzzing",
         "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert server.number("requests_total", outcome="failed") == 0
    assert server.number("requests_total", path="/v1/judgments") > EXAMPLES
    assert server.number("requests_total", path="/v1/judgments", outcome="answered") > 0
