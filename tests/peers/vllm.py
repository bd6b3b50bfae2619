"""vLLM on the CPU: OpenAI's API and Anthropic's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .process import HOST, KEY, Peer, environment_of


class VLLM(Peer):
    """Serves a Hugging Face folder under its name."""

    name = "vllm"
    start_seconds = 900.0

    def __init__(self, folder: Path, model: Path, key: str = KEY) -> None:
        super().__init__(folder)
        self.model, self.key = model, key

    def command(self) -> Sequence[str]:
        return [
            str(environment_of("vllm") / "bin/vllm"),
            "serve",
            str(self.model),
            *("--host", HOST, "--port", str(self.port)),
            *("--served-model-name", self.model.name),
            *("--max-model-len", "1024", "--max-num-seqs", "2", "--dtype", "float32"),
            "--enforce-eager",
        ]

    def environment(self) -> Mapping[str, str]:
        return {
            "VLLM_API_KEY": self.key,
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_DO_NOT_TRACK": "1",
            "VLLM_HOST_IP": HOST,
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "2",
        }
