"""Comparisons for tests of what shows them."""

from __future__ import annotations

from collections.abc import Sequence

from jan_jupyter.compare.values import Call, Case, Contestant, Grid, Result, Row, Score
from jan_jupyter.types import Message, Reply, Timings, Usage

ENDINGS = ["</script><script>window.pwned=1</script>", "<!--<script>", "]]>", "\u2028", "\x00"]
"""What might end the place that it is written into."""

HARM = """root => [...root.querySelectorAll('*')].flatMap(e => [
    ...(/^(script|img|iframe|object|embed|form|link)$/i.test(e.tagName) ? [e.tagName] : []),
    ...e.getAttributeNames().filter(n => n.startsWith('on')),
    ...(/^(javascript|data|vbscript):/i.test(e.getAttribute('href') || '') ? ['href'] : [])])"""
"""JavaScript: what stands in `root` and may not."""


def result(contestants: int) -> Result:
    """Answers that differ, a long one, and one that failed."""
    questions = ("How many moons has Mars?", "Why?", "Explain it at length.")
    cases = tuple(Case(text, ((Message("user", text),),)) for text in questions)
    names = tuple(Contestant(f"model-{n}-of-{contestants}", "m") for n in range(contestants))
    grid = Grid(cases, names)
    return Result(grid, [row(call) for call in grid.calls()], "moons")


def row(call: Call) -> Row:
    if (call.case, call.contestant) == (1, 1):
        return Row(call, "k", None, error="m (nitro): the worker ended (killed by signal 9).")
    number = "two" if not call.contestant else f"{call.contestant} or so"
    text = f"Mars has {number} moons, <b>Phobos</b> and Deimos. " * (80 if call.case == 2 else 1)
    timings = Timings(first_token=0.1, total=1.5, tokens_per_second=40.0 + 7 * call.contestant)
    reply = Reply(
        text, "m", "nitro", usage=Usage(9, 9), timings=timings, finish="stop", reasoning="Hm."
    )
    scores = {"exact": Score(call.contestant == 0), "like": Score(0.9 - 0.1 * call.contestant)}
    return Row(call, "k", reply, cold=not call.case, scores=scores)


def hostile(texts: Sequence[str], contestants: int = 2) -> Result:
    """Texts as answers, reasoning, prompts, names, notes, errors and whatever else is written."""
    cases = tuple(
        Case(text, ((Message("system", text), Message("user", text)),), text, {text: text})
        for text in texts
    )
    names = tuple(
        Contestant(f"{number} {texts[number]}", texts[number], {texts[number]: texts[number]})
        for number in range(contestants)
    )
    grid = Grid(cases, names)
    return Result(grid, [_hostile(call, texts) for call in grid.calls()], texts[0])


def _hostile(call: Call, texts: Sequence[str]) -> Row:
    text = texts[call.case]
    scores = {f"scorer {texts[-1]}": Score(call.case % 2 == 0, text)}
    if (call.case + call.contestant) % 7 == 3:
        return Row(call, "k", None, error=f"m (nitro): {text}", scores=scores)
    said = f"{text}\n\n{texts[call.case - 1]}" if call.contestant else text
    reply = Reply(said, text, text, finish="stop", reasoning=text, notes=(text,))
    return Row(call, "k", reply, scores=scores)
