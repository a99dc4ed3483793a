"""How a sweep survives: 30 runs on the digits, killed every few seconds and typed again until all are finished.

    python benchmarks/soak.py                        # about an hour on one core
    python benchmarks/soak.py --epochs 10 --seeds 1  # some minutes
    python benchmarks/soak.py --processes            # the runs side by side, by hydra/launcher=processes

First the sweep is typed once and left alone. Then the same sweep, elsewhere, ends by SIGKILL, a random time of 2 to 30
seconds after a run has saved new state, wherever it is by then, and is typed again; with --processes only the process
of that run is killed, while the others go on. After every kill each record must be readable, and no checkpoint older
than before. At the end all that the runs computed must be bitwise what the undisturbed ones did: weights, averages,
optimizer and scheduler state, metrics. Prints the counts as JSON; the exit status is 1 where anything differs.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from cifar100.record import RunDirectory

CHECKOUT = Path(__file__).parents[1]
SIDE_BY_SIDE = ["hydra/launcher=processes", "hydra.launcher.n_jobs=2"]
SWEEP = [
    "data=digits",
    "data.val_size=360",
    "model.depths=[1,1,1]",
    "model.widths=[8,16,16]",
    "model.drop_path=0.2",
    "augment.mixup_alpha=0.2",
    "ema_decay=0.9",
    "attention=eca,none",
    "optimizer=sgd,adamw,muon",
    "trainer.disable_tqdm=true",
]
TIMES = ("epoch_s", "images_per_s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--seeds", type=int, default=5, help="of each of the six rows")
    parser.add_argument("--processes", action="store_true", help="two runs at once, each in a process of its own")
    parser.add_argument("--pauses", type=float, nargs=2, default=(2, 30), help="shortest and longest, in seconds")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the moments of the kills")
    options = parser.parse_args()
    typed = [*SWEEP, f"trainer.num_train_epochs={options.epochs}", f"seed={','.join(map(str, range(options.seeds)))}"]
    command = [sys.executable, str(CHECKOUT / "train.py"), "-m", *typed]
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        start = time.monotonic()
        subprocess.run([*command, "root=whole"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        undisturbed_s = time.monotonic() - start
        print(f"undisturbed: {undisturbed_s:.0f} s", file=sys.stderr, flush=True)
        killed = [*command, "root=killed", *(SIDE_BY_SIDE if options.processes else [])]
        found = disturb(killed, Path(folder), random.Random(options.seed), options)
        found |= {"moments": options.seed, "undisturbed_s": round(undisturbed_s)}
        found |= compare(Path(folder, "whole/default"), Path(folder, "killed/default"))
    print(json.dumps(found, indent=2))
    sys.exit(1 if found["differing"] or found["runs"] != 6 * options.seeds else 0)


def disturb(command: list[str], folder: Path, moments: random.Random, options: argparse.Namespace) -> dict[str, int]:
    """Types the command until it ends by itself, looking at every record in between."""
    start, hit, kills, in_training, before = time.monotonic(), {}, 0, 0, {}
    status = None
    while status != 0:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, start_new_session=True)
        while kill(process, folder, moments.uniform(*options.pauses), hit, alone=options.processes):
            kills += 1
            now = {path.parent: progress(path.parent) for path in sorted(folder.glob("killed/default/*/config.yaml"))}
            in_training += now != before
            lost = {str(path): (before[path], now.get(path)) for path in before if now.get(path, (0, 0)) < before[path]}
            if lost:
                sys.exit(f"epochs were lost: {lost}")
            before = now
            print(f"kill {kills}: {sum(epoch for epoch, _ in now.values())} epochs", file=sys.stderr, flush=True)
        status = process.returncode
        if status not in (0, -signal.SIGKILL, *([1] if options.processes else [])):
            sys.exit(f"the sweep ended with status {status}")
    leftover = [path.name for path in (folder / "killed").rglob("*.tmp")]
    if leftover:
        sys.exit(f"left behind: {leftover}")
    return {"killed": kills, "killed_after_progress": in_training, "disturbed_s": round(time.monotonic() - start)}


def kill(process: subprocess.Popen, folder: Path, pause_s: float, hit: dict[Path, tuple], *, alone: bool) -> bool:
    """Kills the command and all that it started, or the process of one run alone, a pause after a run has got further
    than when it was last hit; False where the command ends before."""
    while process.poll() is None:
        time.sleep(0.05)
        for path in sorted(folder.glob("killed/default/*/checkpoints/last.safetensors")):
            run = RunDirectory(path.parents[1])
            if run.state() != "running" or progress(run.path) <= hit.get(run.path, (0, 0)):
                continue
            with suppress(subprocess.TimeoutExpired):
                process.wait(pause_s)
                return False
            hit[run.path] = progress(run.path)
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(run.status()["pid"], signal.SIGKILL) if alone else os.killpg(process.pid, signal.SIGKILL)
            if not alone:
                process.wait()
            return True
    return False


def progress(path: Path) -> tuple[int, int]:
    """Epoch and step of a run's checkpoint, everything else read too: a record that cannot be raises."""
    run = RunDirectory(path)
    run.config(), run.status(), run.environment(), run.summary(), run.metrics()
    for name in ("best", "last"):
        if run.has_checkpoint(name):
            _, state = run.load_checkpoint(name)
    if not run.has_checkpoint("last"):
        return 0, 0
    return state["progress"]["epoch"], state["progress"]["step"]


def compare(whole: Path, killed: Path) -> dict[str, object]:
    names = sorted({path.parent.name for folder in (whole, killed) for path in folder.glob("*/status.json")})
    differing = [name for name in names if contents(whole / name) != contents(killed / name)]
    logs = [(killed / name / "train.log").read_text(encoding="utf-8") for name in names]
    continued = sum("continuing after epoch" in log for log in logs)
    return {"runs": len(names), "continued": continued, "differing": differing}


def contents(path: Path) -> dict[str, object]:
    """All that a run computed: bit patterns of its tensors, plain state, metrics without times."""
    run, found = RunDirectory(path), {}
    if run.state() != "finished":
        return {"state": run.state(), "path": str(path)}
    for name in ("last", "best"):
        tensors, state = run.load_checkpoint(name)
        found |= {f"{name} {key}": tensor.numpy().tobytes() for key, tensor in tensors.items()}
        found[name] = {key: state.get(key) for key in ("optimizer", "scheduler")}  # the rest has times in it
    found["rows"] = [{key: value for key, value in row.items() if key not in TIMES} for row in run.metrics()]
    return found


if __name__ == "__main__":
    main()
