"""llama.cpp's own HTTP server, out of the wheel `xllamacpp`: OpenAI's API and Anthropic's."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .process import HOST, KEY, MODEL, Peer

SERVE = """
import json, os, sys, time, xllamacpp
parameters = xllamacpp.CommonParams()
given = json.loads(sys.argv[1])
parameters.model.path = given["model"]
parameters.cpuparams.n_threads = 1
for name in ("hostnames", "port", "api_keys", "api_prefix", "n_ctx", "n_parallel", "model_alias"):
    setattr(parameters, name, given[name])
parameters.sampling.ignore_eos = given["endless"]
parameters.kv_unified, parameters.endpoint_slots, parameters.ui = False, True, False
server = xllamacpp.Server(parameters)
while True:
    time.sleep(60)
"""


class LlamaCpp(Peer):
    """A model behind llama.cpp, by default the bundled one.

    `prefix` stands before every path (`/openai`); `context` are the tokens of one slot; `endless`:
    it goes on until `max_tokens`.
    """

    name = "llama.cpp"

    def __init__(
        self,
        folder: Path,
        *,
        prefix: str = "",
        context: int = 2048,
        slots: int = 2,
        key: str = KEY,
        model: Path = MODEL,
        endless: bool = False,
    ) -> None:
        super().__init__(folder)
        self.prefix, self.context, self.slots, self.key = prefix, context, slots, key
        self.model, self.endless = model, endless
        self.ready_path = f"{prefix}/health"

    def command(self) -> Sequence[str]:
        given = {
            "model": str(self.model),
            "hostnames": [HOST],
            "port": self.port,
            "api_keys": [self.key] if self.key else [],
            "api_prefix": self.prefix,
            "n_ctx": self.context * self.slots,  # it is divided among the slots
            "n_parallel": self.slots,
            "model_alias": ["jan-mini"],
            "endless": self.endless,
        }
        return [sys.executable, "-c", SERVE, json.dumps(given)]

    def answering(self) -> int:
        """How many of its slots are generating now."""
        _, slots = self.call("GET", f"{self.prefix}/slots", **self.authorization)
        return sum(slot["is_processing"] for slot in slots)
