"""The cost of a sweep beside its training, and what is gained by runs side by side: python benchmarks/sweep.py

    python benchmarks/sweep.py --long-jobs 4 --epochs 3 model.depths=[3,3,3] data.resolution=32 data.in_channels=3

Overhead: a sweep of one tiny epoch per job on the digits, one after another. From the start of the second job to the
closing table, less the seconds of training steps in the records, by the number of jobs: composing, building, counting
costs, validating, writing. Speed-up: a sweep of equal jobs, one after another with one thread and with as many as there
are processes, and with hydra/launcher=processes at one thread each; whole commands from start to end, and the steps of
training alone, whose seconds are those of all jobs by the number of jobs at a time. Further overrides make the
speed-up's jobs larger, as ResNet-20 on digits of CIFAR's size above. Both want a quiet machine.
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
TINY = (
    "data=digits",
    "model.depths=[1,1,1]",
    "data.val_size=1000",
    "model.widths=[8,8,8]",
    "trainer.num_train_epochs=1",
)


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


def speed_up(folder: Path, options: argparse.Namespace) -> None:
    jobs, processes = options.long_jobs, options.processes
    long = ("data=digits", "trainer.disable_tqdm=true", f"trainer.num_train_epochs={options.epochs}")
    overrides = (*long, f"seed=range({jobs})", *options.overrides)
    one, _ = sweep(folder / "one", *overrides)
    print(f"{jobs} jobs one after another: {one:.1f} s, of which {sum(trained_s(folder / 'one')):.1f} s training")
    wide, _ = sweep(folder / "wide", *overrides, threads=processes)
    wide_s = sum(trained_s(folder / "wide"))
    print(f"{jobs} jobs one after another, {processes} threads each: {wide:.1f} s, of which {wide_s:.1f} s training;")
    print(f"    {one / wide:.2f} times as fast as with one thread")
    many, _ = sweep(folder / "many", *overrides, "hydra/launcher=processes", f"hydra.launcher.n_jobs={processes}")
    many_s = sum(trained_s(folder / "many")) / processes
    print(f"{jobs} jobs, {processes} side by side: {many:.1f} s, of which {many_s:.1f} s training;")
    print(f"    {one / many:.2f} times as fast as with one thread, {wide / many:.2f} times as with {processes}")
    print(f"    (training alone: {wide_s / many_s:.2f} times as with {processes})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10, help="of the overhead's sweep")
    parser.add_argument("--long-jobs", type=int, default=8, help="of the speed-up's sweeps")
    parser.add_argument("--epochs", type=int, default=60, help="of each of those")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "overrides", nargs="*", default=["model.depths=[1,1,1]"], help="of those (model.depths=[1,1,1])"
    )
    options = parser.parse_args()
    print(f"{os.cpu_count()} CPU cores, load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory() as name:
        overhead(Path(name) / "tiny", options.jobs)
        speed_up(Path(name), options)


if __name__ == "__main__":
    main()
