"""A ladder: the quantisations and settings of one model, compared on the same prompts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from time import localtime, strftime
from typing import Any

from ..errors import JanError, UsageError
from ..models.disk import told, write_text
from ..models.hub.others import others
from ..models.machine import probe
from ..models.model import Model
from ..workspace import Workspace, shared
from .comparison import Comparison, session
from .grids.rungs import Rung, rungs
from .running.compose import Composer
from .running.flips import Flips, flips
from .session import Session
from .steps import Steps, Tally
from .views import ladder as views
from .views.report import page
from .views.rung_figures import LadderBoard, ladder_board

TOKENS = 64
"""So many tokens of each answer of the largest are gone along."""
NOTE = "flips "
"""What the name of each note begins with that keeps what came of one prompt."""
PROMPTS = (
    "Explain in three sentences why the sky is blue.",
    "Write a Python function that returns the n-th Fibonacci number.",
    "Translate into French: The train leaves at half past eight, and I am late.",
    "A shop sells pens at 3 for 2 euros. What do 12 pens cost? Think step by step.",
    "List five facts about the planet Mars.",
    "Write a polite e-mail that declines an invitation to a conference.",
    "Summarise in one sentence: Bees fly from flower to flower for nectar, and carry pollen along.",
    "What is the difference between a list and a tuple in Python?",
)
"""Asked where nobody gives prompts: speed and flips without any work."""


class Ladder:
    """What became of each rung; the largest file is the first, and the baseline.

    `comparison` has all answers and what can be done with them; `board` the figures of each rung,
    `flips` those of each rung and prompt.
    """

    def __init__(self, climb: Climb) -> None:
        self.comparison = Comparison(climb.session)
        self.flips: Sequence[Flips] = tuple(climb.flips)
        self.pull = climb.pull
        """What else could be pulled, in a line; empty where nobody knows."""
        self._climb = climb

    @property
    def name(self) -> str:
        """That of its run."""
        return self.comparison.name

    @property
    def board(self) -> LadderBoard:
        """The figures as they are now, also after more scores."""
        climb = self._climb
        return ladder_board(
            self.comparison.summary().board,
            climb.rungs,
            climb.memory,
            self.flips,
            pull=self.pull,
            ours=climb.ours,
        )

    def score(self, *scorers: Any) -> Ladder:
        """Score its answers, as `Comparison.score` does."""
        self.comparison.score(*scorers)
        return self

    def table(self) -> list[dict[str, Any]]:
        """A plain mapping for each rung."""
        return views.records(self.board)

    def save(self, path: str | Path) -> Path:
        """Write it as .html, which opens anywhere, or .md. Raises `CannotWrite`.

        `comparison.save` writes the answers.
        """
        path = Path(path).expanduser()
        made = f"Made by jan_jupyter, {strftime('%Y-%m-%d', localtime())}."
        match path.suffix.lower():
            case ".html":
                found = self.board
                text = page(found.title, found.asked, views.body(found, found.asked), made)
            case ".md":
                text = self._repr_markdown_() + "\n"
            case ending:
                raise UsageError(f"A ladder is saved as .html or .md, not as {ending!r}.")
        with told(path):
            write_text(path, text)
        return path

    def bundle(self) -> dict[str, Any]:
        """All forms, as one output has them."""
        found = self.board
        return {
            "text/html": views.html(found),
            "text/markdown": views.markdown(found),
            "text/plain": views.text(found),
        }

    def __repr__(self) -> str:
        return views.text(self.board)

    def _repr_html_(self) -> str:
        return views.html(self.board)

    def _repr_markdown_(self) -> str:
        return views.markdown(self.board)


class Climb:
    """A ladder under way. Only `steps` is for the background loop."""

    def __init__(
        self, session: Session, found: Sequence[Rung], *, tokens: int, ours: bool = False
    ) -> None:
        self.session = session
        self.rungs = tuple(found)
        self.ours = ours
        """Whether the prompts are those that come with us."""
        self.memory: list[int | None] = [None] * len(found)
        """Bytes that each rung needs, as they are planned with."""
        self.flips: list[Flips] = []
        self.pull = ""
        self._tokens = tokens
        self._fresh = session.fresh  # which is over when all is asked

    async def steps(self) -> Steps:
        """Ask all, then go along the largest's answers; what they yield tells how far it is."""
        async with aclosing(self.session.steps()) as asking:
            async for counted in asking:
                yield counted
        self.memory = await asyncio.to_thread(self._needed)
        if self._tokens:
            async with aclosing(self._measured()) as measuring:
                async for step in measuring:
                    yield step
        self.pull = await others(
            [rung.model for rung in self.rungs], [rung.quantisation for rung in self.rungs]
        )

    async def _measured(self) -> AsyncGenerator[Tally, None]:
        asked, grid = self.session, self.session.grid
        total = (len(grid.contestants) - 1) * len(grid.cases)
        run = asked.run
        known: dict[str, Any] = {}
        if run is not None and not self._fresh:
            notes = await asyncio.to_thread(asked.store.notes, run)
            known = {
                name.removeprefix(NOTE): value
                for name, value in notes.items()
                if name.startswith(NOTE)
            }
        self.flips = []
        router = asked.workspace.router
        async with aclosing(flips(grid, router, self._tokens, known)) as measuring:
            async for one in measuring:
                self.flips.append(one)
                if run is not None and one.key and not one.why and one.key not in known:
                    kept = [one.positions, one.flipped]
                    await asked.store.note(run, NOTE + one.key, kept)
                yield Tally("Top tokens of {} answers compared", len(self.flips), total)

    def _needed(self) -> list[int | None]:
        router, machine = self.session.workspace.router, probe()
        composer = Composer(self.session.grid, router)
        found: list[int | None] = []
        for place in range(len(self.rungs)):
            try:
                fit = router.store.fit(composer.target(place).model, machine)
            except JanError:
                fit = None
            found.append(fit.needed if fit else None)
        return found


def climb(
    model: str | Model | Sequence[str | Model],
    prompts: Any = None,
    *,
    settings: Any = (),
    tokens: int = TOKENS,
    workspace: Workspace | None = None,
    **asked: Any,
) -> Climb:
    """What `ladder` asks, before it does. Raises `UsageError`."""
    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 0:
        raise UsageError(f"`tokens` is a whole number, 0 for no flips, not {tokens!r:.80}.")
    workspace = workspace or shared()
    given = [model] if isinstance(model, str | Model) else [*model]
    if not given:
        raise UsageError("A ladder takes a model, or several files of one.")
    meant, *more = (workspace.router.model(one)[0] for one in given)
    found = rungs(meant, workspace.models, settings, more)
    if len(found) < 2:
        raise UsageError(
            f"{meant.reference} is here in one quantisation only: pull another one (`%jan search`),"
            ' or give settings to compare, settings=[{"cache_type_k": "q8_0"}].'
        )
    who = [rung.contestant for rung in found]
    ours = prompts is None
    made = session(PROMPTS if ours else prompts, who, workspace=workspace, **asked)
    return Climb(made, found, tokens=tokens, ours=ours)


def ladder(
    model: str | Model | Sequence[str | Model],
    prompts: Any = None,
    *,
    settings: Any = (),
    parameters: Mapping[str, Any] | None = None,
    repeats: int = 1,
    variables: Any = None,
    system: str | None = None,
    scorers: Any = (),
    expected: Any = None,
    tokens: int = TOKENS,
    name: str | None = None,
    fresh: bool = False,
) -> Ladder:
    """Compare the quantisations of a model that are on this machine, the largest first.

    They are told by their headers; where those differ in the model's name, give several models.
    Each is asked the `prompts` (as `compare` takes them; without any, a few that come with us):
    quality by `scorers`, speed, memory, and top-token flips: how often it would have gone on with
    another token than the largest, along the largest's greedy answer (its first `tokens`; 0: not).
    `settings` are mappings (cache_type_k, ctx_len …), each of which the model itself is also loaded
    with. Raises `JanError` for what cannot be asked at all; what fails on the way is a row.
    """
    asked = climb(**locals())  # nothing else has a name yet
    asked.session.wait(asked.steps())
    return Ladder(asked)
