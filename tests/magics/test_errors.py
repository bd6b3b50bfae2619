"""What goes wrong with a server is one line: model and engine, what happened, how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from support.jan import add_model, write_json
from support.kernel import Kernel
from support.server import StreamingServer, tokens

SECRET = "sk-secret-of-the-errors-test"
NOWHERE = "http://127.0.0.1:9/v1"
CASES = {
    # model: how the server answers, what the line says (as patterns)
    "no-key": ("", "needs|not ready", r"set MISTRAL_API_KEY .* `%jan keys set mistral`"),
    "wrong-key": ("error=invalid_api_key,leak", "refused the key", r"`api_key` of .*engine\.json"),
    "variable-key": ("error=invalid_api_key", "refused the key", r"environment \(SPARE_KEY\)"),
    "needless-key": ("error=invalid_api_key", "asks for a key", r"`%jan keys set open`"),
    "unreachable": ("", r"cannot be reached at http://127\.0\.0\.1:9", "server running"),
    "no-address": ("", "is none", "http://"),
    "unknown": ("error=model_not_found", "does not know unknown", "%jan engines openai --models"),
    "too-long": ("error=context_length_exceeded", "too long for", "Shorten it"),
    "filtered": ("error=content_filter", "filtered the prompt", "Rephrase"),
    "limited": ("status=429,retry_after=600", "no more requests", "wait 10 min"),
    "busy": ("error=server_is_overloaded,retry_after=0", "no capacity", "run the cell again"),
    "unpaid": ("error=insufficient_quota", "credit", "account"),
    "refused": ("error=forbidden", "may not use", "another key"),
    "odd": ("error=invalid_request", "cannot use the request", "--dry-run"),
    "failing": ("status=500,retry_after=0", "failed", "run the cell again"),
    "page": ("n=3,rubbish=0", "not of its protocol", "base_url"),
    "cut": ("n=9,cut=4", "cut off", "run the cell again"),
    "slow": ("n=2,first=9", "nothing for 0\\.3 s", "`timeout`"),
    "misspelt": ("", "opnai is not known", "did you mean openai"),
    "lost": ("", r"not ready: /nowhere/x\.gguf is not there", "put it there, or .* `model_path`"),
}
ENGINES = {
    "no-key": "mistral",
    "variable-key": "spare",
    "needless-key": "open",
    "unreachable": "gone",
    "no-address": "vague",
    "misspelt": "opnai",
    "lost": "nitro",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "slow": {"timeout": 0.3},
    "lost": {"llama_model_path": "/nowhere/x.gguf"},
}


@pytest.fixture(scope="module")
def notebook(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Kernel]:
    env = {"SPARE_KEY": "sk-spare-0815"}
    with Kernel(folder=tmp_path_factory.mktemp("errors"), env=env) as kernel:
        here = {"base_url": _streaming_server.base_url}
        for engine, fields in {
            "openai": {**here, "api_key": SECRET},
            "spare": {**here, "api_key_env": "SPARE_KEY"},
            "open": here,
            "gone": {"base_url": NOWHERE},
            "vague": {"base_url": "my.server:8000/v1"},
        }.items():
            write_json(kernel.data_folder / "engines" / engine / "engine.json", fields)
        for name in CASES:
            engine = ENGINES.get(name, "openai")
            settings = SETTINGS.get(name, {})
            add_model(kernel.data_folder, name, engine=engine, settings=settings)
        assert kernel.execute("%load_ext jan_jupyter").status == "ok"
        yield kernel


@pytest.mark.parametrize("name", CASES)
def test_what_went_wrong_is_one_line_to_act_on(
    notebook: Kernel, server: StreamingServer, name: str
) -> None:
    behaviour, *patterns = CASES[name]
    if behaviour:
        server.behave(name, behaviour)
    result = notebook.execute(f"%%jan {name}\nhi")
    assert result.error is not None
    (line,) = result.error.traceback
    assert len(line.splitlines()) == 1
    for pattern in (name, ENGINES.get(name, "openai"), *patterns):
        assert re.search(pattern, line, re.IGNORECASE), (pattern, line)
    assert "sk-s" not in line
    assert not re.search(r"\.\.|\.\)|  ", line)
    if name == "cut":  # what came is kept
        assert result.data()[0] == "".join(tokens(4))


def test_a_filtered_answer_says_so(notebook: Kernel, server: StreamingServer) -> None:
    server.behave("filtered", "n=4,finish=content_filter")
    (output,) = notebook.execute("%%jan filtered\nhi").outputs
    assert "content filter" in output["data"]["text/markdown"]
