"""What stands on the page about serving is run as it stands there."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from served import Server

from judgesmith.inference.judge import Judge

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "serve.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def server(serve: Callable[..., Server], student_judge: Judge) -> Server:
    return serve(student_judge)


def block(language: str, holding: str, server: Server) -> str:
    (found,) = (text for name, text in BLOCKS if name == language and holding in text)
    return str(found).replace("http://127.0.0.1:8000", server.url)


def test_the_curl_command(server: Server) -> None:
    done = subprocess.run(
        ["bash", "-c", block("sh", "curl", server)], capture_output=True, text=True, check=True
    )
    assert '"order_agreement"' in done.stdout
    assert '"rationale"' in done.stdout


def test_the_openai_client(server: Server) -> None:
    code = block("python", "OpenAI", server)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("None")  # the student has random weights


def test_every_option_on_the_page_exists() -> None:
    from typer.testing import CliRunner

    from judgesmith.cli.main import app

    told = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"}).stdout
    named = set(re.findall(r"--[a-z][a-z-]+", PAGE.read_text("utf-8")))
    assert {name for name in named if name not in told} == set()
