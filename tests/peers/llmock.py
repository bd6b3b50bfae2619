"""LLMock: fails on request as OpenAI and Anthropic do, and judges how its client took it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .process import HOST, Peer, environment_of


class LLMock(Peer):
    """OpenAI's API under `/v1`, Anthropic's under `/anthropic`; takes any key."""

    name = "llmock"

    def command(self) -> Sequence[str]:
        python = environment_of("light") / "bin/python"
        options = ["--host", HOST, "--port", str(self.port), "--response-style", "varied"]
        return [str(python), "-m", "llmock.cli", "serve", *options]

    def script(self, *behaviours: Mapping[str, Any]) -> None:
        """What the next requests meet; see LLMock's README. Forgets all that was before."""
        status, answer = self.call("POST", "/_llmock/reset")
        assert status == 200, answer
        status, answer = self.call("POST", "/_llmock/scenario", {"behaviors": [*behaviours]})
        assert status in (200, 201), answer

    def requests(self) -> list[Mapping[str, Any]]:
        status, answer = self.call("GET", "/_llmock/requests")
        assert status == 200, answer
        return list(answer["requests"])

    def verdict(self) -> Mapping[str, Any]:
        """`passed`, and the `findings` against the client."""
        status, answer = self.call("GET", "/_llmock/verdict")
        assert status == 200, answer
        return dict(answer)
