"""Feed damaged descriptions and GGUF headers to their readers: `python -m models.fuzz COUNT SEED`.

Each case may raise `ModelBroken` and nothing else, and must end within seconds. Prints how much
memory the process took on top of what it had when all was imported and used once.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import random
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jan_jupyter.errors import ModelBroken
from jan_jupyter.models import ModelStore, gguf, schema
from jan_jupyter.reading import parse_json, parse_yaml

from .trees import gguf_bytes

SECONDS = 10
SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "jan"

JSON = {
    "id": "m",
    "object": "model",
    "version": "1.0",
    "engine": "nitro",
    "created": 1e12,
    "sources": [{"filename": "m.gguf", "url": "https://x.example/blob/m.gguf"}, "a", None],
    "settings": {"ctx_len": "2048", "ngl": 1e3, "prompt_template": "{system_message}{prompt}"},
    "parameters": {"stop": ["a"], "temperature": 0.7, "token_limit": -1, "stream": "true"},
    "metadata": {"tags": ["a"], "size": 1},
}
YAML = """\
model: m  # comment
name: "q\\n"
files:
  - models/m/m.gguf
stop: [<|end|>, '</s>']
prompt_template: |+
  <s>{system_message}
  {prompt}
ctx_len: 2048
top_p: .95
engine: llama-cpp
unknown: {a: [1, {b: 2001-01-01}]}
"""
HEADER = {
    "general.architecture": "llama",
    "general.file_type": 15,
    "llama.context_length": 4096,
    "llama.block_count": 32,
    "llama.attention.head_count": 32,
    "llama.attention.head_count_kv": [8, 8, 4],
    "tokenizer.ggml.tokens": ["a", "b", "ccc"] * 20,
    "tokenizer.chat_template": "{{ x }}",
    "general.alignment": 32,
}
GGUF = gguf_bytes(HEADER, [("a", [32, 4], 2, 0), ("b", [8], 0, 96)], data=200)
ODD = [
    *(b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x00" * 8, b"\x00\x00\x00\x80", b"\xfe\xff"),
    *(b"[" * 3000, b'{"a":' * 2000, b'"' * 50, b"1" * 5000, b"-", b"1e999", b"NaN", b"\\ud800"),
    *(b"&a [*a, *a]", b"!!python/object:os.system x", b"? ", b"- " * 500, b"\t", b"\xc2\xa0", b"%"),
    *(b"/*", b"//", b",,", b"null", b"true", b"{}", b"{prompt}" * 99, b"../" * 50, b"file://"),
]


def damaged(chance: random.Random, seeds: list[bytes]) -> bytes:
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data) + 1)
        end = min(len(data), place + chance.choice((1, 1, 4, 8, 40)))
        match chance.randrange(7):
            case 0:
                data[place:end] = chance.randbytes(end - place)
            case 1:
                del data[place:end]
            case 2:
                data[place:place] = chance.choice(ODD)
            case 3:
                data[place:end] = chance.choice(ODD)
            case 4:
                data[place:place] = data[place:end] * chance.randint(1, 30)
            case 5:
                other = chance.choice(seeds)
                data[place:] = other[chance.randrange(len(other) + 1) :]
            case 6:
                del data[place:]
        del data[200_000:]
    return bytes(data)


def samples(suffix: str) -> Iterator[bytes]:
    if SAMPLES.is_dir():
        for path in sorted(SAMPLES.rglob(f"*{suffix}")):
            yield path.read_bytes()


def read_json(data: bytes, file: Path) -> None:
    raw = parse_json(data.decode("utf-8", "replace"), "x")
    where = file.with_name("model.json")
    for read in (
        lambda: schema.model_json(raw, where, "x"),
        lambda: schema.remote_list(raw, where),
    ):
        try:
            read()
        except ModelBroken:
            continue


def read_yaml(data: bytes, file: Path) -> None:
    raw = parse_yaml(data.decode("utf-8", "replace"), "x")
    schema.cortex_yml(raw, file.with_name("model.yml"), "x", file.parent)
    schema.llamacpp_yml(raw, file.with_name("model.yml"), "x", file.parent, "nitro")


def read_gguf(data: bytes, file: Path) -> None:
    file.write_bytes(data)
    with contextlib.suppress(ModelBroken):
        gguf.read_brief(file).kv_bytes(4096)
    gguf.read_template(file)
    gguf.read_header(file).kv_bytes(4096)


def whole_folder(chance: random.Random, root: Path, kinds: Any) -> None:
    """One of each, read as a listing does: there nothing at all is raised."""
    for name, (seeds, _) in zip(("a/model.json", "a.yml", "a/x.gguf"), kinds, strict=True):
        path = root / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(damaged(chance, seeds))
    store = ModelStore(root)
    for model in store.list():
        store.header(model)
        assert store.get(model.reference).path == model.path


def main(count: int, seed: int) -> None:
    kinds: list[tuple[list[bytes], Callable[[bytes, Path], None]]] = [
        (
            [*(json.dumps(raw, indent=2).encode() for raw in JSON), *samples("model.json")],
            read_json,
        ),
        ([YAML.encode(), *samples(".yml")], read_yaml),
        ([GGUF], read_gguf),
    ]
    for seeds, _ in kinds:
        seeds[:] = [data for data in seeds if data]
    chance = random.Random(seed)
    signal.signal(signal.SIGALRM, _too_long)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.gguf"
        for seeds, read in kinds:
            read(seeds[0], file)
        whole_folder(chance, Path(folder) / "warm", kinds)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(count):
            seeds, read = kinds[number % 3]
            data = damaged(chance, seeds)
            signal.alarm(SECONDS)
            try:
                read(data, file)
            except ModelBroken:
                pass
            except BaseException:
                print(f"case {number} of seed {seed}: {data[:300]!r}", file=sys.stderr)
                raise
            if number % 100 == 0:
                whole_folder(chance, Path(folder) / "tree", kinds)
            signal.alarm(0)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"cases": count, "kilobytes": grown}))


def _too_long(number: int, frame: Any) -> None:
    faulthandler.dump_traceback()
    raise TimeoutError(f"a case takes more than {SECONDS} s")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
