"""Load settings and request parameters: ONE table of their names, values and words for people.

Options of a line, rows of the panel, what Tab offers, edits and the reading of files derive from
it. Also the names that servers are known to take besides, so that a slip in a name does not pass in
silence. A server that takes names which are not here gets them all the same: a note costs nothing.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from .reading import Cast, fit, flag, is_absent, number, text, whole, words

# The table ----------------------------------------------------------------------------------------


class Field(NamedTuple):
    """One name: which values fit, and what people are told of it.

    Numbers are from `low` to `high`; `unset_by_zero`: 0 means that nobody sets it. `own_cast` makes
    a value fit where the kind alone does not say how. What has a `help` is offered by Tab and `%jan
    set`; what has a `title` (what people call it) is a row of the panel, which goes by `step` and
    offers `shown` of the range. `options` are those of `%jan` that set it. Only engines that run on
    this machine understand what is `local`. `old_names`: what earlier Jans and nitro called it.
    """

    name: str
    kind: Literal["number", "integer", "text", "flag", "list"]
    low: float | None = None
    high: float | None = None
    step: float | None = None
    unset_by_zero: bool = False
    help: str = ""
    title: str = ""
    options: tuple[str, ...] = ()
    shown: tuple[float | None, float | None] | None = None
    local: bool = False
    old_names: tuple[str, ...] = ()
    own_cast: Cast | None = None

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """The range that the panel offers."""
        return self.shown or (self.low, self.high)

    @property
    def cast(self) -> Cast:
        """What makes a written value fit: raises `ValueError` if it cannot."""
        if self.own_cast is not None:
            return self.own_cast
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        if self.kind == "number":
            return number(low, high)
        if self.kind == "integer":
            return whole(max(low, -(2**63)), min(high, 2**63 - 1), zero=not self.unset_by_zero)
        return {"text": text, "flag": flag, "list": words}[self.kind]


def _mirostat(value: Any) -> Any:
    """On or off in cortex, a version in llama.cpp."""
    try:
        return flag(value)
    except ValueError:
        return whole(0, 2)(value)


def _address(value: Any) -> str | None:
    from .redaction import Address

    return Address(found) if (found := text(value)) else None


def _count(name: str, **more: Any) -> Field:
    """A number of things, where 0 means that nobody has said it."""
    return Field(name, "integer", 1, unset_by_zero=True, **more)


_SETTINGS = (
    _count(
        "ctx_len",
        help="tokens that question and answer share",
        title="Context",
        local=True,
        old_names=("ctx_size",),
    ),
    Field(
        "ngl",
        "integer",
        help="layers on the GPU; 0: none, 100: all",
        title="Layers on the GPU",
        shown=(0, None),
        local=True,
        old_names=("n_gpu_layers",),
    ),
    _count("cpu_threads", help="processor threads", title="Processor threads", local=True),
    Field("prompt_template", "text"),
    Field("system_prompt", "text"),
    Field("user_prompt", "text"),
    Field("ai_prompt", "text"),
    Field("pre_prompt", "text"),
    Field("llama_model_path", "text"),
    Field("model_path", "text"),
    Field("mmproj", "text", old_names=("mmproj_path",)),
    Field("vision_model", "flag", old_names=("visionModel",)),
    Field("text_model", "flag", old_names=("textModel",)),
    Field("embedding", "flag"),
    _count("n_parallel", old_names=("n_parallels",)),
    Field("kv_unified", "flag"),
    Field("cont_batching", "flag"),
    Field("stop_word", "text"),
    Field("base_url", "text", own_cast=_address),
    Field("chat_template", "text"),
)

_PARAMETERS = (
    Field(
        "temperature",
        "number",
        0,
        2,
        0.05,
        help="0 takes the likeliest word, higher is more varied",
        title="Variety",
        options=("-t", "--temperature"),
    ),
    _count(
        "max_tokens",
        help="longest answer, in tokens",
        title="Longest answer",
        options=("-n", "--max-tokens"),
        old_names=("token_limit",),
    ),
    Field(
        "top_p",
        "number",
        0,
        1,
        0.01,
        help="choose among the likeliest words of this share",
        title="Likely words: share",
        options=("--top-p",),
    ),
    Field(
        "top_k",
        "integer",
        0,
        help="choose among so many likeliest words; 0: all",
        title="Likely words: number",
        local=True,
    ),
    Field(
        "min_p",
        "number",
        0,
        1,
        0.01,
        help="ignore words less likely than this share of the likeliest",
        title="Unlikely words: limit",
        local=True,
    ),
    Field(
        "repeat_penalty",
        "number",
        1e-6,
        step=0.01,
        help="above 1: repeat less",
        title="Repeat less",
        shown=(0.5, 2),
        local=True,
    ),
    Field(
        "repeat_last_n",
        "integer",
        -1,
        help="tokens that repeat_penalty looks back on",
        local=True,
    ),
    Field(
        "frequency_penalty",
        "number",
        -2,
        2,
        0.05,
        help="avoid frequent words",
        title="Avoid frequent words",
    ),
    Field(
        "presence_penalty",
        "number",
        -2,
        2,
        0.05,
        help="avoid words that were there",
        title="Avoid words already used",
    ),
    Field(
        "seed",
        "integer",
        help="the same seed gives the same answer",
        title="Seed",
        options=("--seed",),
    ),
    Field("stop", "list", help="text that ends the answer", title="End at", options=("--stop",)),
    Field("stream", "flag"),
    # cortex
    Field("dynatemp_range", "number"),
    Field("dynatemp_exponent", "number"),
    Field("tfs_z", "number"),
    Field("typ_p", "number"),
    Field("mirostat", "integer", own_cast=_mirostat),
    Field("mirostat_tau", "number"),
    Field("mirostat_eta", "number"),
    Field("penalize_nl", "flag"),
    Field("ignore_eos", "flag"),
    Field("n_probs", "integer", 0),
    Field("min_keep", "integer", 0),
    Field("grammar", "text"),
)

_METADATA = (
    Field("author", "text"),
    Field("tags", "list"),
    Field("capabilities", "list"),
    _count("size"),
    Field("cover", "text"),
    _count("default_ctx_len"),
    _count("default_max_tokens"),
)

TABLE: Mapping[str, Mapping[str, Field]] = {
    "settings": {field.name: field for field in _SETTINGS},
    "parameters": {field.name: field for field in _PARAMETERS},
    "metadata": {field.name: field for field in _METADATA},
}
"""By the part of a `model.json` where it belongs: load time, each request, about the model."""

# What derives from it -----------------------------------------------------------------------------

GROUPS: Mapping[str, Mapping[str, Cast]] = {
    group: {name: field.cast for name, field in fields.items()} for group, fields in TABLE.items()
}
"""Name -> what its value is made to fit."""

SETTINGS, PARAMETERS, METADATA = GROUPS.values()

OFFERED: Mapping[str, Field] = {
    name: field for name, field in TABLE["parameters"].items() if field.help
}
"""What Tab and `%jan set` offer."""

OLD_NAMES: Mapping[str, str] = {
    old: field.name
    for fields in TABLE.values()
    for field in fields.values()
    for old in field.old_names
}

OLD_GROUPS: Mapping[str, tuple[str, ...]] = {
    "settings": ("engine_parameters",),
    "parameters": ("inference_params", "model_parameters"),
}

OLLAMA_NAMES: Mapping[str, str] = {
    "num_ctx": "ctx_len",
    "num_gpu": "ngl",
    "num_thread": "cpu_threads",
    "num_predict": "max_tokens",
}
"""What Ollama calls some of them."""

PROGRAMS = frozenset({"runtime_path", "python", "llama"})
"""Settings that name what is run, or are for it alone: they count in the user's own engine file,
and nowhere else."""

_ENGINE_ONLY = {"engine", "api_key"}  # never a setting or a parameter of a model
FIELDS: Mapping[str, Cast] = {**SETTINGS, **PARAMETERS}


def collect(
    raw: Mapping[str, Any],
    fields: Mapping[str, Cast],
    warnings: list[str],
    *,
    unknown: bool = False,
) -> dict[str, Any]:
    """The values that are set, under today's names; with `unknown`, also those of other names."""
    found: dict[str, Any] = {}
    old: dict[str, Any] = {}
    for key, value in raw.items():
        name = OLD_NAMES.get(key, key)
        if (cast := fields.get(name)) is not None:
            try:
                value = cast(value)
            except ValueError:
                value = fit(value, cast, key, warnings)  # tells it
        elif not unknown or name in _ENGINE_ONLY or is_absent(value):
            continue
        if value is not None:
            (found if name == key else old)[name] = value
    return {**old, **found}


def _is_bound(name: str) -> bool:
    """Whether a name is for Jan's sliders (`max_temperature`), and nothing to ask a server with."""
    kind, _, parameter = name.partition("_")
    return kind in ("max", "min", "default", "step") and parameter in PARAMETERS


def settings_and_parameters(
    settings: Mapping[str, Any], parameters: Mapping[str, Any], warnings: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both made regular: values fit, and what stands in the wrong one of the two is moved."""
    load = collect(settings, FIELDS, warnings, unknown=True)
    ask = collect(parameters, FIELDS, warnings, unknown=True)
    if bounds := [name for name in ask if name not in PARAMETERS and _is_bound(name)]:
        ask = {name: value for name, value in ask.items() if name not in bounds}
    for here, there, names, place in (
        (load, ask, PARAMETERS, "parameters"),
        (ask, load, SETTINGS, "settings"),
    ):
        for name in [name for name in here if name in names]:
            value = here.pop(name)
            if name not in there:
                there[name] = value
                warnings.append(f"{name}: belongs into {place}")
    if word := load.pop("stop_word", None):
        stop = ask.get("stop", [])
        ask["stop"] = stop if word in stop else [*stop, word]
    return load, ask


def names_program(where: object, settings: Iterable[str]) -> str:
    """The line that refuses settings which are for the user alone; empty if there are none."""
    found = sorted(PROGRAMS.intersection(settings))
    if not found:
        return ""
    does = "sets what llama.cpp is told" if found == ["llama"] else "names a program to run"
    return f"{where} {does} ({', '.join(found)}): only your own engine.json may; take it out"


# What servers know -------------------------------------------------------------------------------

_OTHERS: Mapping[str, str] = {
    "OpenAI": """
n stop logprobs top_logprobs logit_bias user metadata store service_tier reasoning reasoning_effort
verbosity modalities audio prediction response_format tool_choice parallel_tool_calls stream_options
max_completion_tokens web_search_options safety_identifier prompt_cache_key prompt_cache_retention
""",
    "Anthropic": """
thinking thinking_budget stop_sequences output_config container context_management mcp_servers betas
speed inference_geo
""",
    "llama.cpp": """
samplers xtc_probability xtc_threshold dry_multiplier dry_base dry_allowed_length
dry_penalty_last_n dry_sequence_breakers typical_p top_n_sigma adaptive_target adaptive_decay
cache_prompt id_slot n_keep n_predict n_discard n_indent n_cache_reuse t_max_predict_ms json_schema
grammar_lazy grammar_triggers preserved_tokens post_sampling_probs return_tokens return_progress
timings_per_token lora chat_template_kwargs reasoning_format reasoning_budget add_generation_prompt
continue_final_message parse_tool_calls chat_format
""",
    "vLLM": """
best_of beam_width use_beam_search length_penalty early_stopping min_tokens repetition_penalty
no_repeat_ngram_size stop_token_ids include_stop_str_in_output skip_special_tokens
spaces_between_special_tokens truncate_prompt_tokens allowed_token_ids bad_words prompt_logprobs
echo add_special_tokens documents chat_template mm_processor_kwargs guided_json guided_regex
guided_choice guided_grammar structured_outputs priority request_id cache_salt return_token_ids
""",
    "TGI, Triton": """
do_sample best_of details decoder_input_details return_full_text truncate typical_p watermark
max_new_tokens adapter_id top_n_tokens end_id pad_id
""",
    "routers, Mistral, Ollama": """
top_a models route provider plugins transforms include_reasoning safe_prompt random_seed prompt_mode
num_ctx num_predict keep_alive enable_thinking
""",
}
_KNOWN = frozenset([*PARAMETERS, *" ".join(_OTHERS.values()).split()])


def unknown(name: str) -> str:
    """A line on a name that no server is known to take; `""`: some do."""
    if name in _KNOWN:
        return ""
    near = difflib.get_close_matches(name, _KNOWN, 1, 0.8)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"{name} is no known parameter{hint}"
