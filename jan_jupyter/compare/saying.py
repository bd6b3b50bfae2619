"""What people and judges say of the answers of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .judging import judging
from .keeping.store import Store
from .keeping.stored_runs import Run
from .keeping.stored_votes import Heard, noted
from .scoring.judge import Judge
from .scoring.votes import Judged, Judgement, Vote
from .steps import Steps
from .values import Result
from .watching import Watcher

if TYPE_CHECKING:
    from typing import Any

    from ..workspace import Workspace


class Said:
    """Part of a session."""

    heard: Heard
    run: Run | None
    store: Store
    watcher: Watcher
    workspace: Workspace

    @property
    def result(self) -> Result:
        raise NotImplementedError

    def wait(self, steps: Steps, *, asks: bool = False) -> bool:
        raise NotImplementedError

    def vote(self, votes: Sequence[Vote]) -> None:
        """Keep votes; who votes again on the same answers counts with the later word."""
        self.heard.add(votes)
        self.watcher.voted()
        if self.run is not None:
            self.store.note_all(self.run, dict(map(noted, votes)))

    def unvote(self, vote: Vote) -> None:
        """Take a vote back."""
        self.heard.drop(vote)
        self.watcher.voted()
        if self.run is not None:
            self.store.note_all(self.run, {noted(vote)[0]: None})

    def judged(self, judge: Any, *, yes: bool = False) -> Judged:
        """What a judge says of all pairs of answers; each word is kept when it comes. Many calls
        that cost money want a `yes`. Raises `UsageError`."""
        if judge is None:  # by its name, as another may be the default tomorrow
            judge = self.workspace.router.model(None)[0].reference
        asked = judge if isinstance(judge, Judge) else Judge(judge, workspace=self.workspace)
        made: list[Judged] = []
        steps = judging(
            self.result, asked, self.heard, self._judged, made, place=self.workspace, yes=yes
        )
        self.wait(steps)
        own = tuple(one for one in self.heard.judgements if one.by == asked.name)
        return made[0] if made else Judged(own)  # stopped: what it has said so far

    async def _judged(self, one: Judgement) -> None:
        if one.verdict is not None:
            self.heard.add([one])
            self.watcher.voted()
            if self.run is not None:
                await self.store.note(self.run, *noted(one))
