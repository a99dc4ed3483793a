"""What a sweep costs beside its training, and what is gained by runs side by side: python benchmarks/sweep.py

Overhead: a sweep of one tiny epoch per job on the digits, one after another. From the start of the second job to the
closing table, less the seconds of training steps in the records, by the number of jobs: composing, building, counting
costs, validating, writing. Speed-up: a sweep of equal jobs, one after another with one thread and with as many as there
are processes, and with hydra/launcher=processes at one thread each; whole commands from start to end. Both want a quiet
machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRAIN = Path(__file__).parents[1] / "train.py"
DIGITS = ("data=digits", "model.depths=[1,1,1]")
TINY = (*DIGITS, "data.val_size=1000", "model.widths=[8,8,8]", "trainer.num_train_epochs=1")


def sweep(folder: Path, *overrides: str, threads: int = 1) -> tuple[float, float]:
    """Seconds of the whole command, and from the start of its second job (0 where jobs start in other processes)."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "XDG_CACHE_HOME": str(folder.parent / "cache")}
    start, second = time.perf_counter(), None
    command = [sys.executable, str(TRAIN), "-m", f"root={folder}", *overrides]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if second is None and line.startswith("\t#1 : "):
                second = time.perf_counter()
    end = time.perf_counter()
    if process.returncode:
        raise SystemExit(f"the sweep ended with status {process.returncode}: {' '.join(command)}")
    return end - start, end - (second or end)


def trained_s(folder: Path) -> list[float]:
    """Each run's seconds of training steps."""
    return [json.loads(path.read_text())["train_s"] for path in sorted(folder.glob("default/*/summary.json"))]


def overhead(folder: Path, jobs: int) -> None:
    _, since_second = sweep(folder, *TINY, f"seed=range({jobs + 1})")
    training = sum(trained_s(folder)) * jobs / (jobs + 1)
    print(
        f"one after another: {(since_second - training) / jobs:.2f} s a job beside {training / jobs:.2f} s of training"
    )


def speed_up(folder: Path, jobs: int, epochs: int, processes: int) -> None:
    overrides = (*DIGITS, "trainer.disable_tqdm=true", f"trainer.num_train_epochs={epochs}", f"seed=range({jobs})")
    one, _ = sweep(folder / "one", *overrides)
    print(f"{jobs} jobs one after another: {one:.1f} s, of which {sum(trained_s(folder / 'one')):.1f} s training")
    wide, _ = sweep(folder / "wide", *overrides, threads=processes)
    print(f"{jobs} jobs one after another, {processes} threads each: {wide:.1f} s, {one / wide:.2f} times as fast")
    many, _ = sweep(folder / "many", *overrides, "hydra/launcher=processes", f"hydra.launcher.n_jobs={processes}")
    print(f"{jobs} jobs, {processes} side by side: {many:.1f} s, {one / many:.2f} and {wide / many:.2f} times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10, help="of the overhead's sweep")
    parser.add_argument("--long-jobs", type=int, default=8, help="of the speed-up's sweeps")
    parser.add_argument("--epochs", type=int, default=60, help="of each of those")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print(f"{os.cpu_count()} CPU cores, load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory() as name:
        overhead(Path(name) / "tiny", options.jobs)
        speed_up(Path(name), options.long_jobs, options.epochs, options.processes)


if __name__ == "__main__":
    main()
