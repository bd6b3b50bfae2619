"""A real server that speaks the APIs of our engines and misbehaves on request.

    python tests/support/server --port 0           prints {"port": N}, then serves
    with StreamingServer() as server: ...          the same as a process of its own

How a request is answered stands in its model's name: `NAME:option=value,flag,…` with the options of
`Behaviour`, for example `stream:n=2000,delay=0.005`. Where a name cannot hold that, give the name a
behaviour with `server.behave(name, "n=20,cut=3")`.

Routes, each under any prefix: OpenAI's `…/chat/completions` and `…/models`, Claude's `…/messages`,
TGI's `…/NAME/generate_stream`, the toolkit's `…/NAME/`, Triton's `/v2/models/NAME/…`; `/health`,
and for the tests `/journal` (GET, DELETE) and `/behaviour` (PUT).
"""

from .behaviour import ERRORS, Behaviour, tokens
from .process import PROGRAM, StreamingServer
from .wire import Entry

__all__ = ["ERRORS", "PROGRAM", "Behaviour", "Entry", "StreamingServer", "tokens"]
