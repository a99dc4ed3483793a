"""As many complete seeds of a table as fit in a given time, for a queue that ends: trained, evaluated and packed.

    python benchmarks/budget.py experiment=main seconds=1500 data.path=path/to/cifar100
    python benchmarks/budget.py experiment=main seconds=36000 jobs=2 trainer.num_train_epochs=15

First it measures each design's images/s, `jobs` of them side by side as they will be trained, and prints its plan: how
long a seed takes, and how many fit. It then trains those, saves and stops what the time did not suffice for, evaluates
what is finished, and packs the records and their best weights into `<study>.tar.gz`. The same command continues.

seconds: in all. jobs: runs side by side; null takes one on each GPU or CPU core (a GPU carries several). plan_only=true
ends after the plan. What else is typed are overrides of train.py.
"""

import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hydra import compose, initialize_config_dir

from cifar100 import sweep
from cifar100.config import CONF, register_resolvers
from cifar100.record import RunDirectory, find_runs

CHECKOUT = Path(__file__).parents[1]
STEPS, ROUNDS = 20, 3
STOP_S = 45  # a launcher gives its workers this long to save
PACKED = ("*.json", "*.jsonl", "config.yaml", "checkpoints/best.safetensors", "evaluation/**/*")


def main() -> None:
    began = time.monotonic()
    options = {"seconds": None, "jobs": None, "plan_only": "false"}
    overrides = []
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if name in options:
            options[name] = value
        else:
            overrides.append(argument)
    if not (options["seconds"] or "").isdecimal() or not any(each.startswith("experiment=") for each in overrides):
        sys.exit(f"{__doc__}\nexperiment= and seconds=, a whole number, are missing")
    deadline = began + int(options["seconds"])
    jobs = int(options["jobs"] or sweep.processes())
    seeds, rows, config = planned(overrides)
    count = plan(seeds, rows, overrides, config, jobs=jobs, deadline=deadline)
    if options["plan_only"] == "true" or not count:
        return
    chosen = [
        *overrides,
        f"seed={','.join(seeds[:count])}",
        "hydra/launcher=processes",
        f"hydra.launcher.n_jobs={jobs}",
    ]
    folder = Path(config.root, config.study)
    reserve = evaluation_s(rows, config) * count + STOP_S
    train(chosen, until=deadline - reserve)
    evaluate_and_pack(folder, config.data.path)


def planned(overrides: list[str]):
    """The sweep's seeds, its rows as overrides, and the first row's configuration."""
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        params = compose("train", overrides, return_hydra_config=True).hydra.sweeper.params
        typed = dict(each.split("=", 1) for each in overrides if "=" in each)
        seeds = str(typed.get("seed", params.get("seed", "0"))).split(",")
        name, _, pattern = str(typed.get("row", params.row)).partition("glob(")
        rows = name.split(",") if name else sorted(file.stem for file in (CONF / "row").glob(pattern.rstrip(")")))
        others = [each for each in overrides if each.split("=")[0] not in ("seed", "row")]
        return seeds, rows, compose("train", [*others, f"row={rows[0]}", f"seed={seeds[0]}"])


def plan(seeds, rows, overrides, config, *, jobs: int, deadline: float) -> int:
    """Measures, prints the plan, and returns how many complete seeds fit."""
    images = (50_000 - config.data.val_size) * config.trainer.num_train_epochs
    others = [each for each in overrides if each.split("=")[0] not in ("seed", "row", "experiment")]
    durations = {}
    print(f"{'row':32} {'images/s':>9} {'start s':>8} {'run s':>8}   ({jobs} side by side)", flush=True)
    for row in rows:
        speed, start_s = measure([f"row={row}", "trainer=fast", *others], jobs)
        SPEEDS[row] = speed
        durations[row] = start_s + images / speed
        print(f"{row:32} {speed:9.0f} {start_s:8.1f} {durations[row]:8.0f}", flush=True)
    seed_s = side_by_side(list(durations.values()), jobs) + evaluation_s(rows, config)
    left = deadline - time.monotonic() - STOP_S
    count = min(len(seeds), int(left / seed_s))
    epochs = int(config.trainer.num_train_epochs * left / seed_s)
    print(f"a seed of {len(rows)} rows: {seed_s:.0f} s; left: {left:.0f} s; seeds that fit: {count} of {len(seeds)}")
    if not count:
        print(f"none fits; trainer.num_train_epochs={epochs} would, and so would fewer rows" if epochs else "none fits")
    return count


SPEEDS: dict[str, float] = {}


def measure(overrides: list[str], jobs: int) -> tuple[float, float]:
    """Images/s of one run among `jobs` equal ones side by side, and the seconds until it is at full speed."""
    code = (
        "import sys, time; start = time.perf_counter(); sys.path.insert(0, sys.argv[1]);"
        "from budget import speed_here; speed_here(sys.argv[2:], start)"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), *overrides]
    with ThreadPoolExecutor(jobs) as pool:
        ended = list(pool.map(lambda _: subprocess.run(command, capture_output=True, text=True), range(jobs)))
    for each in ended:
        if each.returncode:
            sys.exit(f"{' '.join(overrides)} cannot be measured:\n{each.stderr[-2000:]}")
    found = [tuple(map(float, each.stdout.split()[-2:])) for each in ended]
    return min(speed for speed, _ in found), max(start for _, start in found)


def speed_here(overrides: list[str], start: float) -> None:
    """Prints this process's images/s, the median of some rounds, and the seconds that its start took."""
    import numpy as np
    from throughput import BATCH, IMAGES, whole_loop

    # However short the runs to be planned: a loop takes no step beyond its last epoch.
    overrides = [each for each in overrides if not each.startswith("trainer.num_train_epochs=")]
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        loop = whole_loop(images, generator.integers(0, 100, IMAGES).tolist(), STEPS, Path(folder), overrides)
        loop()
        start_s, speeds = time.perf_counter() - start, []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            loop()
            speeds.append(BATCH * STEPS / (time.perf_counter() - began))
    print(sorted(speeds)[ROUNDS // 2], start_s)


def side_by_side(durations: list[float], jobs: int) -> float:
    """The seconds until the last of these runs ends, each begun in turn where a place is free."""
    places = [0.0] * jobs
    for duration in durations:
        place = places.index(min(places))
        places[place] += duration
    return max(places)


def evaluation_s(rows: list[str], config) -> float:
    """Seconds for evaluating one seed: 10,000 images, each a third of a training step, and 15 s for the start."""
    return 15 + sum(10_000 / 3 / SPEEDS[row] for row in rows)


def train(overrides: list[str], *, until: float) -> None:
    """Trains until the time is up, then lets all runs save."""
    process = subprocess.Popen([sys.executable, str(CHECKOUT / "train.py"), "-m", *overrides])
    try:
        process.wait(timeout=max(0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        process.wait()


def evaluate_and_pack(folder: Path, data_path: str | None) -> None:
    finished = [run for run in find_runs(folder) if run.state() == "finished"] if folder.is_dir() else []
    fresh = [str(run.path) for run in finished if not (run.path / "evaluation/metrics.json").exists()]
    if fresh:
        where = [f"data.path={data_path}"] if data_path else []
        listed = f"run_dir=[{','.join(fresh)}]"
        subprocess.run([sys.executable, str(CHECKOUT / "evaluate.py"), listed, "latency=false", *where], check=True)
    packed = Path(f"{folder.name}.tar.gz")
    with tarfile.open(packed, "w:gz") as archive:
        for file in sorted(file for run in finished for file in record_files(run)):
            archive.add(file)
    print(f"{len(finished)} finished runs with their best weights in {packed}")


def record_files(run: RunDirectory) -> list[Path]:
    return [file for pattern in PACKED for file in run.path.glob(pattern) if file.is_file()]


if __name__ == "__main__":
    main()
