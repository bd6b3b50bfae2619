"""Writers of one thread that are killed at random points; run by `test_kill.py`, on its own.

    python killing.py FOLDER ROUNDS SEED

Each round forks a writer, which tells each turn that is finished (its call has returned), and kills
it (SIGKILL) at a random moment. Then the thread must open, and hold every turn that was finished,
where a line can be led through it. Prints a JSON object of figures.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from jan_jupyter.threads import Thread, ThreadMessage, ThreadStore

OPERATIONS = ("ask", "regenerate", "edit", "switch", "update", "answer")


def operate(thread: Thread, chance: random.Random) -> str:
    """One thing that a user does; gives the id of the turn that is finished by it."""
    line = thread.messages
    operation = chance.choice(OPERATIONS) if len(line) > 1 else "ask"
    text = "word " * chance.randrange(200)
    if operation == "ask":
        question = thread.append(ThreadMessage("user", text))
        return thread.answer(ThreadMessage("assistant", text, model="m"), question.id).id
    place = chance.randrange(max(1, len(line) - 8), len(line))
    chosen, before = line[place], line[place - 1]
    if operation == "regenerate":
        thread.fork(chosen.id)
        return thread.append(ThreadMessage(chosen.role, text)).id
    if operation == "edit":
        return thread.append(ThreadMessage(before.role, text), before.id).id
    if operation == "switch":
        others = [id for m in line for id in thread.versions(m.id) if id != m.id]
        if others:
            thread.switch(chance.choice(others))
        return chosen.id
    if operation == "update":
        return thread.update(chosen.id, content=text).id
    return thread.answer(ThreadMessage("assistant", text), chosen.id).id


def write(folder: Path, name: str, told: int, seed: int) -> None:
    chance = random.Random(seed)
    thread = ThreadStore(folder).get(name)
    operate(thread, chance)
    os.write(told, b"\n")  # it is warm
    while True:
        id = operate(thread, chance)
        os.write(told, f"{id}\n".encode())


def check(folder: Path, name: str, finished: set[str]) -> Thread:
    thread = ThreadStore(folder).get(name)
    for id in finished:
        thread.message(id)
        assert id in thread.versions(id)
    off = {id for m in thread.messages for id in thread.versions(m.id)}
    assert {m.id for m in thread.messages} <= off
    return thread


def main(folder: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    name = ThreadStore(folder).create("killed").id
    finished: set[str] = set()
    torn = 0
    for number in range(rounds):
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(told)
            write(folder, name, tell, seed + number)
        os.close(tell)
        os.read(told, 1)
        time.sleep(chance.uniform(0, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(told, "rb") as pipe:
            lines = pipe.read().split(b"\n")
        finished |= {line.decode() for line in lines[:-1]}
        thread = check(folder, name, finished)
        torn = len(thread.warnings)
    # A line can be led through every turn that is off it.
    everywhere = sorted(finished)
    for id in chance.sample(everywhere, min(20, len(everywhere))):
        thread.switch(id)
        assert thread.place(id) is not None
        check(folder, name, finished)
    figures = {"rounds": rounds, "finished": len(finished), "torn": torn}
    print(json.dumps({**figures, "left": sorted(os.listdir(thread.folder))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
