"""Engine markov: continues a prompt in the style of a text file, word by word."""

import asyncio
import random
from collections import defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path

from jan_jupyter.engines.base import Engine
from jan_jupyter.errors import EngineUnavailable
from jan_jupyter.types import Delta, Usage


@cache
def followers(path: Path) -> dict[str, list[str]]:
    """Which words follow which in a text."""
    found = defaultdict(list)
    for word, following in pairwise(path.read_text("utf-8").split()):
        found[word].append(following)
    return dict(found)


class Markov(Engine):
    name = "markov"

    async def load(self, model):
        path = model.path.parent / model.settings.get("text", "corpus.txt")
        try:
            return followers(path) or {"": ["…"]}
        except (OSError, UnicodeDecodeError) as error:
            raise EngineUnavailable(
                f"Model {model.id} (engine markov) cannot read its text {path}: set `text` in the"
                " model's settings.",
                model=model.id,
                engine=self.name,
            ) from error

    async def chat(self, model, request):
        words, chance = await self.load(model), random.Random(request.parameters.get("seed"))
        prompt = str(request.messages[-1].content).split()
        word, most = (prompt or [""])[-1], request.parameters.get("max_tokens", 50)
        for _ in range(most):
            word = chance.choice(words.get(word) or [*words])
            yield Delta(word + " ")
            await asyncio.sleep(0)  # here it can be stopped
        yield Delta(finish="length", usage=Usage(len(prompt), most))
