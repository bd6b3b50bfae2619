"""What the Tab key offers in a line of `%jan`, asked of a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import bridge
from jan_jupyter.workspace import shared
from support.jan import add_remote
from support.server import StreamingServer
from support.v1 import served

from .conftest import Client


@pytest.fixture
def own(isolated: Path, server: StreamingServer) -> Iterator[Client]:
    """A client of what the user has."""
    add_remote(isolated / "jan", server, short="n=3", shape="n=3")
    workspace = shared()
    with served(workspace) as address:
        yield Client(address)
    bridge.wait(workspace.close())


def offered(client: Client, line: str, **more: Any) -> Any:
    return client.post("complete", {"line": line, **more})


def words(client: Client, line: str, **more: Any) -> list[str]:
    return [word["text"] for word in offered(client, line, **more)["data"]]


def test_words_of_a_line(own: Client) -> None:
    assert words(own, "%jan mo") == ["models"]
    assert words(own, "%jan use sh") == ["shape", "short"]
    assert words(own, "%%jan sho") == ["short"]
    assert words(own, "%%jan short --max") == ["--max-tokens"]
    assert words(own, "answer = %jan -f j") == ["json"]
    assert words(own, "%jan edit short temperature=0 top_") == ["top_p=", "top_k="]
    assert words(own, "%jan what i") == []
    assert words(own, "%jan mo and more", cursor=7) == ["models"]


def test_each_tells_what_it_means_and_where_it_goes(own: Client) -> None:
    found = offered(own, "x = %jan mo")
    assert (found["ours"], found["start"], found["end"]) == (True, 9, 11)
    (models,) = found["data"]
    assert models["type"] == "command"
    assert "%jan models" in models["documentation"]
    (option,) = offered(own, "%%jan short --max-t")["data"]
    assert (option["type"], option["documentation"]) == ("option", "longest answer, in tokens")
    (option,) = offered(own, "%jan pull --dis")["data"]
    assert option["documentation"] == "delete what has come of an unfinished one"
    (field,) = offered(own, "%jan set temp")["data"]
    assert "higher is more varied" in field["documentation"]
    (model,) = offered(own, "%jan -m jan-m")["data"]
    assert "nitro" in model["documentation"]


def test_other_lines_are_not_ours(own: Client) -> None:
    for line in ("import o", "print('%jan')", "# %jan mo", "%jan what is {sha", ""):
        found = offered(own, line)
        assert (found["ours"], found["data"]) == (False, []), line
    assert words(own, "%jan --attach ") == []  # files are where the kernel is


def test_what_is_no_line_is_refused(own: Client) -> None:
    for body in ({"line": 3}, {"line": "%jan m", "cursor": -1}, {"line": "x" * 20_000}, {}):
        assert own.ask("POST", "complete", body).status == 400
