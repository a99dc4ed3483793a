"""As many complete seeds of a table as fit in a given time, for a queue that ends: trained, evaluated and packed.

    python benchmarks/budget.py experiment=main seconds=1500 data.path=path/to/cifar100
    python benchmarks/budget.py experiment=main seconds=36000 jobs=2 trainer.num_train_epochs=15

First it measures each design's images/s, with `jobs` processes side by side as they will train, and prints its plan:
how long each seed still takes, and how many fit. It then trains those, saves and stops what the time did not suffice
for, evaluates what is finished, and packs records and best weights into `<study>.tar.gz`. The same command continues.

seconds: in all. jobs: runs side by side; null takes one on each GPU or CPU core (a GPU carries several).
begin_next=true goes on with seeds that do not fit until the time is up, for a command that will be typed again.
plan_only=true ends after the plan. What else is typed are overrides of train.py.
"""

import math
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig

from cifar100 import sweep
from cifar100.config import CONF, register_resolvers
from cifar100.config.run_identity import run_folder
from cifar100.record import RunDirectory, find_runs
from cifar100.sweep.plan import planned

CHECKOUT = Path(__file__).parents[1]
STEPS, ROUNDS = 20, 3
STOP_S = 45  # a launcher gives its workers this long to save
START_S = 15  # of a process that evaluates
PATIENCE_S = 900  # for the slowest of the processes that are measured together to be at full speed
PACKED = ("*.json", "*.jsonl", "config.yaml", "checkpoints/best.safetensors", "evaluation/**/*")
OPTIONS = ("seconds", "jobs", "begin_next", "plan_only")


@dataclass(frozen=True)
class Run:
    """One run of the sweep: its seed, the overrides of its design, its folder, and images trained on of all."""

    seed: str
    design: tuple[str, ...]
    folder: Path
    trained: int
    images: int


def main() -> None:
    began = time.monotonic()
    typed = [argument.partition("=") for argument in sys.argv[1:]]
    options = dict.fromkeys(OPTIONS, "") | {name: value for name, _, value in typed if name in OPTIONS}
    overrides = ["".join(each) for each in typed if each[0] not in OPTIONS]
    if not options["seconds"].isdecimal() or not any(each.startswith("experiment=") for each in overrides):
        sys.exit(f"{__doc__}\nexperiment= and seconds=, a whole number, are missing")
    deadline = began + int(options["seconds"])
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = composed(overrides, RunMode.MULTIRUN)
        runs = [run_of(job) for job in planned(config)]
    if not runs:
        sys.exit("the experiment's sweep has no jobs that are known beforehand; choose one with hydra's own sweeper")
    jobs = int(options["jobs"] or sweep.processes())
    seeds, reserve_s = plan(runs, jobs, deadline, every=options["begin_next"] == "true")
    if options["plan_only"] == "true" or not seeds:
        return
    launcher = ["hydra/launcher=processes", f"hydra.launcher.n_jobs={jobs}"]
    others = [each for each in overrides if not each.startswith("seed=")]
    for seed in seeds:
        train([*others, f"seed={seed}", *launcher], until=deadline - STOP_S - reserve_s)
    evaluate_and_pack(Path(config.root, config.study), config.data.path)


def composed(overrides: list[str], mode: RunMode) -> DictConfig:
    return GlobalHydra.instance().hydra.compose_config("train", overrides, run_mode=mode, from_shell=False)


def run_of(job: list[str]) -> Run:
    """The run of a job's overrides, with as much of it as its record says is done."""
    config = composed(job, RunMode.RUN)
    folder = Path(config.root, config.study, run_folder(config))
    record = RunDirectory(folder)
    rows = record.metrics() if record.exists() else []
    # The plan's images are CIFAR's, of which an epoch is made up while speeds are measured.
    an_epoch = 50_000 - config.data.val_size
    elsewhere = ("seed=", "experiment=", "data=", "data.", "study=", "root=", "trainer.num_train_epochs=")
    design = tuple(each for each in job if not each.startswith(elsewhere))
    done = rows[-1]["epoch"] if rows else 0
    return Run(str(config.seed), design, folder, done * an_epoch, int(config.trainer.num_train_epochs * an_epoch))


def plan(runs: list[Run], jobs: int, deadline: float, *, every: bool) -> tuple[list[str], float]:
    """Measures, prints the plan, and returns the seeds to train, in order, and the seconds to keep for evaluating."""
    designs = list(dict.fromkeys(run.design for run in runs))
    names = {design: " ".join(design) or "the experiment itself" for design in designs}
    speeds, starts_s = {}, {}
    print(f"{'images/s':>8} {'start s':>8}  design ({jobs} side by side)", flush=True)
    for first in range(0, len(designs), jobs):
        beside = designs[first : first + jobs]
        filled = [beside[index % len(beside)] for index in range(jobs)]
        for design, (speed, start_s) in zip(beside, measure(filled), strict=False):
            speeds[design], starts_s[design] = speed, start_s
            print(f"{speed:8.0f} {start_s:8.1f}  {names[design]}", flush=True)
    left_s, reserve_s, chosen = deadline - time.monotonic() - STOP_S, 0.0, []
    for seed in dict.fromkeys(run.seed for run in runs):
        todo = [run for run in runs if run.seed == seed]
        open_runs = [run for run in todo if run.trained < run.images]
        train_s = side_by_side(
            [starts_s[r.design] + (r.images - r.trained) / speeds[r.design] for r in open_runs], jobs
        )
        # An image costs a third of a training step's.
        evaluate_s = START_S + sum(10_000 / 3 / speeds[run.design] for run in todo if not evaluated(run.folder))
        left_s -= train_s + evaluate_s
        verdict = "fits" if left_s >= 0 else "as far as the time carries it" if every else "does not fit"
        print(f"seed {seed}: {len(open_runs)} of {len(todo)} runs to train, {train_s + evaluate_s:.0f} s: {verdict}")
        if left_s >= 0:
            reserve_s += evaluate_s
        elif not every:
            break
        chosen.append(seed)
    return chosen, reserve_s


def evaluated(folder: Path) -> bool:
    return (folder / "evaluation/metrics.json").exists()


def measure(designs: list[tuple[str, ...]]) -> list[tuple[float, float]]:
    """Each design's images/s while all of them run side by side, and the seconds until it is at full speed."""
    code = (
        "import sys, time; start = time.perf_counter(); sys.path.insert(0, sys.argv[1]);"
        "from budget import speed_here; speed_here(sys.argv[4:], start, sys.argv[2], int(sys.argv[3]))"
    )
    with tempfile.TemporaryDirectory() as meeting:
        command = [sys.executable, "-c", code, str(Path(__file__).parent), meeting, str(len(designs))]
        share = {"OMP_NUM_THREADS": str(max(1, sweep.cores() // len(designs)))}  # as the launcher divides them
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": share | os.environ}
        processes = [subprocess.Popen([*command, "trainer=fast", *design], **pipes) for design in designs]
        ended = [process.communicate() for process in processes]
    for design, process, (_, errors) in zip(designs, processes, ended, strict=True):
        if process.returncode:
            sys.exit(f"{' '.join(design)} cannot be measured:\n{errors[-2000:]}")
    return [tuple(map(float, output.split()[-2:])) for output, _ in ended]


def speed_here(overrides: list[str], start: float, meeting: str, others: int) -> None:
    """Prints this process's images/s, the median of some rounds, and the seconds that its start took."""
    import numpy as np
    from throughput import BATCH, IMAGES, seconds, whole_loop

    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        loop = whole_loop(images, generator.integers(0, 100, IMAGES).tolist(), STEPS, Path(folder), overrides)
        start_s = seconds(loop) + time.perf_counter() - start
        with tempfile.NamedTemporaryFile(dir=meeting):
            until = time.monotonic() + PATIENCE_S
            while len(list(Path(meeting).iterdir())) < others and time.monotonic() < until:
                time.sleep(0.1)  # others still compile
            speeds = sorted(BATCH * STEPS / seconds(loop) for _ in range(ROUNDS))
            Path(meeting, f"done-{time.monotonic_ns()}").touch()  # takes this process's place among those counted
    print(speeds[ROUNDS // 2], start_s)


def side_by_side(durations: list[float], jobs: int) -> float:
    """The seconds until the last of these runs ends, each begun in turn where a place is free."""
    places = [0.0] * jobs
    for duration in durations:
        place = places.index(min(places))
        places[place] += duration
    return max(places)


def train(overrides: list[str], *, until: float) -> None:
    """Trains until the time is up, then lets all runs save."""
    if (left_s := until - time.monotonic()) <= 0:
        return
    process = subprocess.Popen([sys.executable, str(CHECKOUT / "train.py"), "-m", *overrides])
    try:
        process.wait(timeout=left_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        process.wait()


def evaluate_and_pack(folder: Path, data_path: str | None) -> None:
    """Evaluates finished runs without measuring their latency, and packs them, each file under its run's name."""
    finished = [run for run in find_runs(folder) if run.state() == "finished"] if folder.is_dir() else []
    if fresh := [str(run.path) for run in finished if not evaluated(run.path)]:
        where = [f"data.path={data_path}"] if data_path else []
        command = [sys.executable, str(CHECKOUT / "evaluate.py"), f"run_dir=[{','.join(fresh)}]", "latency=false"]
        subprocess.run([*command, *where], check=False)  # what failed is in its output; the rest is packed all the same
    packed = Path(f"{folder.name}.tar.gz")
    with tarfile.open(packed, "w:gz") as archive:
        for run in finished:
            for file in sorted(file for pattern in PACKED for file in run.path.glob(pattern) if file.is_file()):
                archive.add(file, Path(folder.name, run.name, file.relative_to(run.path)))
    weights = f"{sum(1 for run in finished if run.has_checkpoint('best'))} with weights"
    print(f"{len(finished)} finished runs, {weights}, in {packed} ({math.ceil(packed.stat().st_size / 2**20)} MiB)")


if __name__ == "__main__":
    main()
