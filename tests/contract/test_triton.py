"""What only Triton can do to a client."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from jan_jupyter import errors
from peers.llama_cpp import LlamaCpp
from peers.process import HOST
from peers.triton import Triton

from .conftest import User
from .house import House
from .pairs import TRITON, address

pytestmark = pytest.mark.peers


@contextmanager
def asking(peer: Triton, model: str) -> Iterator[socket.socket]:
    """An endless request of somebody else, for as long as this is held."""
    body = {"text_input": "hi", "max_tokens": 40_000, "temperature": 0}
    data = json.dumps(body).encode()
    head = (
        f"POST /v2/models/{model}/generate HTTP/1.1\r\nHost: {HOST}\r\n"
        f"api-key: {peer.key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection((HOST, peer.port)) as wire:
        wire.sendall(head.encode() + data)
        yield wire


@pytest.mark.usefixtures("no_pauses")
def test_a_full_queue_is_told_as_such(user: User, house: House, tmp_path: Path) -> None:
    slow = LlamaCpp(tmp_path, model=house.slow_model, context=50_000, endless=True)
    with slow, Triton(tmp_path, slow) as peer, ExitStack() as others:
        user.has(replace(TRITON, files=lambda _: address()(peer)), model="narrow")
        others.enter_context(asking(peer, "narrow"))
        while not slow.answering():
            time.sleep(0.02)
        # Triton takes some out of the queue ahead, so ask until it has refused a few in a row.
        in_a_row = 0
        while in_a_row < 3:
            wire = others.enter_context(asking(peer, "narrow"))
            wire.settimeout(1.0)
            try:
                answer = wire.recv(4096)
            except TimeoutError:  # it waits
                in_a_row = 0
            else:
                assert answer.startswith(b"HTTP/1.1 503"), answer
                in_a_row += 1
        with pytest.raises(errors.Overloaded) as caught:
            list(user.asks("hi"))
    assert "\n" not in str(caught.value)
