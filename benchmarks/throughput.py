"""How fast the training loop is, in images per second on this machine: python benchmarks/throughput.py

Three loops train the same ResNet-20 in turn, round after round, so that a change of the machine's speed meets all:

- loop: this project's whole loop, bfloat16 and torch.compile: fetch, augment, step, metrics, checks;
- copied: the loop of most tutorials: torchvision data set, PIL transforms, DataLoader with 2 workers, float32;
- bare: forward, backward and step on one resident batch, at this project's precision: what no loop can exceed.

Prints the median of each and of the rounds' ratios. Images are random: their content does not change the speed.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torchvision
from hydra import compose, initialize_config_dir
from torch import nn
from torchvision import transforms

from cifar100 import app
from cifar100.config import CONF, build, register_resolvers
from cifar100.data.images import ImageSet
from cifar100.record import RunDirectory
from cifar100.training.faults import StopRequest
from cifar100.training.network import GRAPHS, wait_for
from cifar100.training.progress import Display, Progress

BATCH, IMAGES = 128, 50_000
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
MEAN, STD = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)


class FewSteps:
    """A train loader of which each epoch has ``steps`` steps only."""

    def __init__(self, loader, steps: int) -> None:
        self.loader, self.steps_per_epoch = loader, steps

    def epoch(self, epoch: int, start_step: int = 0) -> Iterator:
        steps = self.loader.epoch(epoch, start_step)
        for _ in range(self.steps_per_epoch):
            yield next(steps)


class InMemory(torchvision.datasets.CIFAR100):
    """torchvision's data set on images that are already there."""

    def __init__(self, images: np.ndarray, labels: list[int], transform: Callable) -> None:
        self.data, self.targets, self.transform, self.target_transform = images, labels, transform, None


def whole_loop(
    images: np.ndarray, labels: list[int], steps: int, folder: Path, overrides: Sequence[str] = ("trainer=fast",)
) -> Callable[[], None]:
    """This project's loop, as ``python train.py data.val_size=0 <overrides>`` builds it."""
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", [*overrides, "data.val_size=0", "trainer.disable_tqdm=true"])
    arguments = build(config.trainer)
    accelerator = app.build_accelerator(config, RunDirectory(folder))
    model = app.build_model(config).to(accelerator.device, memory_format=torch.channels_last)
    train = ImageSet(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.tensor(labels))
    data = SimpleNamespace(train=train, val=None, mean=MEAN, std=STD, class_names=("",) * 100)
    loop = app.build_loop(config, arguments, RunDirectory(folder), model, data, accelerator)
    loop.train_loader = FewSteps(loop.train_loader, steps)
    epochs = iter(range(10**6))
    display = Display(1, steps, 0, quiet=True)
    return lambda: loop.train_epoch(Progress(epoch=next(epochs)), StopRequest(), display) and None


def copied_loop(images: np.ndarray, labels: list[int], steps: int, model: nn.Module) -> Callable[[], float]:
    """The tutorials' loop. Batches prepared while the others ran are used up before the clock starts."""
    crop = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
    data = InMemory(images, labels, transforms.Compose([*crop, transforms.ToTensor(), transforms.Normalize(MEAN, STD)]))
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True, num_workers=2, drop_last=True)
    optimizer = torch.optim.SGD(model.to(DEVICE).parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    criterion, batches = nn.CrossEntropyLoss(), iter(loader)

    def run(count: int = steps) -> None:
        nonlocal batches
        for _ in range(count):
            batch = next(batches, None)
            if batch is None:
                batches = iter(loader)
                batch = next(batches)
            inputs, targets = (each.to(DEVICE) for each in batch)
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = criterion(outputs, targets)
            loss.backward()
            optimizer.step()
            loss.item()
            outputs.argmax(1).eq(targets).sum().item()

    def timed() -> float:
        run(loader.prefetch_factor * loader.num_workers + 2)
        return seconds(run)

    return timed


def bare_step(steps: int, model: nn.Module) -> Callable[[], None]:
    """Forward, backward and step on one batch that stays where it is."""
    model.to(DEVICE, memory_format=torch.channels_last)
    inputs = torch.randn(BATCH, 3, 32, 32, device=DEVICE).contiguous(memory_format=torch.channels_last)
    targets = torch.randint(100, (BATCH,), device=DEVICE)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, fused=True)
    options, criterion = GRAPHS if DEVICE.type == "cuda" else None, nn.CrossEntropyLoss()
    compiled = torch.compile(model, dynamic=False, options=options)

    def run() -> None:
        for _ in range(steps):
            with torch.autocast(DEVICE.type, torch.bfloat16):
                outputs = compiled(inputs)
            criterion(outputs.float(), targets).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    return run


def seconds(run: Callable[[], None]) -> float:
    """How long a call takes."""
    wait_for(DEVICE)
    start = time.perf_counter()
    run()
    wait_for(DEVICE)
    return time.perf_counter() - start


def measure(rounds: int, steps: int, folder: Path) -> dict[str, list[float]]:
    """Images per second of each loop in each round, after one round that compiles and is not counted."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    labels = generator.integers(0, 100, IMAGES).tolist()
    loop = whole_loop(images, labels, steps, folder)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train")
    bare, copied = (app.build_model(config).train() for _ in range(2))
    bare, copied = bare_step(steps, bare), copied_loop(images, labels, steps, copied)
    timers = {"bare": lambda: seconds(bare), "loop": lambda: seconds(loop), "copied": copied}
    found: dict[str, list[float]] = {name: [] for name in timers}
    for index in range(rounds + 1):
        for name, timer in timers.items():
            speed = BATCH * steps / timer()
            if index:
                found[name].append(speed)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds (default: 7)")
    parser.add_argument("--steps", type=int, default=30, help="steps of each loop in a round (default: 30)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.rounds, options.steps, Path(folder))
    for name, speeds in found.items():
        print(f"{name:7} {statistics.median(speeds):7.0f} images/s  ({min(speeds):.0f} to {max(speeds):.0f})")
    for other in ("copied", "bare"):
        ratios = [a / b for a, b in zip(found["loop"], found[other], strict=True)]
        print(f"loop / {other}: {statistics.median(ratios):.3f}  ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
