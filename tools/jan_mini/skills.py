"""What jan-mini learns to do: each skill is a function that makes one exchange.

Questions are worded in very many ways and answers in few, because a model this small can learn to
understand more wordings than it can write well. What no skill covers gets one honest answer.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import facts
import pools
import texts
import wordings
from grammar import disturb, expand, one
from tool import ASKED_FIRST, PLAIN, TOOL

Rng = random.Random


@dataclass(frozen=True)
class Turn:
    """One exchange. ``brief`` is the answer in a word, where there is one."""

    user: str
    answer: str
    skill: str
    brief: str | None = None


Skill = Callable[[Rng], Turn]

_QUESTION = re.compile(
    r"(what|how|who|which|where|when|why|is|are|do|does|can|should|am|will)\b", re.IGNORECASE
)


def ask(pattern: str, rng: Rng, /, **values: object) -> str:
    """A wording of ``pattern`` as a sentence, then as somebody would type it."""
    return typed(expand(pattern, rng, **values), rng)


def typed(text: str, rng: Rng, before: Sequence[str] = ()) -> str:
    """``text`` as a sentence, or after one of ``before``, as somebody types it."""
    if text[-1:].isalnum() and _QUESTION.match(text):
        text += "?"
    text = one(before, rng) + text if before else text[:1].upper() + text[1:]
    return disturb(text, rng)


def keep(pattern: str, rng: Rng, text: str) -> str:
    """A wording of ``pattern`` whose payload ``{x}`` stays exactly as it is."""
    pattern = expand(pattern, rng)
    if rng.random() < 0.5:
        pattern = pattern[:1].upper() + pattern[1:]
    if rng.random() < 0.12:
        polite = one(("please ", "Please ", "ok, ", "now "), rng)
        pattern = polite + pattern[:1].lower() + pattern[1:]
    return pattern.replace("{x}", text)


# --- the tool, small talk, terms ---

_TOOL_NAMES = [*TOOL, *ASKED_FIRST]


def tool(rng: Rng) -> Turn:
    """A question about jan_jupyter."""
    name = one(_TOOL_NAMES, rng)
    answer, patterns = TOOL[name]
    plain = rng.random() < 0.2 and name in PLAIN
    pattern = one(PLAIN[name] if plain else patterns, rng)
    if pattern.startswith("to "):
        wanted = expand(pattern[3:], rng)
        text = expand(one(wordings.DO_PLAIN if plain else wordings.DO, rng), rng, do=wanted)
    elif pattern.startswith("about "):
        wanted = expand(pattern[6:], rng)
        text = expand(one(wordings.ABOUT_TOOL, rng), rng, x=wanted)
    else:
        text = expand(pattern, rng)
    roll = rng.random()
    if roll < 0.12 and not text.endswith("?"):
        text += " " + expand(one(wordings.TOOL_TAIL, rng), rng)
    return Turn(typed(text, rng, wordings.TOOL_BEFORE if roll > 0.9 else ()), answer, "tool")


_SMALL_TALK_NAMES = [*texts.SMALL_TALK, *("greeting",) * 6, *("who", "can_do") * 3]
_SAID_IN_SENTENCES = ("who", "can_do", "size", "made", "feelings", "name_unknown", "date")


def small_talk(rng: Rng) -> Turn:
    """A greeting, thanks, a question about jan-mini itself."""
    name = one(_SMALL_TALK_NAMES, rng)
    answer, patterns = texts.SMALL_TALK[name]
    if name in _SAID_IN_SENTENCES:
        return Turn(ask(one(patterns, rng), rng), answer, "small talk")
    text = expand(one(patterns, rng), rng)
    forms = (text, text, text[:1].upper() + text[1:], text.lower(), text.upper())
    return Turn(one(forms, rng), answer, "small talk")


def term(rng: Rng) -> Turn:
    """A term to be explained in a sentence."""
    name = one(list(facts.TERMS), rng)
    spellings, answer = facts.TERMS[name]
    spelled = one((name, *spellings), rng)
    return Turn(ask(one(wordings.TERM, rng), rng, t=spelled), answer, "term")


def term_again(rng: Rng) -> Turn:
    """Only makes sense right after another term."""
    spellings, answer = facts.TERMS[one(list(facts.TERMS), rng)]
    return Turn(ask(wordings.TERM_AGAIN, rng, t=one(spellings, rng)), answer, "term")


def simple_fact(rng: Rng) -> Turn:
    """A fact from the short list."""
    answer = one(list(facts.SIMPLE_FACTS), rng)
    return Turn(ask(one(facts.SIMPLE_FACTS[answer], rng), rng), answer, "fact")


# --- capitals ---


def country(rng: Rng) -> tuple[str, str]:
    """A country's proper name, and the name by which it is asked for."""
    name = one(list(facts.CAPITALS), rng)
    return name, one((name, name, *facts.OTHER_NAMES.get(name, ())), rng)


def _capital(question: str, name: str) -> Turn:
    city = facts.CAPITALS[name]
    end = "" if city.endswith(".") else "."
    return Turn(question, f"The capital of {name} is **{city}**{end}", "capital", city)


def capital(rng: Rng) -> Turn:
    """The capital of a country, at times the country of a capital."""
    name, asked = country(rng)
    if rng.random() < 0.06:
        city = facts.CAPITALS[name]
        answer = f"{city} is the capital of **{name}**."
        return Turn(ask(wordings.CAPITAL_OF, rng, x=city), answer, "capital")
    return _capital(ask(one(wordings.CAPITAL, rng), rng, c=asked), name)


def capital_again(rng: Rng) -> Turn:
    """Only makes sense right after a question for a capital."""
    name, asked = country(rng)
    return _capital(ask(one(wordings.CAPITAL_AGAIN, rng) + "[?]", rng, c=asked), name)


# --- sums ---

_SHOWN = {"+": "+", "-": "-", "*": "×", "/": "/"}
_IN_WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


def _numbers(sign: str, rng: Rng) -> tuple[int, int, int]:
    """Two numbers and the result: what a school child does in the head."""
    top = one((10, 10, 20, 20, 50), rng) if sign == "+" else one((10, 20, 20), rng)
    if sign in "+-":
        a, b = rng.randint(0, top), rng.randint(0, top)
        if sign == "-" and a < b and rng.random() < 0.7:
            a, b = b, a
        return a, b, a + b if sign == "+" else a - b
    a, b = rng.randint(0, 12), rng.randint(1, 12)
    return (a, b, a * b) if sign == "*" else (a * b, b, a)


def _result(question: str, a: int, sign: str, b: int, result: int) -> Turn:
    return Turn(question, f"{a} {_SHOWN[sign]} {b} = **{result}**", "sum", str(result))


def _as_question(text: str, rng: Rng) -> str:
    if text.startswith(("what", "how ")) and rng.random() < 0.7:
        return one((text[:1].upper() + text[1:], text), rng) + "?"
    return text + "?" if rng.random() < 0.1 else text


def _sum_question(a: int, sign: str, b: int, rng: Rng) -> str:
    words = max(a, b) <= 12 and rng.random() < 0.12
    left, right = (facts.NUMBER_WORDS[n] if words else str(n) for n in (a, b))
    if rng.random() < 0.15:
        return ask(one(wordings.SPOKEN[sign], rng), rng, a=left, b=right)
    shown = one(wordings.SIGNS[sign], rng)
    if words and not shown[0].isalpha():
        shown = _IN_WORDS[sign]
    space = "" if len(shown) == 1 and shown != "x" and rng.random() < 0.35 else " "
    text = expand(one(wordings.SUM, rng), rng, e=f"{left}{space}{shown}{space}{right}")
    text = _as_question(text, rng)
    if rng.random() < 0.15:
        text = one(wordings.SUM_BEFORE, rng) + text[:1].lower() + text[1:]
    if rng.random() < 0.07:
        text = text.rstrip("?") + one((" please", ", please", " thanks"), rng)
    return text


def small_sum(rng: Rng) -> Turn:
    """Two small numbers."""
    sign = one("+++++---**/", rng)
    a, b, result = _numbers(sign, rng)
    return _result(_sum_question(a, sign, b, rng), a, sign, b, result)


def sum_again(rng: Rng, before: int) -> Turn:
    """Goes on with the result of the sum before, which is no larger than 50."""
    sign, b = one("++-*", rng), rng.randint(1, 12)
    if before < 0 or (sign == "*" and before > 12) or (sign == "-" and before > 20):
        sign = "+"
    result = {"+": before + b, "-": before - b, "*": before * b}[sign]
    shown = one(
        {"+": ("plus", "+", "add"), "-": ("minus", "-"), "*": ("times", "*", "×")}[sign], rng
    )
    text = ask("[and |now |then |and then |and now |ok, ]{s} {b}[?]", rng, s=shown, b=b)
    return _result(text, before, sign, b, result)


def _hard_expression(rng: Rng) -> str:
    kind, sign = rng.randrange(8), one("+-*/", rng)
    if kind == 0:
        terms = [str(rng.randint(0, 20)) for _ in range(rng.randint(3, 4))]
        return terms[0] + "".join(f" {one('+-*', rng)} {term}" for term in terms[1:])
    if kind == 1:
        a = f"{rng.randint(1, 99)}.{rng.randint(1, 99)}"
        return f"{a} {sign} {rng.randint(2, 99)}.{rng.randint(1, 9)}"
    if kind == 2:
        return f"{rng.randint(13, 999)} * {rng.randint(13, 999)}"
    if kind == 3:
        left, right = (rng.randint(100, 10 ** rng.randint(3, 6)) for _ in range(2))
        return f"{left} {sign} {right}"
    if kind == 4:
        return f"{rng.randint(60, 99)} + {rng.randint(11, 99)}"
    if kind > 5:
        larger = rng.randint(21, 99)
        return f"{larger} - {rng.randint(2, larger)}"
    return f"{rng.randint(1000, 9999)} {sign} {rng.randint(2, 99)}"


def hard_sum(rng: Rng) -> Turn:
    """Too much to do in the head: hand it to Python, which is right there."""
    expression = _hard_expression(rng)
    asked = expression.replace(" ", "") if rng.random() < 0.4 else expression
    if rng.random() < 0.2:
        spoken = {**_IN_WORDS, "*": one(("times", "x"), rng)}
        asked = "".join(f" {spoken[c]} " if c in spoken else c for c in asked.replace(" ", ""))
    question = _as_question(expand(one(wordings.SUM, rng), rng, e=asked), rng)
    return Turn(question, texts.HARD_SUM.format(expression=expression), "hard sum")


# --- counts and lists ---


def _number(n: int, rng: Rng) -> str:
    return facts.NUMBER_WORDS[n] if n <= 12 and rng.random() < 0.4 else str(n)


def count(rng: Rng) -> Turn:
    """Count up or down."""
    top = rng.randint(1, one((5, 10, 10, 12, 20, 20, 30), rng))
    if rng.random() < 0.06:
        top = rng.randint(30, 100)
    kind = rng.random()
    if kind < 0.6:
        first, last, pattern = 1, top, wordings.COUNT_TO
    elif kind < 0.8:
        first, pattern = rng.randint(0, 40), wordings.COUNT_FROM
        last = first + rng.randint(1, 15)
    else:
        first, last, pattern = min(top, 30), one((1, 1, 0), rng), wordings.COUNT_DOWN
        if last == 1 and rng.random() < 0.5:
            pattern = wordings.COUNT_DOWN_FROM
    step = 1 if last >= first else -1
    answer = ", ".join(str(n) for n in range(first, last + step, step))
    question = ask(pattern, rng, a=_number(first, rng), b=_number(last, rng))
    return Turn(question, answer, "count")


def _singular(plural: str) -> str:
    special = {"countries": "country", "cities": "city", "Python libraries": "Python library"}
    return special.get(plural, plural.removesuffix("s"))


def _some_items(rng: Rng) -> tuple[list[str], str, str]:
    """The first few of a list: items, and the number and the name they are asked for by."""
    name = one(list(facts.OPEN_LISTS), rng)
    asked = one(facts.LIST_NAMES.get(name, (name,)), rng)
    number = one((1, 2, 3, 3, 3, 4, 5, 5, 6, 7, 8, 9, 10), rng)
    words = _number(number, rng)
    if number == 1:
        asked = _singular(asked)
        words = one(("one", "1", "an" if asked[0] in "aeiou" else "a"), rng)
    elif number == 3 and rng.random() < 0.3:
        words = one(("some", "a few", "several"), rng)
    elif rng.random() < 0.1:
        words += one((" different", " nice", " common", " well-known"), rng)
    return list(facts.OPEN_LISTS[name])[:number], words, asked


def make_list(rng: Rng) -> Turn:
    """A numbered list, or JSON if asked."""
    if rng.random() < 0.3:
        name = one(list(facts.FIXED_LISTS), rng)
        items, number = list(facts.FIXED_LISTS[name]), ""
        asked = one(facts.LIST_NAMES.get(name, (name,)), rng)
        pattern = one(wordings.WHOLE_LIST, rng)
    else:
        items, number, asked = _some_items(rng)
        pattern = one(wordings.LIST, rng)
    if rng.random() < 0.12:
        question = ask(pattern + wordings.AS_JSON, rng, n=number, x=asked)
        return Turn(question, json.dumps(items, ensure_ascii=False), "list")
    answer = "\n".join(f"{i}. {item}" for i, item in enumerate(items, 1))
    return Turn(ask(pattern, rng, n=number, x=asked), answer, "list")


def json_object(rng: Rng) -> Turn:
    """A JSON object with the keys that are asked for."""
    keys = rng.sample(list(facts.JSON_VALUES), rng.randint(1, 4))
    if rng.random() < 0.3:
        keys = ["name", "age"]
    asked = [f"{'an' if key[0] in 'aeiou' else 'a'} {key}" for key in keys]
    if rng.random() < 0.3:
        asked = [one((key, f'"{key}"'), rng) for key in keys]
    listed = " and ".join((", ".join(asked[:-1]), asked[-1])) if len(asked) > 1 else asked[0]
    pattern = wordings.JSON_OBJECT
    if keys == ["name", "age"] and rng.random() < 0.6:
        pattern = wordings.NAME_AND_AGE
    answer = json.dumps({key: facts.JSON_VALUES[key] for key in keys})
    return Turn(ask(pattern, rng, k=listed), answer, "json")


# --- repeating, words ---


def made_up(rng: Rng) -> str:
    """A word that is in no dictionary."""
    starts = [
        "b",
        "c",
        "d",
        "f",
        "g",
        "h",
        "k",
        "l",
        "m",
        "n",
        "p",
        "r",
        "s",
        "t",
        "v",
        "w",
        "z",
        "bl",
        "br",
        "ch",
        "dr",
        "fl",
        "gr",
        "pl",
        "sh",
        "st",
        "tr",
        "th",
    ]
    middles = ["a", "e", "i", "o", "u", "ai", "ee", "oo", "ou"]
    word = "".join(one(starts, rng) + one(middles, rng) for _ in range(rng.randint(1, 3)))
    return word + one(("", "n", "r", "s", "t", "l", "x", "ck", "m"), rng)


def _plain(rng: Rng) -> str:
    return one(pools.PLAIN_WORDS, rng)


def _mixed(rng: Rng) -> str:
    return one((_plain(rng), made_up(rng), one(pools.NAMES, rng), str(rng.randint(0, 99))), rng)


def payload(rng: Rng) -> str:
    """Some short text that a user might want to see again."""
    kind = rng.random()
    if kind < 0.35:
        text = " ".join(_plain(rng) for _ in range(one((1, 1, 1, 2, 2, 3, 4), rng)))
    elif kind < 0.5:
        text = " ".join(made_up(rng) for _ in range(one((1, 1, 2, 3), rng)))
    elif kind < 0.58:
        text = f"{rng.randint(0, 10 ** rng.randint(1, 5))}"
    elif kind < 0.66:
        text = " ".join([one(pools.NAMES, rng), *(_plain(rng) for _ in range(rng.randint(0, 2)))])
    elif kind < 0.76:
        comma = "," if rng.random() < 0.3 else ""
        text = f"{one(wordings.GREETINGS, rng)}{comma} {one(wordings.GREETED, rng)}"
    elif kind < 0.88:
        text = one(wordings.REPEATED, rng)
    else:
        text = " ".join(_mixed(rng) for _ in range(rng.randint(2, 4)))
    style = rng.random()
    if style < 0.25:
        text = text[:1].upper() + text[1:]
    if rng.random() < 0.12:
        text += one(("!", ".", "!!", " :)", "?"), rng)
    return text


def say(rng: Rng) -> Turn:
    """Say something back as it is, or several times."""
    text = payload(rng)
    if rng.random() < 0.12 and len(text) < 15:
        times = rng.randint(2, 5)
        pattern = wordings.SAY_TIMES.replace("{n}", _number(times, rng))
        return Turn(keep(pattern, rng, text), " ".join([text] * times), "say")
    question = keep(one(wordings.SAY, rng), rng, text)
    if rng.random() < 0.06 and question[-1].isalnum():
        question += ", please"
    return Turn(question, text, "say")


def word_form(rng: Rng) -> Turn:
    """Opposites, plurals, past tenses and a few translations."""
    kind = rng.randrange(4)
    if kind == 3:
        language = one(list(facts.TRANSLATIONS), rng)
        a, b = one(list(facts.TRANSLATIONS[language].items()), rng)
        question = ask(wordings.TRANSLATE, rng, x=a, l=language)
        return Turn(question, f"*{a}* is **{b}** in {language}.", "word", b)
    table, pattern, what = (
        (facts.ANTONYMS, wordings.OPPOSITE, "opposite"),
        (facts.PLURALS, wordings.PLURAL, "plural"),
        (facts.PAST, wordings.PAST, "past tense"),
    )[kind]
    a, b = one(list(table.items()), rng)
    if table is facts.ANTONYMS and rng.random() < 0.5:
        a, b = b, a
    return Turn(ask(pattern, rng, x=a), f"The {what} of *{a}* is **{b}**.", "word", b)


# --- code and longer texts ---


_SNIPPET_NAMES = list(texts.SNIPPETS)


def code(rng: Rng) -> Turn:
    """A short piece of Python."""
    asked, snippet = texts.SNIPPETS[one(_SNIPPET_NAMES, rng)]
    question = _code_question(one(asked, rng), rng, function=snippet.startswith("def "))
    return Turn(question, f"```python\n{snippet}\n```", "code")


def _code_question(asked: str, rng: Rng, function: bool) -> str:
    """Ask for code; ``function`` says whether it may be asked for as a function."""
    if not asked.startswith("to "):
        return ask(one(wordings.CODE, rng), rng, x=asked)
    patterns = wordings.FUNCTION if function and rng.random() < 0.4 else wordings.CODE_TO
    return ask(one(patterns, rng), rng, do=asked.removeprefix("to "))


def _lines(verse: str) -> str:
    """Verse in Markdown: two spaces keep a line's end."""
    return verse.replace("\n", "  \n").replace("  \n  \n", "\n\n")


def verse(rng: Rng) -> Turn:
    """A joke, a haiku or the one poem it knows."""
    kind, short = rng.randrange(3), rng.random() < 0.25
    about = wordings.ABOUT if rng.random() < 0.5 else ""
    topic = one(pools.TOPICS, rng)
    if kind == 0:
        pattern = wordings.JOKE_SHORT if short else wordings.JOKE
        return Turn(ask(pattern, rng), one(texts.JOKES, rng), "verse")
    if kind == 1:
        pattern = wordings.HAIKU_SHORT if short else wordings.HAIKU + about
        answer = "Here is a haiku:\n\n" + _lines(one(texts.HAIKU, rng))
        return Turn(ask(pattern, rng, t=topic), answer, "verse")
    pattern = wordings.POEM_SHORT if short else wordings.POEM + about
    answer = "Here is the poem I know:\n\n" + _lines(texts.POEM)
    return Turn(ask(pattern, rng, t=topic), answer, "verse")


def _story(rng: Rng) -> Turn:
    hero = one(list(texts.STORIES), rng)
    story, kind = texts.STORIES[hero], hero.removeprefix("a ")
    roll = rng.random()
    if roll < 0.08:
        return Turn(ask(wordings.STORY_SHORT, rng), story, "long")
    if roll < 0.55:
        about = one(
            ("", "", f" about {hero}", f" about a brave {kind}", f" about a little {kind}"), rng
        )
        return Turn(ask(wordings.STORY + about, rng), story, "long")
    things = (pools.TOPICS, pools.PLAIN_WORDS, pools.NAMES, pools.THINGS)
    question = ask(wordings.STORY + " about {t}", rng, t=one(one(things, rng), rng))
    return Turn(question, f"Here is a story that I know.\n\n{story}", "long")


def long_text(rng: Rng) -> Turn:
    """A text long enough to be seen streaming."""
    if rng.random() < 0.5:
        return _story(rng)
    names, answer = texts.ESSAYS[one(list(texts.ESSAYS), rng)]
    pattern = wordings.WORKS if rng.random() < 0.15 else one(wordings.ESSAY, rng)
    return Turn(ask(pattern, rng, x=one(names, rng)), answer, "long")


# --- what jan-mini can't answer ---

# Words with which a question may still be one that it can answer, such as "what is a cell".
_KNOWN_WORDS = frozenset(
    [
        "cell",
        "model",
        "code",
        "data",
        "file",
        "test",
        "hello",
        "goodbye",
        "welcome",
        "yes",
        "no",
        "maybe",
        "thanks",
        "sorry",
        "okay",
        "magic",
        "dream",
        "love",
        "hope",
        "sing",
        "time",
        "today",
        "object",
        "number",
    ]
)
_OTHER_WORDS = [word for word in pools.PLAIN_WORDS if word not in _KNOWN_WORDS]
_POOLS = {
    "t": pools.TOPICS,
    "p": pools.PEOPLE,
    "v": pools.VERBS,
    "g": pools.THINGS,
    "a": pools.ADJECTIVES,
    "k": pools.KINDS,
    "l": pools.LANGUAGES,
    "c": pools.CODE_LANGUAGES,
    "w": _OTHER_WORDS,
    "name": pools.NAMES,
}


def _fills(rng: Rng) -> dict[str, object]:
    """A value for each place of a pattern; the second and later of a kind are numbered."""
    fills: dict[str, object] = {}
    for name, pool in _POOLS.items():
        fills |= {name + end: one(pool, rng) for end in ("", "2", "3", "4")}
    fills |= {"m": made_up(rng), "m2": made_up(rng), "country": country(rng)[1]}
    fills |= {"n": rng.randint(2, 30), "n2": rng.randint(10, 99), "n3": rng.randint(10, 9999)}
    return fills | {"year": rng.randint(1500, 2030)}


def _sentence(rng: Rng) -> str:
    text = expand(one(wordings.SENTENCES, rng), rng, **_fills(rng))
    return text[:1].upper() + text[1:] + one((".", ".", ".", "!", "?", ""), rng)


def _pasted_text(rng: Rng) -> str:
    text = " ".join(_sentence(rng) for _ in range(rng.randint(1, 7)))
    roll = rng.random()
    if roll < 0.5:
        return one(wordings.BEFORE_TEXT, rng) + text
    return text + one(wordings.AFTER_TEXT, rng) if roll < 0.65 else text


def _pasted_code(rng: Rng) -> str:
    error = rng.random() < 0.65
    text = one(pools.ERRORS if error else pools.CODE_PASTES, rng).format(
        w=one((made_up(rng), _plain(rng)), rng),
        v=one((made_up(rng), _plain(rng)), rng),
        n=rng.randint(0, 99),
        m=rng.randint(0, 99),
        t=one(pools.ERROR_TYPES, rng),
        a=one(pools.ERROR_FAULTS, rng),
    )
    if error and rng.random() < 0.25:
        text = (
            f'Traceback (most recent call last):\n  File "{made_up(rng)}.py", line '
            f"{rng.randint(1, 200)}, in <module>\n    {_plain(rng)}({made_up(rng)})\n{text}"
        )
    roll = rng.random()
    if roll < 0.5:
        return one(wordings.BEFORE_CODE, rng) + text
    return f"```\n{text}\n```" if roll < 0.6 else text


_LAND_ENDS = ("ia", "land", "stan", "ria", "nia", "burg", "vania", "ania", "onia", "esia", "istan")


def no_country(rng: Rng) -> str:
    """A place whose capital jan-mini does not know, or that does not exist."""
    if rng.random() < 0.55:
        return one(pools.NO_CAPITAL, rng)
    name = made_up(rng) + one(("", *_LAND_ENDS), rng)
    return name.title() if rng.random() < 0.9 else name


def no_capital_again(rng: Rng) -> Turn:
    """Only makes sense right after a question for a capital."""
    text = ask(one(wordings.CAPITAL_AGAIN, rng) + "[?]", rng, c=no_country(rng))
    return Turn(text, texts.FALLBACK, "unknown")


def _noise(rng: Rng) -> str:
    keys = "abcdefghijklmnopqrstuvwxyz" * 3 + " ;,./[]0123456789#'-=!?"
    text = "".join(one(keys, rng) for _ in range(rng.randint(3, 25))).strip()
    return text if sum(map(str.isalpha, text)) > 2 else "asdf"


def unknown(rng: Rng) -> Turn:
    """Anything else: unanswerable questions, pasted text and code, other languages, and noise."""
    roll = rng.random()
    if roll < 0.50:
        sentences = {"s": _sentence(rng), "s2": _sentence(rng)}
        text = ask(one(wordings.UNKNOWN, rng), rng, **_fills(rng), **sentences)
    elif roll < 0.62:
        text = ask(one(wordings.CAPITAL, rng), rng, c=no_country(rng))
    elif roll < 0.69:
        text = _code_question(one(pools.CODE_TASKS, rng), rng, function=True)
    elif roll < 0.75:
        text = _pasted_text(rng)
    elif roll < 0.86:
        text = _pasted_code(rng)
    elif roll < 0.90:
        text = one(pools.FOREIGN, rng)
    elif roll < 0.95:
        text = _noise(rng)
    elif roll < 0.97:
        text = one(wordings.SCRAPS, rng)
    else:
        text = " ".join(
            one((made_up(rng), one(_OTHER_WORDS, rng), one(pools.TOPICS, rng)), rng)
            for _ in range(rng.randint(2, 12))
        )
    return Turn(text, texts.FALLBACK, "unknown")
