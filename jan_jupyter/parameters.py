"""The parameters that servers are known to take, so that a slip in a name does not pass in silence.

A server that takes names which are not here gets them all the same: a note costs nothing.
"""

from __future__ import annotations

import difflib

from .models.schema import PARAMETERS

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
