"""What kernel and views say of a comparison; its other half is `protocol.ts` in
`labextension/src/compare/`.

There it says when which message is sent, and how one that was lost is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

COMPARISON = "application/vnd.jan.comparison+json"
"""The MIME type of a `Comparison`."""

Send = Callable[[Mapping[str, Any]], None]
"""Takes an event for a view; may be called from any thread, never waits."""

CallPlace = tuple[int, int, int]
"""Case, contestant, repeat."""


class Estimate(TypedDict):
    value: float
    low: float | None
    high: float | None
    n: int
    kind: str


class Said(TypedDict):
    role: str
    text: str
    images: int


class Case(TypedDict):
    name: str
    messages: list[Said]
    expected: str | None
    variables: dict[str, str]


class Contestant(TypedDict):
    name: str
    model: str
    engine: str
    own: list[str]


class Score(TypedDict):
    value: float | bool | None
    note: str


class Times(TypedDict):
    queue: float | None
    load: float | None
    first_token: float | None
    prompt: float | None
    decode: float | None
    total: float | None
    tokens_per_second: float | None
    prompt_tokens_per_second: float | None


class Row(TypedDict):
    call: CallPlace
    text: str | None
    reasoning: str
    error: str
    finish: str
    cold: bool
    reused: bool
    at: float
    cost: float | None
    prompt_tokens: int | None
    cached_tokens: int | None
    tokens: int | None
    times: Times
    notes: list[str]
    scores: dict[str, Score]


class Summary(TypedDict):
    answers: int
    errors: int
    missing: int
    scores: dict[str, Estimate]
    first_token: Estimate | None
    seconds: Estimate | None
    speed: Estimate | None
    loads: int
    loading: float | None
    cut: int
    tokens: int
    cost: float | None
    stable: int
    repeated: int


class Verdict(TypedDict):
    contestant: int
    baseline: int
    scorer: str
    word: str
    estimate: Estimate | None
    said: str


class Strength(TypedDict):
    contestant: int
    value: float
    low: float | None
    high: float | None
    word: str


class LiveId(TypedDict):
    id: str


class Figures(TypedDict):
    """What is computed of rows and votes, as the document and the event `figures` have it."""

    summaries: list[Summary]
    verdicts: list[Verdict]
    strengths: list[Strength]
    scorers: list[str]
    votes: int


class Comparison(Figures):
    format: Literal[1]
    name: str
    asked: str
    repeats: int
    cases: list[Case]
    contestants: list[Contestant]
    rows: list[Row]
    ended: str
    left_out: str
    live: LiveId | None


class State(TypedDict):
    state: str
    note: str
    progress: float | None
    done: int
    total: int


class Progress(TypedDict):
    done: int
    failed: int
    reused: int
    total: int
    left: float | None


class Writing(TypedDict):
    call: CallPlace
    text: str
    reasoning: str
    since: float
    tokens: int


Choice = Literal["left", "right", "tie", "both_bad"]


class Pair(TypedDict):
    pair: str
    messages: list[Said]
    answers: tuple[str, str]


class Voted(TypedDict):
    pair: str
    choice: Choice
    note: str
    names: tuple[str, str]
