"""Builds llama.cpp's Python server once, and gives it an environment of its own.

    python installing.py --wheels ~/.cache/judgesmith/wheels --venv .venv-external

The package is published as source only, so it is compiled here: about 13 CPU-minutes, once. The
wheel is kept and is fit for this machine's processor; delete it after moving the folder to another.
The source is kept, too: it holds the converter to GGUF, which the installed package lacks.

Needs a C++ compiler.
"""

import argparse
import logging
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from judgesmith.backends.gguf.source import PACKAGE, SOURCE, VERSION, fetch_source, unpack

WHEEL = f"llama_cpp_python-{VERSION}-*.whl"
READY = "ready"
COMPILERS = ("c++", "g++", "clang++")

log = logging.getLogger("installing")


def server_python(environment: Path) -> Path:
    """The Python of the server's environment."""
    return environment / "bin" / "python"


def build(wheels: Path, jobs: int) -> Path:
    """The wheel, built where it is not there yet."""
    fetch_source(wheels)
    found = sorted(wheels.glob(WHEEL))
    if not found:
        if not any(map(shutil.which, COMPILERS)):
            raise SystemExit(
                f"expected a C++ compiler ({', '.join(COMPILERS)}), found none. Install one, for "
                "example with `apt-get install g++`."
            )
        log.info("building %s with %d jobs: about 13 CPU-minutes, once", PACKAGE, jobs)
        os.environ["CMAKE_BUILD_PARALLEL_LEVEL"] = str(jobs)
        pip("wheel", "--no-deps", wheels / SOURCE, "-w", wheels)
        found = sorted(wheels.glob(WHEEL))
    return found[0]


def install(wheel: Path, environment: Path) -> None:
    """The wheel with its server in an environment of its own, made anew for another wheel."""
    ready = environment / READY
    if ready.exists() and ready.read_text() == wheel.name:
        return
    log.info("installing %s into %s", wheel.name, environment)
    venv.create(environment, with_pip=True, clear=True)
    python = server_python(environment)
    pip("install", "--quiet", f"{wheel}[server]", python=python)
    done = subprocess.run([python, "-c", "import llama_cpp.server.app"], check=False)
    if done.returncode:
        raise SystemExit(
            f"{wheel} does not run here (exit status {done.returncode}); it may have been built "
            "for another processor. Delete it and run this again."
        )
    ready.write_text(wheel.name)


def pip(*arguments: object, python: Path | str = sys.executable) -> None:
    """One pip command."""
    done = subprocess.run([python, "-m", "pip", *map(str, arguments)], check=False)
    if done.returncode:
        raise SystemExit(f"pip {arguments[0]} failed with exit status {done.returncode}")


def main(arguments: Sequence[str]) -> None:
    """Build, unpack and install, each where it is not done yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    found = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    wheel = build(found.wheels.expanduser().resolve(), found.jobs)
    unpack(wheel.parent)
    install(wheel, found.venv)


if __name__ == "__main__":
    main(sys.argv[1:])
