"""Whether somebody listens on this machine."""

from __future__ import annotations

import asyncio
import socket

import pytest

from jan_jupyter.addresses import is_this_machine
from jan_jupyter.engines.listing import listening


def test_who_listens_here_is_found_and_nobody_else_is_asked() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as open_,
        socket.create_server(("127.0.0.1", 0)) as closed,
    ):
        there = f"http://127.0.0.1:{open_.getsockname()[1]}/v1"
        gone = f"http://localhost:{closed.getsockname()[1]}/v1"
        closed.close()
        addresses = [there, gone, "https://api.openai.com/v1", "http://192.0.2.1/v1", ""]
        assert asyncio.run(listening(addresses)) == {there}


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://localhost:1/v1", True),
        ("http://[::1]:1", True),
        ("http://127.9.9.9", True),
        ("http://192.168.1.1", False),
        ("https://localhost.example.com", False),
        ("nothing", False),
    ],
)
def test_what_is_this_machine(address: str, here: bool) -> None:
    assert is_this_machine(address) is here
