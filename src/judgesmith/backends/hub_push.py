"""Upload exported folders to the Hugging Face hub. Nothing leaves this machine unasked."""

from pathlib import Path
from typing import Literal, NamedTuple

from judgesmith.backends.loading import load
from judgesmith.errors import ModelError

RepoType = Literal["model", "dataset"]


class Upload(NamedTuple):
    """A folder and the repository that it goes to."""

    folder: Path
    repo: str
    kind: RepoType

    @property
    def files(self) -> list[tuple[str, int]]:
        """Names of its files and their sizes in bytes, in order."""
        return [
            (path.relative_to(self.folder).as_posix(), path.stat().st_size)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        ]


def push(upload: Upload, *, public: bool) -> str:
    """Upload a folder as one commit into a repository, made where it is not there; its address.

    The key is the one that `hf auth login` or HF_TOKEN gives.

    Raises:
        ModelError: the hub refused, or could not be reached.
    """
    hub = load("huggingface_hub")
    api = hub.HfApi()
    try:
        api.create_repo(upload.repo, repo_type=upload.kind, private=not public, exist_ok=True)
        done = api.upload_folder(
            repo_id=upload.repo, repo_type=upload.kind, folder_path=str(upload.folder),
            commit_message="Exported by judgesmith",
        )  # fmt: skip
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{upload.repo}: could not be uploaded to the hub: {reason}. Is there a key that may "
            "write there (`hf auth login`)? What was uploaded before stays; run it again."
        ) from None
    return str(done.commit_url)
