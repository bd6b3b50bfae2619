"""The LiteLLM proxy: one address for many providers; speaks OpenAI, Azure's path and Anthropic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from .process import HOST, KEY, Peer, environment_of

# Its own mocked failures.
MOCKED = {"limited": "litellm.RateLimitError", "failing": "litellm.InternalServerError"}


class Behind(Protocol):
    """A server that speaks OpenAI's API below `url`."""

    @property
    def url(self) -> str: ...
    @property
    def key(self) -> str: ...


class LiteLLM(Peer):
    """Passes models on to others by their names; `limited` and `failing` answer 429 and 500."""

    name = "litellm"
    ready_path = "/health/readiness"
    start_seconds = 400.0

    def __init__(self, folder: Path, models: Mapping[str, Behind], key: str = KEY) -> None:
        super().__init__(folder)
        self.models, self.key = models, key

    def command(self) -> Sequence[str]:
        models = []
        for name, served in self.models.items():
            behind = {"api_base": f"{served.url}/v1", "api_key": served.key}
            parameters = {"model": f"openai/{name}", **behind}
            models.append({"model_name": name, "litellm_params": parameters})
        for name, mocked in MOCKED.items():
            parameters = {"model": "openai/gpt-4o", "api_key": "none", "mock_response": mocked}
            models.append({"model_name": name, "litellm_params": parameters})
        config = self.folder / "config.yaml"
        settings = {"num_retries": 0, "telemetry": False, "request_timeout": 120}
        config.write_text(json.dumps({"model_list": models, "litellm_settings": settings}), "utf-8")
        program = environment_of("litellm") / "bin/litellm"
        return [str(program), "--config", str(config), "--host", HOST, "--port", str(self.port)]

    def environment(self) -> Mapping[str, str]:
        return {
            "LITELLM_MASTER_KEY": self.key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            "NO_PROXY": "*",
        }
