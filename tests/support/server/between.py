"""What stands between two texts, by OpenAI's old route and by Mistral's, and rankings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .dialect import Dialect, Event, Part, joined
from .openai import OpenAI


class FillIn(OpenAI):
    """Mistral's `/fim/completions`: answered as a chat is."""

    @property
    def asked(self) -> Any:
        return [self.body["prompt"], self.body.get("suffix")]


class Completions(FillIn):
    """OpenAI's `/completions`."""

    def _chunk(self, delta: Part, finish: str | None = None, index: int = 0) -> Event:
        head = self._envelope("text_completion")
        choice = {"index": index, "text": delta.get("content", ""), "finish_reason": finish}
        return "", {**head, "choices": [choice]}

    def whole(self, parts: Sequence[Part]) -> Any:
        choice = {"index": 0, "text": joined(parts), "finish_reason": self._finish}
        return {**self._envelope("text_completion"), "choices": [choice]}


class Rerank(Dialect):
    """Cohere's `/rerank` and TEI's, by the name of the documents: the score of one are its words
    that are the query's too, and they come as they were sent."""

    @property
    def asked(self) -> Any:
        return self.body["query"]

    def chunk(self, part: Part) -> Sequence[Event]:
        return ()

    def closing(self, parts: Sequence[Part]) -> Sequence[Event]:
        return ()

    def whole(self, parts: Sequence[Part]) -> Any:
        wanted = set(self.asked.split())
        bare = "texts" in self.body
        texts = self.body["texts" if bare else "documents"]
        name = "score" if bare else "relevance_score"
        rows = [{"index": i, name: len(wanted & {*t.split()})} for i, t in enumerate(texts)]
        if bare:
            return rows
        rows = sorted(rows, key=lambda row: -row[name])[: self.body.get("top_n")]
        counted = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": counted, "total_tokens": counted}
        return {"results": sorted(rows, key=lambda row: row["index"]), "usage": usage}

    def refusal(self) -> Any:
        return {"error": self.failure()[1]}
