"""The IPython extension: `%load_ext jan_jupyter` installs the magics, completion and `%config Jan`.

Loading prints nothing, opens nothing and imports no engine.
"""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from ..commands.screen import use
from ..settings import settings
from . import completion, ghost, stopping
from .core import JanMagics
from .screen import CellScreen
from .transform import Transformer

_loaded: dict[int, Transformer] = {}


def load(shell: InteractiveShell) -> None:
    """Install into a shell; doing it again changes nothing."""
    if id(shell) in _loaded:
        return
    use(CellScreen())
    magics = JanMagics(shell)
    shell.register_magics(magics)
    transformer = Transformer(shell, magics)
    transformer.install()
    completion.install(shell.Completer)
    stopping.install(shell)
    configurables: list[Any] = shell.configurables  # what `%config` offers
    if settings() not in configurables:
        configurables.append(settings())
    ghost.install(shell)
    _loaded[id(shell)] = transformer


def unload(shell: InteractiveShell) -> None:
    """Take everything out of a shell again."""
    transformer = _loaded.pop(id(shell), None)
    if transformer is None:
        return
    transformer.remove()
    completion.remove(shell.Completer)
    stopping.remove(shell)
    ghost.remove(shell)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("jan", None)
    shell.magics_manager.registry.pop("JanMagics", None)
    configurables: list[Any] = shell.configurables
    if settings() in configurables:
        configurables.remove(settings())
