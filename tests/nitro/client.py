"""A process of its own that uses nitro, as a second kernel would.

    python client.py FILE [ENGINE'S,MODEL'S] load|chat|stream

Prints one JSON object: the worker's process id and which modules were imported to reach it.
`stream` asks for an endless answer and prints a line for each piece.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from jan_jupyter.engine_options.options import EngineOptions
from jan_jupyter.engines.nitro import Nitro
from jan_jupyter.models.model import Model
from jan_jupyter.types import ChatRequest, Message


async def main() -> None:
    file, (engines, settings), action = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
    model = Model(file.stem, "", "nitro", "ready", "bare", file.parent, settings, file=file)
    engine = Nitro(EngineOptions("nitro", "nitro", settings=engines))
    await engine.load(model)
    heavy = {"psutil", "filelock", "httpx2", "xllamacpp"} & sys.modules.keys()
    if action == "stream":
        endless = ChatRequest([Message("user", "hi")], {"max_tokens": 100_000}, extra=ENDLESS)
        async for delta in engine.chat(model, endless):
            print(json.dumps(delta.text), flush=True)
    if action == "chat":
        request = ChatRequest([Message("user", "hi")], {"max_tokens": 4})
        assert [delta async for delta in engine.chat(model, request)]
    pids = [row.pid for row in await engine.running()]
    print(json.dumps({"pids": pids, "heavy": sorted(heavy)}))
    await engine.close()


ENDLESS = {"ignore_eos": True}

if __name__ == "__main__":
    asyncio.run(main())
