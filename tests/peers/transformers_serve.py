"""`transformers serve`, Hugging Face's own server for models of its format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .process import HOST, Peer, environment_of


class TransformersServe(Peer):
    """OpenAI's chat completions under `/v1`, without keys; `model` is a Hugging Face folder.

    It answers for the one model, under the folder's name.
    """

    name = "transformers-serve"
    start_seconds = 400.0
    key = ""

    def __init__(self, folder: Path, model: Path) -> None:
        super().__init__(folder)
        self.model = model

    def command(self) -> Sequence[str]:
        # Only a relative name becomes the id of the model as it is.
        link = self.folder / self.model.name
        if not link.exists():
            link.symlink_to(self.model, target_is_directory=True)
        program = environment_of("transformers") / "bin/transformers"
        options = ["--host", HOST, "--port", str(self.port), "--device", "cpu"]
        return [str(program), "serve", self.model.name, *options, "--dtype", "float32"]

    def environment(self) -> Mapping[str, str]:
        return {
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "DO_NOT_TRACK": "1",
            "OMP_NUM_THREADS": "1",
        }
