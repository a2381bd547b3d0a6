"""The models that a run made itself."""

from judgesmith.errors import RunError
from judgesmith.models.protocol import Model, ModelOpener
from judgesmith.runs.layout import RunDir
from judgesmith.stages.evaluate.stage import FOLDERS


def model_opener(run_dir: RunDir) -> ModelOpener:
    """Gives the run's own models by name: the student, the same before training and after DPO."""

    def opener(name: str) -> Model:
        from judgesmith.backends.local_model import LocalModel
        from judgesmith.backends.threads import choose_threads

        folder = run_dir.file(FOLDERS[name])
        if not folder.exists():
            stage = FOLDERS[name].split("/")[0]
            raise RunError(f"{folder}: not there yet; run the recipe up to --until {stage} first.")
        choose_threads(run_dir.file("machine.json"))
        pointer = folder / "path.txt"
        path = pointer.read_text().strip() if pointer.exists() else str(folder)
        return LocalModel(name, path)

    return opener
