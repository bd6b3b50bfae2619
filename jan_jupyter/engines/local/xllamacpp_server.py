"""llama.cpp's own HTTP server out of the wheel `xllamacpp`: the program behind that runtime.

    LLAMA_API_KEY=… python xllamacpp_server.py --port N < settings.json

The first line of its input is an object of `CommonParams` attributes (dotted names; the members
of an enumeration by name). It ends when its input does: its parent is gone then.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def set_attribute(parameters: Any, name: str, value: Any) -> None:
    """Set `a.b` of llama.cpp's parameters; a text becomes the member of an enumeration, and the
    path of an adapter that adapter."""
    *path, last = name.split(".")
    if last == "lora_adapters":
        import xllamacpp

        value = [xllamacpp.CommonAdapterLoraInfo(one) for one in value]
    for part in path:
        parameters = getattr(parameters, part)
    kind = type(getattr(parameters, last))
    setattr(parameters, last, kind[value] if hasattr(kind, "__members__") else value)


def main() -> None:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    for name, value in json.loads(sys.stdin.buffer.readline()).items():
        try:
            set_attribute(parameters, name, value)
        except (AttributeError, TypeError, ValueError, KeyError, AssertionError) as error:
            sys.exit(f"llama.cpp cannot be set to {name}={value!r:.80}: {error}")
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = int(sys.argv[sys.argv.index("--port") + 1])
    parameters.api_keys = [os.environ.pop("LLAMA_API_KEY")]
    parameters.ui = False
    parameters.endpoint_slots = parameters.endpoint_metrics = True
    try:
        _server = xllamacpp.Server(parameters)  # serves for as long as it is held
    except RuntimeError as error:
        sys.exit(str(error))  # the reason stands above it, in llama.cpp's own words
    sys.stdin.buffer.read()
    os._exit(0)  # our parent is gone: there is nobody to clean up for


if __name__ == "__main__":
    main()
