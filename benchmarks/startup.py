"""The cost of a run and a sweep before and beside training, in processor time: python benchmarks/startup.py

A tiny run of the digits, and what a sweep spends on each run that is finished already: a sweep of 11 of them less one
of 1, by 10. Both beside an `import torch`; all take turns, round after round, with one thread. Medians of the rounds'
seconds and of their ratios. `--checkout folder` measures that checkout, too, in the same turns.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

TINY = ("data=digits", "data.val_size=1000", "model.depths=[1,1,1]", "model.widths=[8,8,8]")
TINY += ("trainer.per_device_train_batch_size=96", "trainer.num_train_epochs=1")
JOBS = 11


def user_s(folder: Path, checkout: Path, *arguments: str) -> float:
    """User time of Python with these arguments, its children included."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    environment["PYTHONPATH"] = str(checkout)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def rounds(folder: Path, checkouts: list[Path], count: int) -> Iterator[dict[str, float]]:
    """Seconds of each round, by what they are of; the first round, which fills caches, is left out."""
    for index in range(count + 1):
        seconds = {"import": user_s(folder, folder, "-c", "import torch")}
        for number, checkout in enumerate(checkouts):
            train, study = str(checkout / "train.py"), f"study=sweep{number}"
            seconds[f"run {number}"] = user_s(folder, checkout, train, *TINY, "force=true")
            if index == 0:
                user_s(folder, checkout, train, "-m", *TINY, study, f"seed=range({JOBS})")
            one = user_s(folder, checkout, train, "-m", *TINY, study, "seed=0")
            all_jobs = user_s(folder, checkout, train, "-m", *TINY, study, f"seed=range({JOBS})")
            seconds[f"skip {number}"] = (all_jobs - one) / (JOBS - 1)
            seconds[f"skip one {number}"] = one
        if index:
            yield seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--checkout", type=Path, action="append", default=[], help="another one to measure beside")
    options = parser.parse_args()
    checkouts = [Path(__file__).resolve().parents[1], *(path.resolve() for path in options.checkout)]
    with tempfile.TemporaryDirectory() as name:
        found = list(rounds(Path(name), checkouts, options.rounds))
    print("| what | s of user time | times `import torch` |\n|---|---|---|")
    for what in found[0]:
        seconds = statistics.median(each[what] for each in found)
        ratio = statistics.median(each[what] / each["import"] for each in found)
        print(f"| {what} | {seconds:.3f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
