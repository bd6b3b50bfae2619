"""A program that writes a prompt by a chat template in Jinja, within limits.

Templates come with models, and in a sandbox they can still loop for ever or fill the memory: here
they are alone. It reads one JSON object (`template`, and `values`, its variables) and prints one:
`text`, or `error`, which is one line.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any, NoReturn

SECONDS = 2
"""Of processor time."""
MEMORY = 10**9
LONGEST = 10**7
"""Characters of a prompt."""


def main() -> None:
    given = json.load(sys.stdin)
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # As transformers and llama.cpp set it up.
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    _limit()
    json.dump(_answer(environment, given["template"], given["values"]), sys.stdout)


def _answer(environment: Any, template: str, values: dict[str, Any]) -> dict[str, str]:
    try:
        text = environment.from_string(template).render(values)
    except MemoryError:
        return {"error": f"it needs more than {MEMORY / 1e9:g} GB of memory"}
    except RecursionError:
        return {"error": "it is nested too deeply"}
    except Exception as error:  # whatever it does wrong: it is the template's fault
        return {"error": (str(error).splitlines() or [type(error).__name__])[0]}
    if len(text) > LONGEST:
        return {"error": f"it writes more than {LONGEST:,} characters"}
    return {"text": text}


def _raise(message: str) -> NoReturn:
    raise ValueError(message)


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: who started this waits for so long and no longer
        return
    for limit, most in ((resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY)):
        try:
            resource.setrlimit(limit, (most, most))
        except (OSError, ValueError):  # macOS has no such limit of memory
            continue


if __name__ == "__main__":
    main()
