"""Jan's prompt templates, and the Jinja chat template that does the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """What stands before each kind of turn.

    Without a `system_prefix` a system text goes before the next user text, with a newline between.
    """

    user_prefix: str
    assistant_prefix: str
    system_prefix: str | None = None

    @classmethod
    def parse(cls, template: str) -> PromptTemplate:
        """Split at `{system_message}` and `{prompt}`. Raises `ValueError` if it is unusable."""
        template = template.replace("{system_prompt}", "{system_message}")
        before, found, assistant = template.partition("{prompt}")
        if not found:
            raise ValueError("has no {prompt}")
        system, found, user = before.partition("{system_message}")
        if not found and "{system_message}" in assistant:
            raise ValueError("has {prompt} before {system_message}")
        return cls(user, assistant, system) if found else cls(before, assistant)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> PromptTemplate | None:
        """The template that a model's settings give; `None`: the model's file has its own."""
        if template := settings.get("prompt_template"):
            return cls.parse(template)
        system, user, assistant = (
            settings.get(name) for name in ("system_prompt", "user_prompt", "ai_prompt")
        )
        if user or assistant:
            return cls(user or "", assistant or "", system or "")
        return None

    def render(self, messages: Iterable[tuple[str, str]]) -> str:
        """The prompt for (role, text) turns; an answer at the end is one to be continued."""
        written, system, role = [], "", ""
        for role, text in messages:
            if role == "system" and self.system_prefix is None:
                system += f"{text}\n"
            elif role == "system":
                written.append(f"{self.system_prefix}{text}")
            elif role == "assistant":
                written.append(f"{self.assistant_prefix}{text}")
            else:
                written.append(f"{self.user_prefix}{system}{text}")
                system = ""
        if role != "assistant":
            written.append(self.assistant_prefix)
        return "".join(written)

    @property
    def jinja(self) -> str:
        """The same as a chat template in Jinja, as llama.cpp and transformers take it."""
        user, assistant = _literal(self.user_prefix), _literal(self.assistant_prefix)
        if self.system_prefix is None:
            system = "{%- set held.system = held.system + message.content + '\\n' -%}"
        else:
            system = f"{{{{- {_literal(self.system_prefix)} + message.content -}}}}"
        return (
            "{%- set held = namespace(system='') -%}"
            "{%- for message in messages -%}"
            "{%- if message.role == 'system' -%}"
            f"{system}"
            "{%- elif message.role == 'assistant' -%}"
            f"{{{{- {assistant} + message.content -}}}}"
            "{%- else -%}"
            f"{{{{- {user} + held.system + message.content -}}}}"
            "{%- set held.system = '' -%}"
            "{%- endif -%}"
            "{%- endfor -%}"
            f"{{%- if add_generation_prompt -%}}{{{{- {assistant} -}}}}{{%- endif -%}}"
        )


def _literal(value: str) -> str:
    """A text as a Jinja string."""
    for char, escape in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        value = value.replace(char, escape)
    return f"'{value}'"
