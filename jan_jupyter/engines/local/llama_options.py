"""What nitro's settings mean to each program that can run llama.cpp.

`TABLE` has them all; below it, how each program is told: `xllamacpp` by attributes, `llama-server`
by flags (of which each version knows others), `llama-cpp-python` by keywords.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...parameters import OLD_NAMES
from ...types import EMPTY
from .llama_help import Flags


def _whole(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(value)
    return int(value)


def count(value: Any) -> int:
    """A whole number above 0. Raises `ValueError` or `TypeError`."""
    if (number := _whole(value)) < 1:
        raise ValueError(value)
    return number


def _count_or_auto(value: Any) -> int:
    return 0 if _whole(value) == 0 else count(value)


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}[
        str(value).lower()
    ]


def _on_off(value: Any) -> str:
    text = str(value).lower()
    return text if text == "auto" else ("on" if _truth(value) else "off")


def _lower(value: Any) -> str:
    return str(value).lower()


def _from(low: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if (number := _whole(value)) < low:
            raise ValueError(value)
        return number

    return read


def _shares(value: Any) -> list[float]:
    """The share of each GPU: a list, or a text such as `3,1`."""
    parts = value if isinstance(value, list) else str(value).replace("/", ",").split(",")
    numbers = [float(part) for part in parts]
    if not 0 < len(numbers) <= _GPUS or not all(0 <= number < 1e9 for number in numbers):
        raise ValueError(value)
    return numbers


def _files(value: Any) -> list[str]:
    """The path of a file, or a list of paths."""
    paths = value if isinstance(value, list | tuple) else [value]
    if not paths or not all(isinstance(path, str) and path.strip() for path in paths):
        raise ValueError(value)
    return [*paths]


_GPUS = 128
"""For so many llama.cpp has room."""


def _experts_on_cpu(layers: int) -> str:
    """What `--n-cpu-moe` means: the experts of the first layers stay in the machine's memory."""
    return ",".join(
        rf"blk\.{layer}\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU" for layer in range(layers)
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: how its value is read, and its name in llama.cpp's server.

    `attribute` is one of xllamacpp's `CommonParams`, `flag` an option of llama-server; of a pair
    of flags the first means true, the second false. `choices` are the values that are allowed, and
    the attribute's names for them. A `flag` in capitals is an environment variable.
    """

    read: Callable[[Any], Any]
    attribute: str
    flag: str | tuple[str, str]
    choices: Mapping[str, str] = EMPTY
    as_attribute: Callable[[Any], Any] | None = None
    """What the attribute is set to, where it is not the value itself."""

    def attribute_value(self, value: Any) -> Any:
        return self.as_attribute(value) if self.as_attribute else self.choices.get(value, value)

    def value(self, written: Any) -> Any:
        """Raises `ValueError`, `TypeError` or `KeyError` if the value does not fit."""
        value = self.read(written)
        if self.choices and value not in self.choices:
            raise ValueError(value)
        return value


def _members(prefix: str, *names: str) -> Mapping[str, str]:
    return {name: prefix + name.upper() for name in names}


_CACHE_TYPES = _members(
    "GGML_TYPE_", "f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"
)
_FLASH = {
    "auto": "LLAMA_FLASH_ATTN_TYPE_AUTO",
    "on": "LLAMA_FLASH_ATTN_TYPE_ENABLED",
    "off": "LLAMA_FLASH_ATTN_TYPE_DISABLED",
}
_ROPE = _members("LLAMA_ROPE_SCALING_TYPE_", "none", "linear", "yarn")
_NUMA = _members("GGML_NUMA_STRATEGY_", "distribute", "isolate", "numactl")
_POOLING = _members("LLAMA_POOLING_TYPE_", "mean", "cls", "last", "rank")
_SPLIT = _members("LLAMA_SPLIT_MODE_", "none", "layer", "row")
_LOAD = {
    "mmap": "LLAMA_LOAD_MODE_MMAP",
    "none": "LLAMA_LOAD_MODE_NONE",
    "mlock": "LLAMA_LOAD_MODE_MMAP_MLOCK",
    "dio": "LLAMA_LOAD_MODE_DIRECT_IO",
}

TABLE: Mapping[str, Row] = {
    "ctx_len": Row(_whole, "n_ctx", "--ctx-size"),
    "ngl": Row(_whole, "n_gpu_layers", "--n-gpu-layers"),
    "n_parallel": Row(_count_or_auto, "n_parallel", "--parallel"),
    "kv_unified": Row(_truth, "kv_unified", ("--kv-unified", "")),
    "cpu_threads": Row(count, "cpuparams.n_threads", "--threads"),
    "cont_batching": Row(_truth, "cont_batching", ("--cont-batching", "--no-cont-batching")),
    # The llama-server of Jan's time refuses to chat with `--embeddings`, and Jan's own files set
    # `embedding` for every model: only xllamacpp does both.
    "embedding": Row(_truth, "embedding", ""),
    "mmproj": Row(str, "mmproj.path", "--mmproj"),
    "lora": Row(_files, "lora_adapters", "--lora"),
    "chat_template": Row(str, "chat_template", "--chat-template"),
    "n_batch": Row(count, "n_batch", "--batch-size"),
    "n_ubatch": Row(count, "n_ubatch", "--ubatch-size"),
    "only_embeds": Row(_truth, "", ""),
    "pooling_type": Row(_lower, "pooling_type", "", _POOLING),
    "flash_attn": Row(_on_off, "flash_attn_type", "--flash-attn", _FLASH),
    "cache_type_k": Row(_lower, "cache_type_k", "--cache-type-k", _CACHE_TYPES),
    "cache_type_v": Row(_lower, "cache_type_v", "--cache-type-v", _CACHE_TYPES),
    "cache_ram": Row(_whole, "cache_ram_mib", "LLAMA_ARG_CACHE_RAM"),
    "cache_reuse": Row(_whole, "n_cache_reuse", "--cache-reuse"),
    "caching_enabled": Row(_truth, "cache_prompt", ("", "--no-cache-prompt")),
    "rope_freq_base": Row(float, "rope_freq_base", "--rope-freq-base"),
    "rope_freq_scale": Row(float, "rope_freq_scale", "--rope-freq-scale"),
    "rope_scaling": Row(_lower, "rope_scaling_type", "--rope-scaling", _ROPE),
    "load_mode": Row(_lower, "load_mode", "--load-mode", _LOAD),
    "numa": Row(_lower, "numa", "--numa", _NUMA),
    "main_gpu": Row(_whole, "main_gpu", "--main-gpu"),
    "split_mode": Row(_lower, "split_mode", "--split-mode", _SPLIT),
    "tensor_split": Row(
        _shares,
        "tensor_split",
        "--tensor-split",
        as_attribute=lambda shares: shares + [0.0] * (_GPUS - len(shares)),
    ),
    "n_cpu_moe": Row(
        _from(0), "tensor_buft_overrides", "--n-cpu-moe", as_attribute=_experts_on_cpu
    ),
    "swa_full": Row(_truth, "swa_full", ("--swa-full", "")),
    "reasoning_budget": Row(_from(-1), "sampling.reasoning_budget_tokens", "--reasoning-budget"),
    "no_kv_offload": Row(_truth, "no_kv_offload", ("--no-kv-offload", "")),
    "ctx_shift": Row(_truth, "ctx_shift", ("--context-shift", "")),
}

_KEYWORDS = {
    "ctx_len": "n_ctx",
    "ngl": "n_gpu_layers",
    "embedding": "embedding",
    "chat_template": "chat_template",
    "n_batch": "n_batch",
    "n_ubatch": "n_ubatch",
    "pooling_type": "pooling_type",
    "cache_type_k": "type_k",
    "cache_type_v": "type_v",
    "caching_enabled": "cache_prompt",
    "rope_freq_base": "rope_freq_base",
    "rope_freq_scale": "rope_freq_scale",
    "rope_scaling": "rope_scaling_type",
    "numa": "numa",
    "main_gpu": "main_gpu",
    "split_mode": "split_mode",
    "tensor_split": "tensor_split",
    "swa_full": "swa_full",
}
"""What `llama_cpp.Llama` (or its backend of ours) calls the settings that it knows."""

_NOTHING_TO_SAY = ("cont_batching", "only_embeds")

OTHER_NAMES = {
    **OLD_NAMES,
    "threads": "cpu_threads",
    "batch_size": "n_batch",
    "ubatch_size": "n_ubatch",
    "pooling": "pooling_type",
    "n_cache_reuse": "cache_reuse",
    "cache_ram_mib": "cache_ram",
}

BOOKKEEPING = frozenset(
    [
        "runtime",
        "runtime_path",
        "keep_alive",
        "timeout",
        "engine",
        "base_url",
        "full_url",
        "api_key",
        "api_key_env",
        "version",
        "text_model",
        "vision_model",
        "stop_word",
        "llama_model_path",
        "model_path",
        "prompt_template",
        "system_prompt",
        "user_prompt",
        "ai_prompt",
        "pre_prompt",
        "mmproj",
        "chat_template_file",
        "cache_type",
        "use_mmap",
        "no_mmap",
        "mmap",
        "mlock",
        "version_backend",
        "auto_update_engine",
        "auto_unload",
        "auto_unload_models",
    ]
)
"""What belongs to Jan or is read elsewhere: known, but nothing that a server is told."""

RAW = "llama"
"""The option that holds settings under llama.cpp's own names (see `llama_raw`)."""

DEFAULTS = {"n_parallel": 1, "cache_ram": 512}
"""llama.cpp's own default lets old prompts fill 8 GB of memory."""


def read_settings(settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Settings of any Jan -> options under the names of `TABLE`, and a line for each left out."""
    options: dict[str, Any] = dict(DEFAULTS)
    left_out: list[str] = []
    given = {OTHER_NAMES.get(name, name): value for name, value in settings.items()}
    for name, written in _one_for_two(given).items():
        row = TABLE.get(name)
        if row is None:
            if name not in BOOKKEEPING:
                left_out.append(f"{name} is not known")
        elif name != "mmproj":  # the model knows where its projector lies
            try:
                options[name] = row.value(written)
            except (ValueError, TypeError, KeyError):
                left_out.append(f"{name}={written!r} does not fit")
    if options["n_parallel"] == 0:
        options["n_parallel"] = DEFAULTS["n_parallel"]  # "auto" since Jan 0.8.5
    if options.get("ctx_len", 1) <= 0:
        del options["ctx_len"]  # then the file says how much
    return options, left_out


def told(left_out: Sequence[str]) -> list[str]:
    """A line for people about settings that are left out; none if there is none."""
    return [f"settings left out: {'; '.join(left_out)}"] if left_out else []


def _one_for_two(given: Mapping[str, Any]) -> dict[str, Any]:
    """Some settings of Jan set two of ours, or share one."""
    found = dict(given)
    if both := given.get("cache_type"):
        found = {"cache_type_k": both, "cache_type_v": both, **found}
    if _says(given, "mlock", True):
        found["load_mode"] = "mlock"
    elif any(
        (_says(given, "no_mmap", True), *(_says(given, n, False) for n in ("use_mmap", "mmap")))
    ):
        found["load_mode"] = "none"
    return found


def _says(given: Mapping[str, Any], name: str, what: bool) -> bool:
    try:
        return _truth(given[name]) is what
    except KeyError:
        return False


def xllamacpp_input(file: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """What `xllamacpp_server.py` reads: attributes of `CommonParams`."""
    rows = [(TABLE[name], value) for name, value in options.items() if name != RAW]
    return {
        "model.path": str(file),
        "use_jinja": True,
        "verbosity": 2,  # warnings and errors: what is asked and answered is nobody's business
        **{row.attribute: row.attribute_value(value) for row, value in rows if row.attribute},
        **options.get(RAW, {}),
    }


def llama_server_arguments(
    file: Path, options: Mapping[str, Any], flags: Flags | None = None
) -> tuple[list[str], dict[str, str], list[str]]:
    """The command line of `llama-server` after its name, the environment it needs, and the options
    that one with these flags (`None`: with today's) has no word for."""
    arguments = ["--model", str(file), "--host", "127.0.0.1"]
    no_page = "--no-ui" if flags and "--no-ui" in flags else "--no-webui"
    arguments += [f for f in ("--jinja", "--slots", no_page) if flags is None or f in flags]
    environment, unknown = {}, []
    for name, value in options.items():
        if name == RAW:
            continue
        if (flag := TABLE[name].flag) and isinstance(flag, str) and flag.isupper():
            environment[flag] = str(value)
            continue
        for words in _wordings(name, value, flags):
            if flags is None or not words or words[0] in flags:
                arguments += words
                break
        else:
            unknown.append(name)
    for name, words in _raw_wordings(options.get(RAW, {})):
        if flags is None or flags.get(words[0]) is (len(words) > 1):
            arguments += words
        else:
            unknown.append(f"{RAW}.{name}")
    if options.get("only_embeds"):
        pooling = options.get("pooling_type")
        arguments += ["--embeddings", *(["--pooling", pooling] if pooling else [])]
    return arguments, environment, unknown


def _wordings(name: str, value: Any, flags: Flags | None) -> Iterator[list[str]]:
    """How llama-servers are told a setting, those of today first; nothing to say is `[]`."""
    flag = TABLE[name].flag
    if isinstance(flag, tuple):
        yield [word for word in [flag[0 if value else 1]] if word]
    elif name == "lora":
        yield [word for path in value for word in (flag, path)]
    elif name == "load_mode":
        yield [flag, _LOAD_WORDS.get(value, value)]
        if value in _BEFORE_LOAD_MODE:
            yield _BEFORE_LOAD_MODE[value]
    elif name == "flash_attn" and flags and flags.get(flag) is False:
        yield [flag] if value == "on" else []
    else:
        text = ",".join(f"{part:g}" for part in value) if isinstance(value, list) else str(value)
        yield [flag, text] if flag else []


def _raw_wordings(raw: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each setting with what a llama-server is told: `--name VALUE`, or `--name`, `--no-name`."""
    for name, value in raw.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            yield name, [f"--{flag}" if value else f"--no-{flag}"]
        else:
            text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            yield name, [f"--{flag}", text]


_LOAD_WORDS = {"mlock": "mmap+mlock"}
_BEFORE_LOAD_MODE = {"mmap": [], "none": ["--no-mmap"], "mlock": ["--mlock"]}
"""What was said until September 2026."""


def llama_cpp_input(file: Path, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What `serve_llama_cpp.py` reads, and the options that it has no word for."""
    keywords: dict[str, Any] = {"model_path": str(file), "n_gpu_layers": -1}
    unknown = []
    for name, value in options.items():
        if name in _KEYWORDS:
            keywords[_KEYWORDS[name]] = TABLE[name].choices.get(value, value)
        elif name == "cpu_threads":
            keywords |= {"n_threads": value, "n_threads_batch": value}
        elif name == "load_mode":
            keywords |= {"use_mmap": value != "none", "use_mlock": value == "mlock"}
        elif name == "lora" and len(value) == 1:
            keywords["lora_path"] = value[0]
        elif name == "no_kv_offload":
            keywords["offload_kqv"] = not value
        elif name == "flash_attn":
            keywords |= {} if value == "auto" else {"flash_attn": value == "on"}
        elif value and value != DEFAULTS.get(name) and name not in _NOTHING_TO_SAY:
            unknown.append(name)
    return keywords, unknown
