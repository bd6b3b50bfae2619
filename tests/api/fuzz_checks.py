"""What schemathesis imports, in an environment of its own: names that there are, and a check."""

import json
import os
import zlib
from typing import Any

import schemathesis

NAMES: dict[str, list[str]] = json.loads(os.environ["FUZZ_NAMES"])
"""Of models, threads …, by the word for them in paths: random ones would find nothing."""
NOT_OURS = (502, 503, 504, 507)
"""The 5xx that tell what failed elsewhere: an engine, its server, a download, the disk."""


@schemathesis.hook  # type: ignore[untyped-decorator, unused-ignore]
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Mostly, a name that there is takes the place of a random one; the same for the same case."""
    chance = zlib.crc32(repr((case.path, case.path_parameters, case.body)).encode())
    if case.method != "DELETE" and isinstance(case.path_parameters, dict):
        for word, given in case.path_parameters.items():
            case.path_parameters[word] = _known(word, chance, given)
    body = case.body
    named = isinstance(body, dict) and isinstance(body.get("model", ""), str | None)
    if named and ("model" in body or not chance % 3):
        body["model"] = _known("model", chance, body.get("model"))


def _known(word: str, chance: int, given: Any) -> Any:
    known = NAMES.get(word)
    return known[chance // 8 % len(known)] if known and chance % 8 else given


@schemathesis.check  # type: ignore[untyped-decorator, unused-ignore]
def nothing_of_ours_fails(context: Any, response: Any, case: Any) -> None:
    said = response.content.decode("utf-8", "replace")
    assert "Traceback (most recent" not in said, "a traceback"
    assert "This is a fault in" not in said, said[:500]
    if response.status_code >= 500:
        assert response.status_code in NOT_OURS, said[:500]
        assert json.loads(said)["error"]["message"], said[:500]
