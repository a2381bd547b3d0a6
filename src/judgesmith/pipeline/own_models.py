"""The models that a run made itself."""

from judgesmith.errors import RunError
from judgesmith.models.protocol import Model, ModelOpener
from judgesmith.runs.layout import RunDir

FOLDERS = {"student": "sft/student", "before training": "sft/before"}


def model_opener(run_dir: RunDir) -> ModelOpener:
    """Gives the run's own models by name: the student, and the student before training."""

    def opener(name: str) -> Model:
        from judgesmith.backends.local_model import LocalModel
        from judgesmith.backends.threads import choose_threads

        folder = run_dir.file(FOLDERS[name])
        if not folder.exists():
            raise RunError(f"{folder}: not there yet; run the recipe up to --until sft first.")
        choose_threads(run_dir.file("machine.json"))
        pointer = folder / "path.txt"
        path = pointer.read_text().strip() if pointer.exists() else str(folder)
        return LocalModel(name, path)

    return opener
