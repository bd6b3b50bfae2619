"""A comparison as a value: what was asked of whom, what came, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from ..errors import UsageError
from ..settings import settings
from ..workspace import Workspace, shared
from . import keystrokes, records
from .continuing import chat, profile
from .determinism import TIMES, Certificate, prove
from .grids import source
from .keeping.runs import Runs
from .keeping.store import Store
from .keeping.stored_runs import Run
from .live import protocol
from .live.document import document
from .lookup import Lookup
from .running.prices import table
from .saving import save
from .scoring.votes import Judged
from .session import Session
from .shown import Shown, narrowed
from .stats.repeated import Repeats
from .stats.verdicts import Standing, Verdict, by_scorers, standings, verdicts
from .values import Contestant, Grid, Result, Row
from .views.board import Against, board
from .views.figures import WHATS
from .voting import Votes, ballots
from .widening import budget_of, extended, gridded

if TYPE_CHECKING:
    from ..chat import Chat
    from ..threads.thread import Thread


class Comparison:
    """Rows of answers, one for each call that has ended: `len`, iteration, and by names.

    `comparison["A"]` are the rows of a contestant; `comparison["first", "A"]` is the row of one
    prompt, by its name or its place, `comparison["first", "A", 2]` a later repeat of it. Scores,
    votes, and calls that are asked again, are added to it and to the run that keeps it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: tuple[int, Shown] | None = None
        """What was shown last, and after which change: a notebook asks for every form of it."""

    # As a value -----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """That of its run: `jan.runs[name]` gives it again."""
        return self._session.name

    @property
    def grid(self) -> Grid:
        """What is asked of whom."""
        return self._session.grid

    @property
    def result(self) -> Result:
        """Its grid and its rows, as a plain value."""
        return self._session.result

    def __len__(self) -> int:
        return len(self._session.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.result.rows)

    def __getitem__(self, key: Any) -> Any:
        find = Lookup(self.result)
        if not isinstance(key, tuple):
            who = find.contestant(key)
            return [row for row in self if row.call.contestant == who]
        if not 2 <= len(key) <= 3:
            raise UsageError("One looks up [contestant], [prompt, contestant], or a repeat of it.")
        return find.row(*key)

    # Seeing ---------------------------------------------------------------------------------------

    def show(
        self,
        *,
        baseline: str | int = 0,
        scorer: str = "",
        against: Against | None = None,
        every: bool = False,
        limit: int | None = 20,
    ) -> Shown:
        """As a notebook shows it: a summary, then the prompts that differ, the worst first.

        `baseline`: whom all are compared with; `scorer`: whose scores order the prompts; `against`:
        what answers are marked against ("baseline", "expected", "nothing"); `every`: also prompts
        on which all agree; `limit`: of how many prompts at most, `None` for all.
        """
        return self._shown(
            self.result, baseline, scorer=scorer, against=against, every=every, limit=limit
        )

    def summary(self, baseline: str | int = 0) -> Shown:
        """Its numbers for each contestant; `.board.summaries` has them as values."""
        return self._shown(self.result, baseline, limit=0)

    def diff(self, a: str | int, b: str | int, prompt: str | int | None = None) -> Shown:
        """Word by word how the answers of `b` differ from those of `a`, where they do."""
        find = Lookup(self.result)
        lines = range(len(self.grid.cases)) if prompt is None else [find.case(prompt)]
        only = narrowed(self.result, [find.contestant(a), find.contestant(b)], lines)
        return self._shown(only, 0, against="baseline", every=prompt is not None)

    def _shown(self, result: Result, baseline: str | int, **options: Any) -> Shown:
        told = _standings(result)
        judged = by_scorers(result, baseline)
        return Shown(board(result, judged, baseline=baseline, standings=told, **options))

    def __repr__(self) -> str:
        return repr(self._now())

    def _repr_html_(self) -> str:
        return self._now()._repr_html_()

    def _repr_markdown_(self) -> str:
        return self._now()._repr_markdown_()

    @property
    def _ipython_display_(self) -> Callable[[], None] | None:
        """Shows nothing where it stands on the screen already; else it is shown as any value."""
        face = self._session.face
        return _nothing if face is not None and face.is_here else None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """All forms, and in a notebook the document that a renderer of ours draws from."""
        if Session.displays is None:
            return {}
        return {protocol.COMPARISON: self._document(), **self._now().bundle()}

    def _document(self) -> protocol.Comparison:
        session = self._session
        live = str(getattr(session.watcher, "id", ""))
        return document(session.result, votes=self.votes, ended=session.ended, live=live)

    def _now(self) -> Shown:
        if self._seen is None or self._seen[0] != self._session.changes:
            self._seen = self._session.changes, self.show()
        return self._seen[1]

    def plot(self, y: str = "tokens_per_second", x: str | None = None) -> Any:
        """An Altair chart of numbers of `.table()`, such as a score. Raises `UsageError` without
        Altair."""
        return records.chart(self.result, y, x)

    # Taking along ---------------------------------------------------------------------------------

    def table(self) -> list[dict[str, Any]]:
        """A plain mapping for each row: `jan_jupyter.compare.records.FIELDS`, variables, scores."""
        return records.records(self.result)

    def to_pandas(self) -> Any:
        """`.table()` as a data frame, with the index of the frame that the prompts came from."""
        return records.pandas(self.result)

    def to_polars(self) -> Any:
        """`.table()` as a data frame; the index of the prompts is a column."""
        return records.polars(self.result)

    def to_arrow(self) -> Any:
        """`.table()` as an Arrow table; the index of the prompts is a column."""
        return records.arrow(self.result)

    def save(self, path: str | Path) -> Path:
        """Write it as .csv, .json, .jsonl, .md or .html, as its name ends. Raises `CannotWrite`."""
        shown = self.show(limit=None, every=True)
        return save(self.result, shown, path, self.votes, self._session.ended)

    def code(self, *, cell: bool = False) -> str:
        """The Python that asks for the same again; or the cell, where one can say it all."""
        if cell:
            return source.cell(self.grid, self.name)
        session = self._session
        return source.python(self.grid, self.name, session.as_given(), session.decide)

    # Judging --------------------------------------------------------------------------------------

    def verdicts(
        self, what: str | None = None, *, baseline: str | int = 0, margin: float = 0.0
    ) -> tuple[Verdict, ...]:
        """Each other contestant against the baseline: better, worse, or can't tell.

        `what` is a scorer (else the first), or a measure: "seconds", "first token", "tokens/s" ….
        A difference up to `margin` is practically none.
        """
        return verdicts(self.result, what or self._first_scorer(), baseline, margin=margin)

    def assert_not_worse(
        self, baseline: str | int, candidate: str | int, *, margin: float, what: str | None = None
    ) -> None:
        """For tests: raise `AssertionError` unless it is shown that the candidate is not worse than
        the baseline by more than `margin`. What cannot be told is not shown.
        """
        find = Lookup(self.result)
        who = [find.contestant(baseline), find.contestant(candidate)]
        if who[0] == who[1]:
            raise UsageError("A model is compared with another one, not with itself.")
        only = narrowed(self.result, who, range(len(self.grid.cases)))
        what = what or self._first_scorer()
        failed = sum(row.failed for row in only.rows if row.call.contestant == 1)
        (verdict,) = verdicts(only, what, 0, margin=margin)
        missing = len(only.grid) - sum(not row.stopped for row in only.rows)
        if failed or missing:
            raise AssertionError(
                f"{failed} calls of {verdict.contestant} failed, {missing} are missing: `.retry()`"
                " asks them again."
            )
        if not verdict.not_worse_by(margin):
            raise AssertionError(f"Not shown to be worse by {margin:g} at most: {verdict}")

    def score(self, *scorers: Any, yes: bool = False) -> Comparison:
        """Score the answers, also by what has been added since: names ("exact", "contains:x",
        "judge:MODEL" …), patterns, schemas, functions. Scores that are there stay, but those of a
        function that was rewritten. More than 100 calls that cost money want a `yes`.
        """
        self._session.wait(self._session.scoring(scorers, yes=yes))
        return self

    def vote(
        self,
        prompt: str | int | Row | None = None,
        winner: str | int = "",
        *over: str | int,
        by: str = "you",
        repeat: int = 0,
        note: str = "",
        seed: int = 0,
    ) -> None:
        """Say whose answer to a prompt is best: a contestant's name, "tie", or "both_bad".

        `over` are those that were seen beside it: all others, if none is named. `.votes` has all.
        Without a prompt, in a notebook: a blind vote on pairs of answers, in an order that `seed`
        and `by` tell.
        """
        if prompt is None:
            if Session.polls is None:
                raise UsageError("A blind vote takes a notebook; elsewhere: .vote(prompt, winner).")
            Session.polls(self._session, by, seed)
            return
        find = Lookup(self.result)
        if isinstance(prompt, Row):
            case, repeat = prompt.call.case, prompt.call.repeat
        else:
            case = find.case(prompt)
        answered = [
            row.call.contestant
            for row in self.result.rows
            if (row.call.case, row.call.repeat) == (case, repeat) and row.ok
        ]
        said = ballots(case, repeat, winner, over, answered, find, by)
        self._session.vote([replace(vote, note=note) for vote in said])

    @property
    def votes(self) -> Votes:
        """Every vote on two answers, of people and of judges: `.votes.ranking()`,
        `.votes.agreement()`, `.votes.judges`.
        """
        return Votes(self.grid, self._session.heard.votes, self._session.heard.judgements)

    def judge(self, judge: Any = None, *, yes: bool = False) -> Judged:
        """Have a model (or a `Judge`) vote on all pairs of answers, each pair in both orders.

        Gives its verdicts and how far it can be trusted; they are kept with its reasons, added to
        `.votes`, and not asked for again. More than 100 calls that cost money want a `yes`.
        """
        return self._session.judge(judge, yes=yes)

    @property
    def repeats(self) -> Repeats:
        """How stable the answers are, and pass@k: `.repeats.stability()`, `.repeats.passes(…)`."""
        return Repeats(self.result)

    def deterministic(self, times: int = TIMES) -> list[Certificate]:
        """Whether each contestant answers alike every time, to the byte, or why not.

        All prompts are asked anew, in a run of its own, with a seed; where models are loaded here,
        by one slot and without the cache of prompts.
        """
        return prove(self._session, times)

    def _first_scorer(self) -> str:
        found = next((name for row in self.result.rows for name in row.scores), None)
        if found is None:
            raise UsageError(
                'Nothing is scored yet: `.score("exact")`, or a measure such as what="seconds".'
            )
        return found

    # Going on -------------------------------------------------------------------------------------

    def retry(self) -> Comparison:
        """Ask again what failed, and what has not been asked yet."""
        self._session.wait(self._session.again())
        return self

    def more(self, prompts: Any = (), models: Any = (), *, repeats: int = 0) -> Comparison:
        """A comparison with more prompts, models or repeats; only what is new is asked."""
        session = self._session.extended(extended(self.grid, prompts, models, repeats))
        session.wait(session.steps(), asks=True)
        return Comparison(session)

    def use(self, winner: str | int) -> Contestant:
        """Make a contestant the default of this session, as `%jan use` does of a model: whoever
        names nobody asks it with its instructions, parameters and settings. Threads, and the panel,
        have those of their own.
        """
        one = self.grid.contestants[Lookup(self.result).contestant(winner)]
        self._session.workspace.chosen = profile(self.grid, one)
        settings().model = one.model
        return one

    def thread(
        self, prompt: str | int, contestant: str | int, name: str | None = None, *, repeat: int = 0
    ) -> Chat:
        """Go on from an answer as a conversation; with a name it is kept as a new thread."""
        row = Lookup(self.result).row(prompt, contestant, repeat)
        return chat(self.grid, row, self._session.workspace, name)

    def columns(self, prompt: str | int = 0, name: str = "", *, repeat: int = 0) -> Thread:
        """All answers to a prompt as columns of a new thread, which go on side by side: show it
        with `jan.ChatPanel(thread=…)`.
        """
        from .continuing import columns

        case = Lookup(self.result).case(prompt)
        rows = [row for row in self if (row.call.case, row.call.repeat) == (case, repeat)]
        return columns(self.grid, rows, self._session.workspace, name)


def _nothing() -> None:
    """It is shown already."""


def _standings(result: Result) -> list[Standing]:
    """Everybody by itself, by every scorer and by what else the summary tells."""
    names = dict.fromkeys(name for row in result.rows for name in row.scores)
    found = [one for name in (*names, *WHATS) for one in standings(result, name)]
    return [one for one in found if one.estimate.n]


def runs(workspace: Workspace | None = None) -> Runs:
    """The runs that are kept of a workspace (default: the shared one), each as a `Comparison`; that
    which counts what was taken at the cursor is `Completions`."""
    workspace = workspace or shared()
    if workspace not in _runs:  # one for each: so there is one thread that writes
        place = ref(workspace)

        def opened(store: Store, run: Run) -> Comparison | keystrokes.Completions:
            if (counted := keystrokes.of(run.name, store.notes(run))) is not None:
                return counted
            return Comparison(Session.of(run, place() or shared(), store))

        _runs[workspace] = Runs(workspace, opened)
    return _runs[workspace]


_runs: WeakKeyDictionary[Workspace, Runs] = WeakKeyDictionary()


def session(
    prompts: Any,
    models: Any,
    *,
    scorers: Any = (),
    name: str | None = None,
    fresh: bool = False,
    budget: Any = None,
    client: Any = None,
    decide: str | None = None,
    yes: bool = False,
    prices: Any = None,
    workspace: Workspace | None = None,
    **asked: Any,
) -> Session:
    """What `compare` asks, before it does. Raises `UsageError`."""
    workspace = workspace or shared()
    return Session(
        gridded(prompts, models, **asked),
        workspace,
        runs(workspace).store,
        name=name or "",
        scorers=scorers,
        fresh=fresh,
        budget=budget_of(budget),
        client=client,
        decide=decide,
        yes=yes,
        prices=table(prices),
    )


def compare(
    prompts: Any,
    models: Any,
    *,
    parameters: Mapping[str, Any] | None = None,
    repeats: int = 1,
    variables: Any = None,
    system: str | None = None,
    seed: int | None = None,
    scorers: Any = (),
    expected: Any = None,
    client: Any = None,
    name: str | None = None,
    fresh: bool = False,
    budget: Any = None,
    decide: str | None = None,
    prices: Any = None,
) -> Comparison:
    """Ask every model every prompt, and give a `Comparison`; stopped, it holds what has come.

    What has been asked in the same way before, in another kernel too, is not asked again, unless
    `fresh`. `prompts`, `models`, `parameters`, `variables`, `expected`: see `grid`; `scorers`:
    names, patterns, schemas, functions; `name`: that of the run (`jan.runs[name]`); `budget`: the
    most calls, or a mapping with `calls` and `money`; `client`: a `dask.distributed.Client`, whose
    workers ask; `decide`: a scorer by whose word it ends as soon as all are clearly better or worse
    than the first; `prices`: money for a million tokens, by model, `{"A": (2.5, 10)}`.
    More than 100 calls that cost money are asked for only if you say yes, or give a budget.
    Raises `JanError` for what cannot be asked at all; what fails on the way is a row.
    """
    asked = session(**locals())  # nothing else has a name yet
    asked.wait(asked.steps(), asks=True)
    return Comparison(asked)


async def acompare(prompts: Any, models: Any, **options: Any) -> Comparison:
    """`compare`, awaited. Arguments as there; what has come when it is cancelled is kept."""
    asked = session(prompts, models, **options)
    await asked.await_(asked.steps(), asks=True)
    return Comparison(asked)
