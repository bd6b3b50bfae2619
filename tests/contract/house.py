"""The house where the peers live: each is started when first asked for, and all end together."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from peers.aimock import AIMock
from peers.litellm import LiteLLM
from peers.llama_cpp import LlamaCpp
from peers.llmock import LLMock
from peers.misbehaving import Misbehaving
from peers.process import REPOSITORY, Peer
from peers.transformers_serve import TransformersServe
from peers.triton import Triton
from peers.vllm import VLLM
from support.random_model import write_model

AnyPeer = TypeVar("AnyPeer", bound=Peer)


class House:
    """Peers by name (see `PEERS`), and the folders of models that they serve."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._peers: dict[str, Peer] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __getitem__(self, name: str) -> Peer:
        if name not in self._peers:
            peer = PEERS[name](self, self.folder / name.replace("/", "-"))
            self._peers[name] = self._stack.enter_context(peer)
        return self._peers[name]

    def peer(self, name: str, kind: type[AnyPeer]) -> AnyPeer:
        """The same, and known to be of a kind."""
        peer = self[name]
        assert isinstance(peer, kind)
        return peer

    @property
    def slow_model(self) -> Path:
        """26 MB of random weights: a few hundred tokens a second, so that it can be watched."""
        path = self.folder / "slow.gguf"
        if not path.exists():
            write_model(path, width=512, layers=4, inner=1536, heads=8, context=100_000)
        return path

    @property
    def hugging_face(self) -> Path:
        """The bundled model as a folder of Hugging Face files."""
        path = self.folder / "jan-mini"
        if not path.exists():
            program = REPOSITORY / "tools/jan_mini/to_hf.py"
            subprocess.run([sys.executable, str(program), str(path)], check=True)
        return path

    def llama(self, name: str) -> LlamaCpp:
        return self.peer(name, LlamaCpp)


def llama_server(folder: Path) -> Path:
    """A program with the command line of llama.cpp's `llama-server`."""
    path = folder / "llama-server"
    if not path.exists():
        program = REPOSITORY / "tests/nitro/llama_server.py"
        path.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(program)])} "$@"\n')
        path.chmod(0o755)
    return path


def _slow(house: House, folder: Path, prefix: str = "") -> LlamaCpp:
    return LlamaCpp(folder, prefix=prefix, model=house.slow_model, context=50_000, endless=True)


PEERS: Mapping[str, Callable[[House, Path], Peer]] = {
    "llama.cpp": lambda house, folder: LlamaCpp(folder),
    "llama.cpp/slow": _slow,
    "llama.cpp/azure": lambda house, folder: LlamaCpp(folder, prefix="/openai"),
    "llama.cpp/azure-slow": lambda house, folder: _slow(house, folder, "/openai"),
    "triton": lambda house, folder: Triton(folder, house.llama("llama.cpp")),
    "triton/slow": lambda house, folder: Triton(folder, house.llama("llama.cpp/slow")),
    "aimock": lambda house, folder: AIMock(folder),
    "llmock": lambda house, folder: LLMock(folder),
    "litellm": lambda house, folder: LiteLLM(
        folder, {"jan-mini": house.llama("llama.cpp"), "slow": house.llama("llama.cpp/slow")}
    ),
    "transformers": lambda house, folder: TransformersServe(folder, house.hugging_face),
    "misbehaving": lambda house, folder: Misbehaving(folder),
    "vllm": lambda house, folder: VLLM(folder, house.hugging_face),
}


def answer_of(peer: Peer, model: str, messages: list[dict[str, str]], **options: Any) -> Any:
    """What a peer that speaks OpenAI's API says to a plain request, without any code of ours."""
    path = f"{getattr(peer, 'prefix', '')}/v1/chat/completions"
    body = {"model": model, "messages": messages, "temperature": 0, **options}
    status, answer = peer.call("POST", path, body, **peer.authorization)
    assert status == 200, answer
    return cast(Any, answer)
