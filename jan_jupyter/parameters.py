"""Load settings and request parameters: their names, and how a written value is made to fit.

Also the names that servers are known to take, so that a slip in a name does not pass in silence. A
server that takes names which are not here gets them all the same: a note costs nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from .reading import Cast, fit, flag, is_absent, number, text, whole, words

# Names and values ---------------------------------------------------------------------------------


def _mirostat(value: Any) -> Any:
    """On or off in cortex, a version in llama.cpp."""
    try:
        return flag(value)
    except ValueError:
        return whole(0, 2)(value)


def _address(value: Any) -> str | None:
    from .redaction import Address

    return Address(found) if (found := text(value)) else None


SETTINGS: Mapping[str, Cast] = {
    "ctx_len": whole(1, zero=False),
    "ngl": whole(),
    "prompt_template": text,
    "system_prompt": text,
    "user_prompt": text,
    "ai_prompt": text,
    "pre_prompt": text,
    "llama_model_path": text,
    "model_path": text,
    "mmproj": text,
    "vision_model": flag,
    "text_model": flag,
    "embedding": flag,
    "cpu_threads": whole(1, zero=False),
    "n_parallel": whole(1, zero=False),
    "cont_batching": flag,
    "stop_word": text,
    "base_url": _address,
    "chat_template": text,
}
"""Load time: name -> what its value is made to fit."""

PARAMETERS: Mapping[str, Cast] = {
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "top_k": whole(0),
    "min_p": number(0, 1),
    "repeat_penalty": number(1e-6),
    "repeat_last_n": whole(-1),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "max_tokens": whole(1, zero=False),
    "stop": words,
    "stream": flag,
    "seed": whole(),
    # cortex
    "dynatemp_range": number(),
    "dynatemp_exponent": number(),
    "tfs_z": number(),
    "typ_p": number(),
    "mirostat": _mirostat,
    "mirostat_tau": number(),
    "mirostat_eta": number(),
    "penalize_nl": flag,
    "ignore_eos": flag,
    "n_probs": whole(0),
    "min_keep": whole(0),
    "grammar": text,
}
"""Per request: name -> what its value is made to fit."""

METADATA: Mapping[str, Cast] = {
    "author": text,
    "tags": words,
    "capabilities": words,
    "size": whole(1, zero=False),
    "cover": text,
    "default_ctx_len": whole(1, zero=False),
    "default_max_tokens": whole(1, zero=False),
}

OLD_NAMES: Mapping[str, str] = {
    "visionModel": "vision_model",
    "textModel": "text_model",
    "token_limit": "max_tokens",
    "n_parallels": "n_parallel",
    "ctx_size": "ctx_len",
    "n_gpu_layers": "ngl",
    "mmproj_path": "mmproj",
}

PROGRAMS = frozenset({"runtime_path", "python"})
"""Settings that name what is run: they count in the user's own engine file, and nowhere else."""

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
    ask = {name: value for name, value in ask.items() if not _is_bound(name)}
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
    """The line that refuses settings which name what is run; empty if there is none of them."""
    found = ", ".join(sorted(PROGRAMS.intersection(settings)))
    if not found:
        return ""
    return f"{where} names a program to run ({found}): only your own engine.json may; take it out"


# What servers know -------------------------------------------------------------------------------

# OpenAI's chat completions, Anthropic's messages, llama.cpp's server, vLLM, TGI, Triton.
_OTHERS = """
n stop logprobs top_logprobs logit_bias user metadata store service_tier reasoning reasoning_effort
thinking thinking_budget verbosity modalities audio prediction response_format tool_choice
parallel_tool_calls stream_options max_completion_tokens web_search_options safety_identifier
prompt_cache_key prompt_cache_retention stop_sequences output_config container context_management
mcp_servers betas speed inference_geo
samplers xtc_probability xtc_threshold dry_multiplier dry_base dry_allowed_length
dry_penalty_last_n dry_sequence_breakers typical_p top_n_sigma adaptive_target adaptive_decay
cache_prompt id_slot n_keep n_predict n_discard n_indent n_cache_reuse t_max_predict_ms json_schema
grammar_lazy grammar_triggers preserved_tokens post_sampling_probs return_tokens return_progress
timings_per_token lora chat_template_kwargs reasoning_format reasoning_budget add_generation_prompt
continue_final_message parse_tool_calls chat_format
best_of beam_width use_beam_search length_penalty early_stopping min_tokens repetition_penalty
no_repeat_ngram_size stop_token_ids include_stop_str_in_output skip_special_tokens
spaces_between_special_tokens truncate_prompt_tokens allowed_token_ids bad_words prompt_logprobs
echo add_special_tokens documents chat_template mm_processor_kwargs guided_json guided_regex
guided_choice guided_grammar structured_outputs priority request_id cache_salt return_token_ids
do_sample best_of details decoder_input_details return_full_text truncate typical_p watermark
max_new_tokens adapter_id top_n_tokens end_id pad_id top_a models route provider plugins transforms
include_reasoning safe_prompt random_seed prompt_mode num_ctx num_predict keep_alive enable_thinking
"""
_KNOWN = frozenset([*PARAMETERS, *_OTHERS.split()])


def unknown(name: str) -> str:
    """A line on a name that no server is known to take; `""`: some do."""
    if name in _KNOWN:
        return ""
    near = difflib.get_close_matches(name, _KNOWN, 1, 0.8)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"{name} is no known parameter{hint}"
