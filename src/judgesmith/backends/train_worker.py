"""One process of a launched training: `python -m judgesmith.backends.train_worker JOB_FOLDER`."""

import os
import sys
import threading
import time
from pathlib import Path

from judgesmith.backends.launch import as_plain, read_order
from judgesmith.backends.loading import load
from judgesmith.backends.probing import probe_of
from judgesmith.backends.sft_trainer import is_main
from judgesmith.backends.sft_trl import train_sft
from judgesmith.backends.watched import Job
from judgesmith.errors import JudgesmithError
from judgesmith.records import SftRow
from judgesmith.runs.jsonl import read_records, write_json

_LOOK_S = 0.5


def main(folder: Path) -> None:
    """Train what the job folder says; process 0 writes what came of it."""
    job = Job(folder)
    training, dev_sets, threads, stage = read_order(folder)
    threading.Thread(target=end_with, args=(stage,), daemon=True).start()
    load("torch").set_num_threads(threads)
    train, dev = (list(read_records(folder / f"{side}.jsonl", SftRow)) for side in ("train", "dev"))
    training = training if is_main() else training._replace(steps_file=None)
    try:
        found = train_sft(training, train, dev, dev_sets.kappa, probe_of(dev_sets.first))
    except JudgesmithError as error:
        if is_main():
            job.error.write_text(str(error))
        raise
    if is_main():
        write_json(job.result, as_plain(found))


def end_with(stage: int) -> None:
    """End this process once the stage's is gone: after a kill, nobody may train on in its folder.

    Never returns.
    """
    while True:
        try:
            os.kill(stage, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(_LOOK_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
