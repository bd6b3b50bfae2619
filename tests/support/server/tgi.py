"""Text Generation Inference's own route, and the default container of Inference Endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .dialect import Dialect, Event, Part, joined

TYPES = {422: "validation", 424: "generation", 429: "overloaded", 500: "incomplete_generation"}


class TGI(Dialect):
    """The stop text stays in the output, and a special token ends it."""

    names: ClassVar = {
        "context_length_exceeded": (
            422,
            "validation",
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given:"
            " 5000 `inputs` tokens and 20 `max_new_tokens`",
        ),
        "invalid_request": (
            422,
            "validation",
            "Input validation error: `temperature` must be strictly positive",
        ),
        "rate_limit_exceeded": (429, "overloaded", "Model is overloaded"),
        "server_is_overloaded": (429, "overloaded", "Model is overloaded"),
        "server_error": (424, "generation", "Request failed during generation"),
        "loading": (503, "", "503 Service Unavailable"),
    }

    @property
    def streams(self) -> bool:
        return True

    @property
    def asked(self) -> Any:
        return self.body["inputs"]

    def parts(self) -> list[Part]:
        given = self.body["parameters"]
        kept: list[Part] = []
        self._finish = "length" if self.behaviour.finish == "length" else "eos_token"
        for part in super().parts():
            if len(kept) == given.get("max_new_tokens", -1):
                self._finish = "length"
                break
            kept.append(part)
            if any(word in joined(kept) for word in given.get("stop", ())):
                self._finish = "stop_sequence"
                break
        return kept

    def chunk(self, part: Part) -> Sequence[Event]:
        return [("", self._token(part.get("content", "")))]

    def closing(self, parts: Sequence[Part]) -> Sequence[Event]:
        if self.behaviour.noend:
            return []
        last = self._token("</s>", special=True)
        if not self.behaviour.nofinish:
            last |= {"generated_text": joined(parts), "details": self._details(parts)}
        return [("", last)]

    def whole(self, parts: Sequence[Part]) -> Any:
        return {"generated_text": joined(parts), "details": self._details(parts)}

    def refusal(self) -> Any:
        status, error = self.failure()
        kind = error["type"] if error["code"] in self.names else TYPES.get(status, "")
        return {"error": error["message"], **({"error_type": kind} if kind else {})}

    def _token(self, text: str, *, special: bool = False) -> dict[str, Any]:
        token = {"id": self.entry.chunks, "text": text, "logprob": -0.5, "special": special}
        index = self.entry.chunks + 1
        return {"index": index, "token": token, "generated_text": None, "details": None}

    def _details(self, parts: Sequence[Part]) -> dict[str, Any]:
        words = len(str(self.asked).split())
        counted = {"generated_tokens": len(parts), "input_length": words}
        return {"finish_reason": self._finish, **counted, "seed": None}


class Toolkit(TGI):
    """`POST /`: one JSON answer, and no stream."""

    @property
    def streams(self) -> bool:
        return False

    def whole(self, parts: Sequence[Part]) -> Any:
        before = self.asked if self.body["parameters"].get("return_full_text", True) else ""
        return [{"generated_text": before + joined(parts)}]

    def refusal(self) -> Any:
        return {"error": self.failure()[1]["message"]}
