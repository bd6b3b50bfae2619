"""Ask the finished GGUF file through llama.cpp's own server, and say how often it answers right.

    python tools/jan_mini/check.py

Asked are the questions of questions.py, which do not occur in the training data, then the everyday
ones, then sums, counts and capitals by the dozen, then the tool questions once more with a
temperature. It is also checked that llama.cpp cuts text into the same tokens as the training did,
and that a sample of the training data holds none of the held-out questions. Last come gaps in code:
everyday ones, and generated ones, most of which the training has not met.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import gguf
import xllamacpp
from tokenizers import Tokenizer, models, pre_tokenizers

import facts
from data import Generator, held_out
from gaps import gaps
from questions import EVERYDAY, GAPS, QUESTIONS, Question
from texts import FALLBACK
from tokenizer import FILL, SPECIAL
from tool import TOOL
from train import OUTPUT


class Server:
    """llama.cpp's server over one model file, on a free port of this machine."""

    def __init__(self, path: Path, threads: int) -> None:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx = 2048
        parameters.n_parallel = 1
        parameters.n_gpu_layers = 0
        parameters.cpuparams.n_threads = threads
        parameters.use_jinja = True
        parameters.verbosity = 1
        self._server = xllamacpp.Server(parameters)
        self.address = self._server.listening_address

    def post(self, route: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.address}{route}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)

    def answer(self, question: Question, temperature: float = 0.0, seed: int = 1) -> str:
        """The answer to ``question``, after those before it in the same conversation."""
        messages = []
        if question.system is not None:
            messages.append({"role": "system", "content": question.system})
        text = ""
        for user in (*question.before, question.text):
            messages.append({"role": "user", "content": user})
            choice = self.post(
                "/v1/chat/completions",
                messages=messages,
                temperature=temperature,
                seed=seed,
                max_tokens=600,
            )["choices"][0]
            text = choice["message"]["content"]
            if choice["finish_reason"] != "stop":
                text += " [not finished]"
            messages.append({"role": "assistant", "content": text})
        return text


def expected(question: Question) -> str:
    """The expectation with names of answers replaced by the answers."""
    kind, _, name = question.expect.partition(":")
    if kind == "tool":
        return TOOL[name][0]
    if kind == "term":
        return facts.TERMS[name][1]
    return FALLBACK if question.expect == "fallback" else question.expect


def right(question: Question, answer: str) -> bool:
    wanted = expected(question)
    if wanted.startswith("~"):
        return wanted[1:] in answer and not answer.endswith("[not finished]")
    return answer == wanted


def at_random(number: int, seed: int) -> list[Question]:
    """Sums, capitals and counts with values drawn at random, asked in words of this file."""
    rng = random.Random(seed)
    found = []
    for _ in range(number):
        a, b = rng.randint(0, 50), rng.randint(0, 50)
        found.append(
            Question("random sum", f"Please, what would {a} + {b} be?", f"{a} + {b} = **{a + b}**")
        )
        a, b = sorted((rng.randint(0, 20), rng.randint(0, 20)), reverse=True)
        found.append(Question("random sum", f"{a} - {b}, what is it?", f"{a} - {b} = **{a - b}**"))
        a, b = rng.randint(1, 12), rng.randint(1, 12)
        found.append(
            Question("random sum", f"and what would {a} times {b} be?", f"{a} × {b} = **{a * b}**")
        )
        first = rng.randint(0, 30)
        last = first + rng.randint(2, 12)
        numbers = ", ".join(map(str, range(first, last + 1)))
        found.append(Question("random count", f"would you count from {first} to {last}", numbers))
    for country, city in facts.CAPITALS.items():
        found.append(
            Question("every capital", f"Would you know the capital of {country}?", f"~**{city}**")
        )
    return found


def ask_all(
    server: Server, questions: Iterable[Question], temperature: float, show: bool
) -> Counter[str]:
    """Ask everything, print what went wrong and the pass rates; return the failures by skill."""
    asked: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for number, question in enumerate(questions):
        answer = server.answer(question, temperature, seed=number)
        asked[question.skill] += 1
        ok = right(question, answer)
        failed[question.skill] += not ok
        if show or not ok:
            print(
                f"{'ok  ' if ok else 'FAIL'} [{question.skill}] {question.text!r}\n     {answer!r}"
            )
    for skill, total in asked.items():
        print(
            f"{skill:>14}: {total - failed[skill]:4d} of {total:4d}"
            f"  {100 * (1 - failed[skill] / total):5.1f} %"
        )
    passed = asked.total() - failed.total()
    print(
        f"{'all':>14}: {passed:4d} of {asked.total():4d}  {100 * passed / asked.total():5.1f} %\n"
    )
    return failed


def same_tokens(server: Server, path: Path) -> bool:
    """Whether llama.cpp cuts many varied texts as the tokenizer of the training does."""
    reader = gguf.GGUFReader(path)
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    merges = [
        tuple(merge.split(" ")) for merge in reader.fields["tokenizer.ggml.merges"].contents()
    ]
    ours = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    ours.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    rng = random.Random(3)
    generator = Generator(99)
    texts = [text for _ in range(700) for _, text in generator.conversation().messages()]
    ranges = (
        (0x20, 0x7E),
        (0x20, 0x7E),
        (0xA0, 0x24F),
        (0x370, 0x52F),
        (0x4E00, 0x9FFF),
        (0x1F300, 0x1F6FF),
    )
    for _ in range(1500):
        pick = [rng.choice(ranges) for _ in range(rng.randint(1, 30))]
        texts.append(
            "".join(
                chr(rng.randint(*one)) if rng.random() < 0.8 else rng.choice(" \n\t'0")
                for one in pick
            )
        )
    texts += [
        "",
        " ",
        "\n\n  x",
        "I'll don't we've",
        "a  b   c    d",
        "\u00a0\u2003x",
        "12 345,67",
        "\r\n",
        "\x00\x01\x7f",
    ]
    wrong = 0
    for text in texts:
        if any(token in text for token in (*SPECIAL, *FILL)):
            continue
        theirs = server.post("/tokenize", content=text, add_special=False)["tokens"]
        if theirs != ours.encode(text).ids:
            wrong += 1
            print(f"FAIL tokens of {text!r}")
    print(f"tokens: {len(texts) - wrong} of {len(texts)} texts cut alike\n")
    return not wrong


def none_trained_on(conversations: int) -> bool:
    """Whether a sample of the training data is free of the questions that are held out."""
    generator = Generator(98)
    turns = (turn for _ in range(conversations) for turn in generator.conversation().turns)
    found = [turn.user for turn in turns if held_out(turn)]
    print(f"held out: {len(found)} of them met in {conversations} conversations {found[:5]}\n")
    return not found


def filled(server: Server, before: str, after: str) -> str:
    """What the model writes between two texts, as `nitro` asks it: behind the words of the line
    that are there."""
    lines = before.rfind("\n") + 1
    words = before[lines:].rstrip(" ")
    spaces = before[lines + len(words) :] if words else ""
    before = before.removesuffix(spaces)
    texts = (FILL[0], before[:lines], FILL[1], after, FILL[2], before[lines:])
    prompt: list[int] = []
    for text in texts:
        asked = {"content": text, "add_special": False, "parse_special": text in FILL}
        prompt += server.post("/tokenize", **asked)["tokens"]
    asked = {"prompt": prompt, "temperature": 0, "n_predict": 48}
    return str(server.post("/completion", **asked)["content"]).removeprefix(spaces)


def fill_all(server: Server, number: int, show: bool) -> None:
    """Print how many everyday gaps are filled, and how many generated ones exactly as they were."""
    right = 0
    for before, after, wanted in GAPS:
        found = filled(server, before, after)
        right += found.startswith(wanted)
        if show or not found.startswith(wanted):
            print(f"{before!r} … {after!r}: {found!r}, not {wanted!r}")
    print(f"everyday gaps: {right} of {len(GAPS)}")
    drawn = [*islice(gaps(12345), number)]
    right = lines = 0
    for gap in drawn:
        found = filled(server, gap.before + gap.typed, gap.after)
        right += found == gap.rest
        lines += found.partition("\n")[0] == gap.rest.partition("\n")[0]
    print(
        f"generated gaps: {right} of {number} exactly as they were, {lines} in their first line\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", type=Path, default=OUTPUT)
    parser.add_argument(
        "--show", action="store_true", help="print every answer, not only wrong ones"
    )
    parser.add_argument("--random", type=int, default=60, help="how many random sums of each kind")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    server = Server(options.model, options.threads)
    print(f"{options.model.name}: {options.model.stat().st_size:,} bytes\n")
    sound = same_tokens(server, options.model) and none_trained_on(20_000)
    print("# held-out questions, temperature 0")
    failed = ask_all(server, QUESTIONS, 0.0, options.show)
    print("# everyday questions, temperature 0")
    failed += ask_all(server, EVERYDAY, 0.0, options.show)
    print("# random values, temperature 0")
    failed += ask_all(server, at_random(options.random, 5), 0.0, options.show)
    print("# tool questions, temperature 0.7")
    tool = [question for question in QUESTIONS if question.skill == "tool"]
    ask_all(server, tool * 3, 0.7, False)
    print("# gaps in code, temperature 0")
    fill_all(server, 300, options.show)
    return 0 if sound and not failed.total() else 1


if __name__ == "__main__":
    sys.exit(main())
