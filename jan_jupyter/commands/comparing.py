"""The arguments of a comparison, in a cell and in a terminal."""

from __future__ import annotations

from .candidates import parameters, ready_models
from .command import arg
from .options import key_value, sweep

MODELS = arg(
    "-m",
    "--model",
    action="append",
    dest="models",
    metavar="MODEL",
    candidates=ready_models,
    help="whom to ask; given several times",
)
PARAMETERS = arg(
    "-p",
    "--parameter",
    action="append",
    default=[],
    type=key_value,
    metavar="KEY=VALUE",
    candidates=parameters,
    help="a parameter that holds for all",
)
SWEEPS = arg(
    "--set",
    dest="sweeps",
    action="append",
    default=[],
    type=sweep,
    metavar="KEY=VALUE,…",
    candidates=parameters,
    help="compare values of a parameter: temperature=0,0.7",
)
REPEAT = arg("--repeat", type=int, metavar="TIMES", help="ask each so many times")
SYSTEM = arg("-s", "--system", help="instructions that hold for all")
SEED = arg("--seed", type=int, help="of the order in which it is asked")
BUDGET = arg("--budget", type=int, metavar="CALLS", help="ends after so many calls")
FRESH = arg("--fresh", action="store_true", help="ask again what is stored")
YES = arg("--yes", action="store_true", help="ask many paid calls without asking you")
DRY_RUN = arg("--dry-run", action="store_true", help="show the plan, ask nothing")
