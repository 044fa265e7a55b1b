"""Plant every fault, and tell which test caught it: `python -m tools.mutants [words]`."""

import os
import sys

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

from tools.mutants import (
    accounting,
    compression,
    data,
    evaluation,
    generation,
    layers,
    models,
    retrieval,
    training,
    weights,
)
from tools.mutants.fault import Fault
from tools.mutants.run import PASSED, copied_package, does_not_fit, run_fault, run_tests

AREAS = (
    *(layers, models, training, generation, weights, data, accounting, compression),
    *(retrieval, evaluation),
)
FAULTS = tuple(fault for area in AREAS for fault in area.FAULTS)


def main(words: list[str], faults: tuple[Fault, ...] = FAULTS) -> int:
    """Return 0 if every fault was caught."""
    chosen = [f for f in faults if all(word in f"{f.name} {f.file}" for word in words)]
    if not chosen:
        print(f"no fault is about {' '.join(words)}")
        return 1
    with copied_package() as copy:
        if rotten := [line for fault in chosen if (line := does_not_fit(fault, copy))]:
            print("\n".join(rotten))
            return 1
        tests = sorted({test for fault in chosen for test in fault.tests})
        whole = run_tests(tests, copy)
        if whole.code != PASSED:
            print(f"{whole.output}\nWithout any fault these tests must pass, and they do not.")
            return 1
        print(f"{len(tests)} tests pass without a fault, in {whole.seconds:.0f} s.\n")
        width = max(len(f.name) for f in chosen)
        print(f"{'fault':{width}}  {'file':32}  seconds  caught by")
        n_caught = 0
        for fault in chosen:
            result = run_fault(fault, copy)
            n_caught += result.caught
            by = result.failed or ("the time limit" if result.caught else "NOTHING")
            by = by.removeprefix("tests/").partition("[")[0]  # without its parameters
            print(f"{fault.name:{width}}  {fault.file:32}  {result.seconds:7.1f}  {by}", flush=True)
            if not result.caught and result.code != PASSED:
                print(f"{result.output}\nThe tests could not run.")
    print(f"\n{n_caught} of {len(chosen)} faults caught: {n_caught / len(chosen):.0%}")
    return 0 if n_caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
