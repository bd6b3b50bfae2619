"""Notebook Intelligence, set up by the file that its settings write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
from notebook_intelligence.ai_service_manager import AIServiceManager
from notebook_intelligence.api import CancelToken, ChatResponse
from notebook_intelligence.util import set_jupyter_root_dir

HI = [{"role": "user", "content": "Why?"}]


class Shown(ChatResponse):  # type: ignore[misc]
    """What its chat would show."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.ended = False

    @property
    def message_id(self) -> str:
        return "message"

    def stream(self, data: Any, finish: bool = False) -> None:
        self.pieces.append(data["choices"][0]["delta"]["content"] or "")

    def finish(self) -> None:
        self.ended = True


def main(address: str, key: str, others: list[str]) -> dict[str, Any]:
    (config,) = others
    file = Path.home() / ".jupyter" / "nbi" / "config.json"
    file.parent.mkdir(parents=True)
    file.write_text(config, "utf-8")
    set_jupyter_root_dir(str(Path.home()))
    services = AIServiceManager({"server_root_dir": str(Path.home())})
    chat, completing = services.chat_model, services.inline_completion_model
    real = chat.completions([{"role": "user", "content": "What is 7 + 5?"}])
    told: dict[str, Any] = {"real": real["choices"][0]["message"]["content"]}
    for model in (chat, completing):
        model.set_property_value("model_id", "quick")
    told["whole"] = chat.completions(HI)["choices"][0]["message"]["content"]
    shown = Shown()
    chat.completions(HI, response=shown)
    told["streamed"] = "".join(shown.pieces) if shown.ended else ""
    given = ("def f(", "    return x", "python", "a.py", None, CancelToken())
    told["completed"] = completing.inline_completions(*given)
    chat.set_property_value("model_id", "no-such-model")
    told["errors"] = errors = []
    for response in (None, Shown()):
        try:
            chat.completions(HI, response=response)
        except openai.NotFoundError as error:
            errors.append(str(error))
    return told
