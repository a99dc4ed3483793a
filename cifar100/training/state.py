"""What a checkpoint holds: everything that a continued run needs to end with the same bits."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from cifar100.metrics import Totals
from cifar100.record import RunDirectory, flatten_state, unflatten_state

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


@dataclass
class State:
    """The objects that change while a run goes on."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    average: nn.Module | None = None
    scaler: Any = None

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

    def restore(self, record: RunDirectory) -> Progress:
        """Takes up the checkpoint ``last``. Raises RecordError where it is damaged, ValueError where it is another
        network's."""
        tensors, state = record.load_checkpoint("last")
        try:
            self.model.load_state_dict(_taken("model.", tensors))
            self.optimizer.load_state_dict(unflatten_state(state["optimizer"], tensors))
            self.scheduler.load_state_dict(state["scheduler"])
            if self.average is not None:
                self.average.load_state_dict(_taken("average.", tensors))
            if self.scaler is not None:
                self.scaler.load_state_dict(state["scaler"])
            return Progress(**state["progress"])
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise ValueError(
                f"{record.checkpoint_path('last')} does not fit this run ({first}); force=true starts over"
            ) from error


def save_best(record: RunDirectory, model: nn.Module, row: dict[str, Any]) -> None:
    """Replaces the checkpoint ``best``: the weights that were validated, and the epoch's metrics."""
    record.save_checkpoint("best", _named("model.", model.state_dict()), {"metrics": row})


def totals_of(progress: Progress) -> Totals:
    """The running sums of the current epoch."""
    return Totals.from_tensor(torch.tensor(progress.totals, dtype=torch.float64))


def _named(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _taken(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
