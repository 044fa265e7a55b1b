"""Run benchmarks and print one table: `python -m benchmarks.run [name …]`.

Options are `--turns 7`, how often every candidate runs, and `--threads 1`. Without names all of
them run. A peer that is not installed is named as left out.
"""

import argparse
import importlib
import warnings

import torch

from benchmarks.race import Row
from benchmarks.table import conditions, render

NAMES = (
    "generation",
    "training",
    "images",
    "recurrent",
    "tokenizing",
    "optimizers",
    "growth",
    "start_up",
)


def main() -> None:
    """Parse the command line, run, print."""
    parser = argparse.ArgumentParser(description="Measure the library against its peers.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--turns", type=int, default=7, help="how often each candidate runs")
    parser.add_argument("--threads", type=int, default=1, help="1 counts processor time")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore")  # the peers' own

    rows: list[Row] = []
    for name in arguments.names or NAMES:
        torch.manual_seed(0)
        rows += importlib.import_module(f"benchmarks.{name}").measure(arguments.turns)
    print(conditions())
    print()
    print(render(rows))


if __name__ == "__main__":
    main()
