"""What aimock notes of our requests: addresses, versions, and what must not be sent."""

from __future__ import annotations

from typing import Any

import pytest

from peers.aimock import AIMock

from .conftest import User
from .pairs import PAIRS, Pair, parameters

PATHS = {
    "openai-aimock": "/v1/chat/completions",
    "claude-aimock": "/v1/messages",
    "azure-openai-aimock": "/openai/v1/chat/completions",
    "azure-openai-aimock-dated": (
        "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    ),
}


@pytest.mark.parametrize("pair", parameters([p for p in PAIRS if p.peer == "aimock"]))
def test_the_request_goes_where_the_service_has_it(user: User, pair: Pair) -> None:
    user.has(pair)
    reply = user.asks("hello", temperature=0.5, max_tokens=50).reply
    last: Any = user.house.peer("aimock", AIMock).journal()[-1]
    assert last["path"] == PATHS[pair.id]
    assert pair.model in (last["body"]["model"], last["path"].split("/")[-3])
    if pair.engine == "claude":
        assert last["headers"]["anthropic-version"] == "2026-10-21"
        assert "temperature" not in last["body"]
        assert any("temperature" in note for note in reply.notes)
    else:
        assert last["body"]["temperature"] == 0.5
        assert reply.notes == ()
