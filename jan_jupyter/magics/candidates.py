"""What Tab offers that only a notebook has: the names in it."""

from __future__ import annotations

from IPython.core.getipython import get_ipython

from ..commands.candidates import Offer
from ..commands.candidates import scorers as named


def scorers(current: str) -> Offer:
    """What scores answers by its name, then what the user has made."""
    return [*named(current), *names(current)]


def names(current: str) -> Offer:
    """What the user has made in the notebook."""
    shell = get_ipython()
    hidden = shell.user_ns_hidden if shell else {}
    made = shell.user_ns if shell else {}
    return [(name, "instance") for name in made if name[:1] != "_" and name not in hidden]
