"""Make jan-mini: generate conversations, learn a tokenizer, train the network, write a GGUF file.

    python tools/jan_mini/train.py
    python tools/jan_mini/train.py --after FILE.gguf    # only gaps in code, beside all else

Everything follows from ``--seed``. On two cores it takes under an hour; see README.md.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from data import EARLY, Generator
from export import read_gguf, write_gguf
from gaps import gaps
from model import Config, Model
from tokenizer import FILL, PAD, Bpe

OUTPUT = (
    Path(__file__).parents[2] / "jan_jupyter" / "data" / "models" / "jan-mini" / "jan-mini.gguf"
)
VOCABULARY = 1536
CONTEXT = 2048
LENGTHS = (
    24,
    32,
    48,
    64,
    96,
    128,
    192,
    256,
    384,
    640,
)  # of rows with one conversation
BATCH = 2048  # tokens in a batch, the filler counted
BATCHES = 2  # batches in a step
EARLY_SHARE = 0.35  # of the steps, only with what has to be copied and computed
LONG_EVERY = 16  # in every so many steps, one batch is a conversation that fills the context


@dataclass(frozen=True)
class Batch:
    """Rows of equal length: inputs, targets, and how much each target counts."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor

    def on(self, device: torch.device) -> Batch:
        return Batch(*(t.to(device) for t in (self.inputs, self.targets, self.weights)))


Encoded = tuple[list[int], list[float]]


def pad(rows: list[Encoded], length: int, filler: int) -> Batch:
    """Rows brought to one length by a filler at the end, where nothing before sees it."""
    tokens = torch.full((len(rows), length + 1), filler)
    weights = torch.zeros((len(rows), length + 1))
    for row, (ids, counts) in enumerate(rows):
        tokens[row, : len(ids)] = torch.tensor(ids)
        weights[row, : len(ids)] = torch.tensor(counts)
    return Batch(tokens[:, :-1], tokens[:, 1:], weights[:, 1:])


def sorted_by_length(rows: Iterator[Encoded], filler: int) -> Iterator[Batch]:
    """Rows of about one length together: short ones train fastest.

    There are few shapes and each comes again and again, because every new one costs a preparation.
    """
    waiting: dict[int, list[Encoded]] = {length: [] for length in LENGTHS}
    for ids, counts in rows:
        ids, counts = ids[: LENGTHS[-1] + 1], counts[: LENGTHS[-1] + 1]
        length = next(length for length in LENGTHS if len(ids) <= length + 1)
        waiting[length].append((ids, counts))
        if len(waiting[length]) == BATCH // length:
            yield pad(waiting[length], length, filler)
            waiting[length] = []


def short_batches(generator: Generator, bpe: Bpe) -> Iterator[Batch]:
    """Separate conversations."""
    rows = (bpe.messages(generator.conversation().messages()) for _ in count())
    yield from sorted_by_length(rows, bpe.ids[PAD])


def long_batches(generator: Generator, bpe: Bpe) -> Iterator[Batch]:
    """One conversation that fills the context, so that no place in it is new to the model."""
    while True:
        ids, counts = bpe.messages(generator.long_conversation(60).messages())
        if len(ids) > CONTEXT:
            yield pad([(ids[: CONTEXT + 1], counts[: CONTEXT + 1])], CONTEXT, bpe.ids[PAD])


def optimisers(model: Model, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, which learned faster in a short trial; Adam for the rest."""
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embd" not in n]
    rest = [p for n, p in model.named_parameters() if p.dim() != 2 or "embd" in n]
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=rate * 2 / 3, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def schedule(step: int, steps: int) -> float:
    """Share of the full rate: a short rise, a plateau, and a long way down to nothing."""
    rise, fall = max(1, steps // 50), steps // 2
    return min((step + 1) / rise, (steps - step) / fall, 1.0)


def gap_batches(seed: int, bpe: Bpe) -> Iterator[Batch]:
    """Code with gaps, of about one length together."""
    yield from sorted_by_length((bpe.gap(gap) for gap in gaps(seed)), bpe.ids[PAD])


def answers(bpe: Bpe, steps: int, seed: int) -> Iterator[list[Batch]]:
    """What is learnt first, for each step: to answer."""
    early = short_batches(Generator(seed + 3, EARLY), bpe)
    short = short_batches(Generator(seed + 1), bpe)
    long = long_batches(Generator(seed + 2), bpe)
    for step in range(steps):
        is_early = step < EARLY_SHARE * steps
        batches = list(islice(early if is_early else short, BATCHES))
        if not is_early and step % LONG_EVERY == 0:
            batches[0] = next(long)
        yield batches


def answers_and_gaps(bpe: Bpe, steps: int, seed: int) -> Iterator[list[Batch]]:
    """What is learnt then: gaps in code, and as many answers, so that none is forgotten."""
    short = short_batches(Generator(seed + 4), bpe)
    long = long_batches(Generator(seed + 5), bpe)
    code = gap_batches(seed + 6, bpe)
    for step in range(steps):
        talk = next(long if step % LONG_EVERY == 0 else short)
        yield [talk, next(code)]


def train(model: Model, steps: Iterator[list[Batch]], number: int, rate: float) -> None:
    makers = optimisers(model, rate)
    start, seen, smooth = time.monotonic(), 0, 0.0
    for step, batches in enumerate(steps):
        batches = [batch.on(model.cos.device) for batch in batches]
        total = sum(float(batch.weights.sum()) for batch in batches)
        mean = 0.0
        for batch in batches:
            counted = batch.weights > 0
            with torch.autocast(batch.inputs.device.type, torch.bfloat16):
                logits = model(batch.inputs, counted)
            losses = functional.cross_entropy(
                logits.float(), batch.targets[counted], reduction="none"
            )
            loss = losses @ batch.weights[counted] / total
            loss.backward()
            mean += loss.item()
            seen += batch.inputs.numel()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for maker in makers:
            for group in maker.param_groups:
                group["lr"] = group.setdefault("highest", group["lr"]) * schedule(step, number)
            maker.step()
            maker.zero_grad(set_to_none=True)
        smooth = mean if step == 0 else 0.95 * smooth + 0.05 * mean
        if step % 50 == 0 or step == number - 1:
            passed = time.monotonic() - start
            left = passed / (step + 1) * (number - step - 1)
            print(
                f"step {step:5d}/{number}  loss {smooth:.4f}  {seen / passed:6.0f} tokens/s"
                f"  {left / 60:5.1f} min left",
                flush=True,
            )
        if not math.isfinite(smooth):
            raise RuntimeError(f"the loss is no number any more at step {step}")


def keep(model: Model, before: Mapping[str, Tensor], share: float) -> None:
    """Bring the weights back by a share of the way: nearly all that was learnt last stays, and what
    was forgotten of the answers comes back. Tokens that are new stay as they are."""
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            old = before[name].clone()
            if name == "token_embd.weight":
                old[-len(FILL) :] = weight[-len(FILL) :]
            weight.lerp_(old, share)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the GGUF file goes")
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--after", type=Path, help="a GGUF file of this kind, to go on from")
    parser.add_argument("--gap-steps", type=int, default=450, help="of the last part")
    parser.add_argument("--gap-rate", type=float, default=1e-3, help="its highest rate")
    parser.add_argument("--keep", type=float, default=0.2, help="share of the weights before it")
    parser.add_argument("--seed", type=int, default=20231123)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu, or cuda for the same in minutes")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    if options.after:
        model, bpe = read_gguf(options.after)
    else:
        sample = Generator(options.seed)
        corpus = (text for _ in range(40_000) for _, text in sample.conversation().messages())
        bpe = Bpe.learn(corpus, VOCABULARY)
        model = Model(Config(len(bpe.tokens)))
    model = model.to(options.device)
    print(
        f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(bpe.tokens)} tokens",
        flush=True,
    )
    if not options.after:
        steps = options.steps
        train(model, answers(bpe, steps, options.seed), steps, options.rate)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    steps = options.gap_steps
    train(model, answers_and_gaps(bpe, steps, options.seed), steps, options.gap_rate)
    keep(model, before, options.keep)
    size = write_gguf(model.cpu(), bpe, options.output)
    print(f"{options.output}: {size:,} bytes")


if __name__ == "__main__":
    main()
