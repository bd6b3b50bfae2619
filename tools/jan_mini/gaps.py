"""Python with gaps, for what jan-mini learns beside its answers: to write between two texts.

A piece of code is a few of the patterns below with names that fit, and a gap in it is what somebody
has not typed yet: the rest of a line, or a few lines. Nothing of it was taken from elsewhere.
"""

# The patterns stay as they are written, since wrapped lines would only hide them.
# ruff: noqa: E501

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grammar import one
from texts import SNIPPETS

Rng = random.Random

WORDS: dict[str, str] = {
    # Of `many` also the name of one.
    "many": "items:item numbers:number names:name words:word lines:line values:value files:file"
    " rows:row cities:city users:user prices:price points:point letters:letter pages:page"
    " scores:score results:result books:book keys:key texts:text colors:color tasks:task"
    " people:person animals:animal orders:order images:image models:model students:student",
    "arg": "x y n a b value number text name data count size width height price age word",
    "function": "compute load save check find make show update convert clean parse build run test"
    " split merge filter_values get_name add_one read_data write_data is_valid process",
    "attribute": "name age size title color price count value owner city",
    "class": "Person Point Book Car Dog Account Item Shape User Counter Circle Student Order",
    "text": "hello world data name value result done start end total error yes no red blue one",
    "file": "data notes input output results report scores words",
    "column": "name age price city score year value date count team",
}
_LISTS = {kind: written.split() for kind, written in WORDS.items()}

PATTERNS: tuple[str, ...] = (
    *("def add({a}, {b}):\n    return {a} + {b}", "def multiply({a}, {b}):\n    return {a} * {b}"),
    *("def subtract({a}, {b}):\n    return {a} - {b}", "def square({a}):\n    return {a} * {a}"),
    "def divide({a}, {b}):\n    if {b} == 0:\n        return None\n    return {a} / {b}",
    "def double({a}):\n    return 2 * {a}",
    "def {f}({a}):\n    return {a}",
    "def {f}({a}, {b}):\n    print({a}, {b})",
    "def {f}({a}):\n    if {a} is None:\n        return None\n    return {a}",
    'def {f}({a}):\n    """Return the {t}."""\n    return {a}',
    "def {f}({a}, {b}={n}):\n    result = {a} * {b}\n    return result",
    "def {f}({xs}):\n    for {x} in {xs}:\n        print({x})",
    "def {f}({xs}):\n    result = []\n    for {x} in {xs}:\n        result.append({x})\n    return result",
    "def {f}({xs}):\n    total = 0\n    for {x} in {xs}:\n        total += {x}\n    return total",
    "def count({xs}):\n    return len({xs})",
    "def total({xs}):\n    return sum({xs})",
    "def mean({xs}):\n    return sum({xs}) / len({xs})",
    "def largest({xs}):\n    return max({xs})",
    "def smallest({xs}):\n    return min({xs})",
    "def first({xs}):\n    return {xs}[0]",
    "def last({xs}):\n    return {xs}[-1]",
    "def is_even({a}):\n    return {a} % 2 == 0",
    "def is_odd({a}):\n    return {a} % 2 == 1",
    "def is_positive({a}):\n    return {a} > 0",
    'def greet({a}):\n    return f"Hello, {{a}}!"',
    'def hello():\n    print("Hello, world!")\n\nhello()',
    'def main():\n    print("{t}")\n\n\nif __name__ == "__main__":\n    main()',
    "def factorial({a}):\n    if {a} < 2:\n        return 1\n    return {a} * factorial({a} - 1)",
    "def fibonacci({a}):\n    if {a} < 2:\n        return {a}\n    return fibonacci({a} - 1) + fibonacci({a} - 2)",
    *("for i in range({n}):\n    print(i)", "for i in range({n}):\n    print(i * {m})"),
    "for i in range(len({xs})):\n    print({xs}[i])",
    *("for {x} in {xs}:\n    print({x})", "for i, {x} in enumerate({xs}):\n    print(i, {x})"),
    "for key, value in {a}.items():\n    print(key, value)",
    "for {x} in {xs}:\n    if {x} > {n}:\n        print({x})",
    "for {x} in {xs}:\n    if {x} is None:\n        continue\n    print({x})",
    "total = 0\nfor {x} in {xs}:\n    total += {x}\nprint(total)",
    "count = 0\nfor {x} in {xs}:\n    count += 1\nprint(count)",
    "result = []\nfor {x} in {xs}:\n    result.append({x} * {m})\nprint(result)",
    "i = 0\nwhile i < {n}:\n    print(i)\n    i += 1",
    'while True:\n    {a} = input("{t}: ")\n    if {a} == "":\n        break',
    *("{xs} = [{n}, {m}, {k}]\nprint(len({xs}))", "{xs} = [{n}, {m}, {k}]\nprint(sum({xs}))"),
    *("{xs} = [{n}, {m}, {k}]\nprint(max({xs}))", "{xs} = []\n{xs}.append({n})\nprint({xs})"),
    '{xs} = ["{t}", "{u}"]\nfor {x} in {xs}:\n    print({x})',
    "{xs} = sorted({xs})\nprint({xs}[0])",
    "squares = [{x} * {x} for {x} in {xs}]\nprint(squares)",
    "{ys} = [{x} for {x} in {xs} if {x} > {n}]\nprint({ys})",
    "lengths = [len({x}) for {x} in {xs}]\nprint(lengths)",
    "{a} = {n}\n{b} = {m}\nprint({a} + {b})",
    '{a} = {n}\nif {a} > {m}:\n    print("large")\nelse:\n    print("small")',
    'if {a} == {n}:\n    print("{t}")\nelif {a} == {m}:\n    print("{u}")\nelse:\n    print("{a}")',
    "if {a} is not None:\n    print({a})",
    'if not {xs}:\n    print("no {xs}")',
    '{a} = input("Your {a}: ")\nprint("Hello,", {a})',
    '{a} = "{t}"\nprint({a}.upper())',
    '{a} = "{t} {u}"\nprint({a}.split())',
    '{a} = {"{t}": {n}, "{u}": {m}}\nprint({a}["{t}"])',
    'with open("{file}.txt") as file:\n    text = file.read()\nprint(text)',
    'with open("{file}.txt") as file:\n    for line in file:\n        print(line.strip())',
    'with open("{file}.txt", "w") as file:\n    file.write({a})',
    'import json\n\nwith open("{file}.json") as file:\n    data = json.load(file)\nprint(data)',
    'import json\n\nwith open("{file}.json", "w") as file:\n    json.dump({a}, file)',
    'try:\n    {a} = int({b})\nexcept ValueError:\n    print("not a number")',
    "try:\n    {f}({a})\nexcept Exception as error:\n    print(error)",
    'raise ValueError("{a} is not {t}")',
    'class {C}:\n    def __init__(self, {p}):\n        self.{p} = {p}\n\n    def __repr__(self):\n        return f"{C}({self.{p}})"',
    "class {C}:\n    def __init__(self, {p}, {q}):\n        self.{p} = {p}\n        self.{q} = {q}\n\n    def show(self):\n        print(self.{p}, self.{q})",
    "class {C}:\n    def __init__(self):\n        self.{xs} = []\n\n    def add(self, {x}):\n        self.{xs}.append({x})\n\n    def __len__(self):\n        return len(self.{xs})",
    "from dataclasses import dataclass\n\n@dataclass\nclass {C}:\n    {p}: str\n    {q}: int",
    "import numpy as np\n\n{a} = np.array([{n}, {m}, {k}])\nprint({a}.mean())",
    "import numpy as np\n\nx = np.linspace(0, {n}, 100)\ny = np.sin(x)",
    "import numpy as np\n\n{a} = np.zeros({n})\nprint({a}.shape)",
    "import numpy as np\n\n{a} = np.arange({n})\nprint({a}.sum())",
    'import pandas as pd\n\ndf = pd.read_csv("{file}.csv")\ndf.head()',
    'import pandas as pd\n\ndf = pd.read_csv("{file}.csv")\nprint(df["{col}"].mean())',
    'import pandas as pd\n\ndf = pd.read_csv("{file}.csv")\ndf.groupby("{col}").mean()',
    'import pandas as pd\n\ndf = pd.DataFrame({"{col}": [{n}, {m}, {k}]})\nprint(df.describe())',
    'df = df.sort_values("{col}")\ndf.head()',
    'df = df[df["{col}"] > {n}]\nprint(len(df))',
    'df["{col}"].value_counts()',
    'df.plot(x="{col}", y="{col2}")',
    'df.to_csv("{file}.csv", index=False)',
    "import matplotlib.pyplot as plt\n\nplt.plot({xs})\nplt.show()",
    'import matplotlib.pyplot as plt\n\nplt.plot(x, y)\nplt.xlabel("{col}")\nplt.ylabel("{col2}")\nplt.show()',
    'import matplotlib.pyplot as plt\n\nplt.hist(df["{col}"])\nplt.title("{col}")\nplt.show()',
    'fig, ax = plt.subplots()\nax.plot(x, y)\nax.set_title("{t}")',
    "import random\n\n{a} = random.randint(1, {n})\nprint({a})",
    "import random\n\n{x} = random.choice({xs})\nprint({x})",
    'import os\n\nfor name in os.listdir("."):\n    print(name)',
    "import time\n\nstart = time.time()\n{f}({a})\nprint(time.time() - start)",
    "import math\n\nprint(math.sqrt({n}))\nprint(math.pi)",
    'from pathlib import Path\n\nfor path in Path(".").glob("*.txt"):\n    print(path.name)',
    "from collections import Counter\n\ncounts = Counter({xs})\nprint(counts.most_common({n}))",
    "# print the {xs}\nfor {x} in {xs}:\n    print({x})",
    "# the sum of all {xs}\ntotal = sum({xs})\nprint(total)",
    "# how many {xs} there are\ncount = len({xs})\nprint(count)",
    "# the largest of the {xs}\nlargest = max({xs})\nprint(largest)",
    "# the mean of the {xs}\nmean = sum({xs}) / len({xs})\nprint(mean)",
    "# sort the {xs}\n{xs} = sorted({xs})\nprint({xs})",
    '# read the file\nwith open("{file}.txt") as file:\n    text = file.read()',
    '# load the data\ndf = pd.read_csv("{file}.csv")\ndf.head()',
    "# plot the data\nplt.plot(x, y)\nplt.show()",
)
_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Gap:
    """What stands before and after a gap, what of it is typed already, and what is to come."""

    before: str
    after: str
    typed: str
    rest: str


def code(rng: Rng) -> str:
    """A piece of Python: one pattern or a few, which share their names where they can."""
    names = _names(rng)
    if rng.random() < 0.08:
        return SNIPPETS[one(list(SNIPPETS), rng)][1] + "\n"
    count = one((1, 1, 1, 2, 2, 3), rng)
    parts = []
    for _ in range(count):
        if rng.random() < 0.4:
            names = _names(rng)
        parts.append(filled(one(PATTERNS, rng), names))
    return one(("\n\n", "\n\n", "\n", "\n\n\n"), rng).join(parts) + "\n"


def filled(pattern: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda found: names.get(found[1], found[0]), pattern)


def _names(rng: Rng) -> dict[str, str]:
    many, single = one(_LISTS["many"], rng).split(":")
    others = [pair.split(":")[0] for pair in _LISTS["many"] if not pair.startswith(many)]
    a, b = rng.sample(_LISTS["arg"], 2)
    p, q = rng.sample(_LISTS["attribute"], 2)
    t, u = rng.sample(_LISTS["text"], 2)
    col, col2 = rng.sample(_LISTS["column"], 2)
    n, m, k = (
        str(one((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 50, 100), rng)) for _ in range(3)
    )
    short = rng.random() < 0.12
    return {
        "xs": many,
        "x": single[0] if short else single,
        "ys": one(others, rng),
        "a": a,
        "b": b,
        "p": p,
        "q": q,
        "t": t,
        "u": u,
        "n": n,
        "m": m,
        "k": k,
        "f": one(_LISTS["function"], rng),
        "C": one(_LISTS["class"], rng),
        "file": one(_LISTS["file"], rng),
        "col": col,
        "col2": col2,
    }


def gap(rng: Rng) -> Gap:
    """A gap as somebody leaves it who types: it ends with the line mostly, with a few at times."""
    text = code(rng)
    lines = text.splitlines(keepends=True)
    numbers = [number for number, line in enumerate(lines) if line.strip()]
    number = one(numbers, rng)
    line = lines[number]
    more = one((0, 0, 0, 0, 1, 2), rng)
    middle = line + "".join(lines[number + 1 : number + 1 + more])
    middle = middle.rstrip("\n")
    at = _typed(rng, line.rstrip("\n"))
    before, typed, rest = "".join(lines[:number]), middle[:at], middle[at:]
    after = "\n" + "".join(lines[number + 1 + more :])
    if rng.random() < 0.5 or not after.strip():
        after = one(("", "", "\n"), rng)  # at the end of a cell
    if not more and rng.random() < 0.15 and (closed := _closed(rest)) is not None:
        rest, after = rest[:closed], rest[closed:] + after  # within brackets
    if rng.random() < 0.3:
        before, typed = before + typed, ""
    return Gap(before, after, typed, rest)


def _typed(rng: Rng, line: str) -> int:
    """How much of a line is typed: none, its indent, up to a word's end, or anything."""
    indent = len(line) - len(line.lstrip())
    ends = [found.end() for found in re.finditer(r"\w+|[^\w\s]+ ?| +", line)] or [0]
    roll = rng.random()
    if roll < 0.12:
        return 0
    if roll < 0.24:
        return indent
    if roll < 0.75:
        return max(indent, one(ends, rng)) if ends[-1] > indent else indent
    return rng.randint(indent, max(indent, len(line) - 1))


def _closed(rest: str) -> int | None:
    """Where the first bracket closes that was not opened in it: an editor has closed it already."""
    depth = 0
    for place, sign in enumerate(rest):
        depth += (sign in "([{") - (sign in ")]}")
        if depth < 0:
            return place
    return None


def gaps(seed: int) -> Iterator[Gap]:
    """An endless, seeded stream."""
    rng = random.Random(seed)
    while True:
        found = gap(rng)
        if found.rest or rng.random() < 0.3:  # at times nothing is missing
            yield found
