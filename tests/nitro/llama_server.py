"""A stand-in for the binary `llama-server`: its command line, in front of the same C++ server.

It refuses what llama-server does not know. `--slow SECONDS`, `--broken` and `--old`, which only
tests give, make it load slowly, fail as a program does whose library is not there, and know the
options of 2024.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

import xllamacpp

CHOICES = {"on": "ENABLED", "off": "DISABLED", "auto": "AUTO"}


def main() -> None:
    old = "--old" in sys.argv
    parser = argparse.ArgumentParser(prog="llama-server", allow_abbrev=False)
    parser.add_argument("--old", action="store_true")
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--broken", action="store_true")
    parser.add_argument("--list-devices", action="store_true")
    parser.add_argument("--model", default="")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--ctx-size", type=int, default=0)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--threads", type=int, default=-1)
    parser.add_argument("--n-gpu-layers", type=int, default=-1)
    parser.add_argument("--chat-template", default="")
    parser.add_argument("--mmproj", default="")
    if old:
        parser.add_argument("--flash-attn", action="store_const", const="on", default="auto")
        parser.add_argument("--no-mmap", action="store_true")
        parser.add_argument("--mlock", action="store_true")
    else:
        parser.add_argument("--flash-attn", choices=[*CHOICES], default="auto")
        parser.add_argument("--load-mode", choices=["none", "mmap", "mlock", "mmap+mlock", "dio"])
        parser.add_argument("--kv-unified", action="store_true")
    parser.add_argument("--cache-type-k", default="f16")
    parser.add_argument("--cache-type-v", default="f16")
    parser.add_argument("--batch-size", type=int, default=2048)
    parser.add_argument("--ubatch-size", type=int, default=512)
    parser.add_argument("--pooling", choices=["none", "mean", "cls", "last", "rank"])
    for flag in ("--embeddings", "--jinja", "--slots", "--no-webui"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--cont-batching", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args()
    if given.list_devices:
        print("Available devices:")
        return
    if given.broken:
        sys.exit("error while loading shared libraries: libcudart.so.12: cannot open")
    time.sleep(given.slow)

    p: Any = xllamacpp.CommonParams()
    p.model.path, p.mmproj.path = given.model, given.mmproj
    p.hostnames, p.port = [given.host], given.port
    p.n_ctx, p.n_parallel, p.cpuparams.n_threads = given.ctx_size, given.parallel, given.threads
    p.n_gpu_layers, p.n_batch, p.n_ubatch = given.n_gpu_layers, given.batch_size, given.ubatch_size
    p.chat_template, p.use_jinja, p.ui = given.chat_template, given.jinja, not given.no_webui
    p.endpoint_slots, p.cont_batching = given.slots, given.cont_batching
    p.flash_attn_type = xllamacpp.llama_flash_attn_type[
        f"LLAMA_FLASH_ATTN_TYPE_{CHOICES[given.flash_attn]}"
    ]
    p.cache_type_k = xllamacpp.ggml_type[f"GGML_TYPE_{given.cache_type_k.upper()}"]
    p.cache_type_v = xllamacpp.ggml_type[f"GGML_TYPE_{given.cache_type_v.upper()}"]
    p.embedding = given.embeddings
    if given.pooling:
        p.pooling_type = xllamacpp.llama_pooling_type[f"LLAMA_POOLING_TYPE_{given.pooling.upper()}"]
    p.kv_unified = not old and given.kv_unified
    p.cache_ram_mib = int(os.environ.get("LLAMA_ARG_CACHE_RAM", "8192"))
    p.api_keys, p.verbosity = [os.environ["LLAMA_API_KEY"]], 2
    server = xllamacpp.Server(p)
    while server.listening_address:
        time.sleep(60)


if __name__ == "__main__":
    main()
