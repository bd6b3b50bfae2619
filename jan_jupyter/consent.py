"""Asking the user at the keyboard before something that is theirs to allow."""

from __future__ import annotations


def agreed(question: str) -> bool | None:
    """Whether the user says yes; `None` where nobody can be asked."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    # No keyboard: a closed one, a page without a reader, and what kernels raise who have no front
    # end that answers (ipykernel: StdinNotImplementedError, which is a NotImplementedError).
    except (EOFError, OSError, RuntimeError, NotImplementedError):
        return None
