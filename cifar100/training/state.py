"""The content of a checkpoint: everything that a continued run needs to end with the same bits."""

import logging
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Self

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.base.values import is_finite
from cifar100.metrics import Totals
from cifar100.record import RunDirectory, flatten_state, unflatten_state
from cifar100.training.form import UNFIT, check_form
from cifar100.training.network import MovingAverage, StochasticAverage

log = logging.getLogger(__name__)
NO_TOTALS = (0.0,) * 4


@dataclass
class Progress:
    """Where a run stands. Random numbers need no place here: each step draws from (seed, epoch, step).

    ``epoch`` counts finished epochs and ``step`` the optimizer steps taken in the current one, whose running sums are
    ``totals`` and whose seconds so far ``epoch_s``; ``rows`` are the lines of metrics.jsonl; ``processes`` is by how
    many processes the run was begun.
    """

    epoch: int = 0
    step: int = 0
    epoch_s: float = 0.0
    totals: list[float] = field(default_factory=lambda: list(NO_TOTALS))
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    processes: int = 1

    @classmethod
    def from_record(cls, data: dict[str, Any]) -> Self:
        """The progress that a checkpoint has. Raises one of UNFIT where it is none."""
        found = cls(**data)
        counts = [data["epoch"], data["step"], found.processes]
        numbers = [found.epoch_s, *found.totals, *(row["epoch_s"] for row in data["rows"])]
        if found.best is not None:
            counts, numbers = [*counts, found.best["epoch"]], [*numbers, found.best["val/top1"]]
        good = all(type(each) is int and each >= 0 for each in counts)
        good &= all(is_finite(each) for each in numbers)
        rows = [row["epoch"] for row in found.rows]
        if (
            not good
            or len(found.totals) != len(NO_TOTALS)
            or [len(rows), *rows] != [found.epoch, *range(1, len(rows) + 1)]
        ):
            raise UserError("its progress is none of a run")
        return found

    def running_totals(self) -> Totals:
        """The running sums of the current epoch."""
        return Totals.from_tensor(torch.tensor(self.totals, dtype=torch.float64))

    def is_out_of_patience(self, patience: int | None) -> bool:
        """Whether ``patience`` epochs have passed since the best one."""
        return patience is not None and self.best is not None and self.epoch - self.best["epoch"] >= patience

    def finish_epoch(
        self,
        totals: Totals,
        validated: dict[str, float],
        lr: float,
        sparsity: float | None = None,
        may_be_best: bool = True,
    ) -> dict[str, Any]:
        """Goes on to the next epoch; returns the row of metrics.jsonl of the one that is over.

        Args:
            totals: sums over the epoch's training images.
            validated: metrics on the held-out images, none without them; the best epoch is the first of the highest
                ``val/top1``.
            lr: learning rate after the epoch.
            sparsity: of a network that is pruned as it trains.
            may_be_best: false before the last weight is pruned.
        """
        train = totals.results()
        row = {"epoch": self.epoch + 1, "train/loss": train["loss"], "train/top1": train["top1"], **validated, "lr": lr}
        row |= {"epoch_s": self.epoch_s, "images_per_s": train["n"] / max(self.epoch_s, 1e-9)}
        row |= {} if sparsity is None else {"sparsity": sparsity}
        self.rows.append(row)
        if validated and may_be_best and (self.best is None or row["val/top1"] > self.best["val/top1"]):
            self.best = row
        self.epoch, self.step, self.epoch_s, self.totals = self.epoch + 1, 0, 0.0, list(NO_TOTALS)
        return row


@dataclass
class State:
    """The objects that change while a run goes on, but for ``frozen``, parts of the model that are not trained."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    average: MovingAverage | StochasticAverage | None = None
    scaler: Any = None
    frozen: tuple[nn.Module, ...] = ()

    @property
    def validated(self) -> nn.Module:
        """The network that is validated and kept as best: the average where there is one."""
        return self.model if self.average is None else self.average.module

    def average_step(self) -> None:
        """Lets a moving average follow the weights of a step."""
        if isinstance(self.average, MovingAverage):
            self.average.update_parameters(self.model)

    def average_epoch(self, epoch: int, images: Iterable[Tensor]) -> None:
        """Lets a stochastic average take in the weights of an epoch, of whose images it draws what it needs."""
        if isinstance(self.average, StochasticAverage):
            self.average.take_epoch(self.model, epoch, images)

    def begin(self, record: RunDirectory, accelerator: Accelerator, epochs: int, steps: int) -> Progress:
        """Takes up the record's last checkpoint, if there is one, of a run of so many epochs of so many steps. Raises
        as restore, and ValueError for a run that was begun by another number of processes."""
        processes = accelerator.num_processes
        if not record.has_checkpoint("last"):
            return Progress(processes=processes)
        progress = self.restore(record, epochs, steps)
        if progress.processes != processes:
            raise UserError(
                f"{record.path} was begun by {progress.processes} processes, whose steps are not those of "
                f"{processes}; continue it with as many, or start over with force=true"
            )
        if not accelerator.is_main_process:
            progress.totals = list(NO_TOTALS)  # the checkpoint has the sums over all processes
        log.info("continuing after epoch %d, step %d", progress.epoch, progress.step)
        return progress

    def save(self, record: RunDirectory, progress: Progress) -> None:
        """Replaces the checkpoint ``last``. Raises OSError where the disk is full; the old one stays."""
        tensors = _named("model.", self.model.state_dict())
        optimizer, plain = flatten_state(self.optimizer.state_dict(), "optimizer")
        tensors |= optimizer
        state = {"progress": asdict(progress), "optimizer": plain, "scheduler": self.scheduler.state_dict()}
        if self.average is not None:
            tensors |= _named("average.", self.average.state_dict())
        if self.scaler is not None:
            state["scaler"] = self.scaler.state_dict()
        record.save_checkpoint("last", tensors, state)

    def save_epoch(self, record: RunDirectory, progress: Progress) -> None:
        """Notes the epoch that has just been finished, and its weights as ``best`` where they are.

        The best weights first: a run cut off before the last checkpoint is written repeats the epoch and them.
        """
        if progress.best is progress.rows[-1]:
            tensors = _named("model.", self.validated.state_dict())
            record.save_checkpoint("best", tensors, {"metrics": progress.best})
        record.write_metrics(progress.rows)
        self.save(record, progress)

    def restore(self, record: RunDirectory, epochs: float = math.inf, steps: float = math.inf) -> Progress:
        """Takes up the checkpoint ``last``, or the one before it where it is damaged. Raises RecordError where there is
        no good one, or it is another network's."""
        return record.load_checkpoint("last", partial(self._take_up, epochs, steps))

    def _take_up(self, epochs: float, steps: float, tensors: dict[str, Tensor], state: dict[str, Any]) -> Progress:
        try:
            progress = Progress.from_record(state["progress"])
            if progress.epoch > epochs or progress.step > steps:
                raise UserError("it is beyond the end")
            optimizer = unflatten_state(state["optimizer"], tensors)
            check_form(self.optimizer, self.scheduler, optimizer, state["scheduler"])
            self.model.load_state_dict(_taken("model.", tensors))
            self.optimizer.load_state_dict(optimizer)
            self.scheduler.load_state_dict(state["scheduler"])
            if self.average is not None:
                self.average.load_state_dict(_taken("average.", tensors))
            if self.scaler is not None:
                self.scaler.load_state_dict({name: value + 0 for name, value in state["scaler"].items()})
            return progress
        except torch.OutOfMemoryError:
            raise
        except UNFIT as error:
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            first = kind + (str(error).strip().splitlines() or [""])[0]
            raise UserError(f"does not fit this run ({first}); force=true starts over") from error


def _named(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _taken(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
