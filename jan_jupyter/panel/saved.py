"""The conversation as a saved notebook shows it, without a kernel."""

from __future__ import annotations

from collections.abc import Sequence

from .. import markdown
from ..conversation import turns
from ..threads import ThreadMessage

HINT = "A saved conversation: run the cell to go on with it."
"""JupyterLab writes above it that a widget's model was not found; this says what to do."""


def bundle(panel: str, title: str, messages: Sequence[ThreadMessage]) -> dict[str, str]:
    """Markdown and plain text. While the panel `panel` is alive in the page, it hides them."""
    shown = [_shown(message) for message in messages if message.role in ("user", "assistant")]
    shown = [markdown.with_footer("", HINT) + "\n", *shown] if shown else []
    plain = [f"{_who(m)}: {turns.split_context(m.text)[0]}" for m in messages if m.text]
    # Two tags of ours, which the front end knows; all that a model said stands between them.
    text = f'<div class="jan-saved jan-saved-{panel}">\n\n{chr(10).join(shown)}\n\n</div>'
    return {
        "text/markdown": text if shown else "",
        "text/plain": "\n\n".join([title, *plain]) if plain else "",
    }


def _shown(message: ThreadMessage) -> str:
    if message.role == "user":
        text, context = turns.split_context(message.text)
        labels = "".join(f" · {one['label']}" for one in context)
        return "\n".join(f"> {line}" for line in markdown.safe(text + labels).splitlines()) + "\n"
    note = " · ".join(part for part in (message.model, *turns.footer(message)) if part)
    text = markdown.safe(message.text) if message.text else ""
    if message.error:
        text += f"\n\n*{markdown.safe(message.error).strip()}*"
    return markdown.with_footer(text, note) + "\n"


def _who(message: ThreadMessage) -> str:
    return "You" if message.role == "user" else message.model or "Answer"
