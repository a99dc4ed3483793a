"""The state of a run and its checkpoint, which has everything that a continued run needs to end with the same bits."""

import copy
import logging
import math
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from cifar100.base.errors import UserError
from cifar100.base.values import is_number
from cifar100.record import RunDirectory, flatten_state, unflatten_state
from cifar100.training.faults import check_agreement, fail_together
from cifar100.training.network import MovingAverage, StochasticAverage
from cifar100.training.progress import NO_TOTALS, Progress

log = logging.getLogger(__name__)
# What a checkpoint of another form raises, wherever it is taken up.
UNFIT = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass
class State:
    """The objects that change while a run goes on, but for ``frozen``, parts of the model that are not trained."""

    model: nn.Module
    optimizer: Optimizer
    scheduler: LRScheduler
    average: MovingAverage | StochasticAverage | None = None
    scaler: Any = None
    frozen: tuple[nn.Module, ...] = ()

    @property
    def validated(self) -> nn.Module:
        """The network that is validated and kept as best: the average where there is one."""
        return self.model if self.average is None else self.average.module

    def train(self) -> None:
        """Training mode, but for the frozen parts, which keep their statistics of batch norm."""
        self.model.train()
        for part in self.frozen:
            part.eval()

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
        as restore, and UserError for a run that was begun by another number of processes, or looks to them as if it
        stood in different places."""
        with fail_together(accelerator):
            progress = self._begun(record, accelerator, epochs, steps)
        check_agreement(accelerator, (progress.epoch, progress.step), f"the checkpoint of {record.path}")
        return progress

    def _begun(self, record: RunDirectory, accelerator: Accelerator, epochs: int, steps: int) -> Progress:
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
            _check_form(self.optimizer, self.scheduler, optimizer, state["scheduler"])
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


def _check_form(
    optimizer: Optimizer, scheduler: LRScheduler, optimizer_state: dict[str, Any], scheduler_state: dict[str, Any]
) -> None:
    """Raises one of UNFIT where the states have not the form that those of copies have after a step: optimizers look at
    no shape of what they load, and the fused ones read and write beyond a tensor that is too small."""
    copies = copy.deepcopy((optimizer, scheduler))
    try:
        with warnings.catch_warnings(action="ignore"):  # that the copy's step is not the one that a schedule watches
            _step(*copies)
    except UNFIT:
        return  # of a kind that keeps what copies lack
    ours = copies[0].state_dict()
    for index, state in optimizer_state["state"].items():
        _check_alike(state, ours["state"][index])
    for group, known in zip(optimizer_state["param_groups"], ours["param_groups"], strict=True):
        _check_alike(
            {key: group[key] for key in group.keys() & known}, {key: known[key] for key in group.keys() & known}
        )
    copies[1].load_state_dict(scheduler_state)
    copies[1].step()
    if not all(math.isfinite(group["lr"]) for group in copies[0].param_groups):
        raise UserError("its learning rate is no finite number")


def _check_alike(theirs: Any, ours: Any) -> None:
    """Raises one of UNFIT where one is no tensor of the other's shape, or a value of another kind."""
    if isinstance(ours, Tensor) or isinstance(theirs, Tensor):
        if theirs.shape != ours.shape or theirs.is_floating_point() != ours.is_floating_point():
            raise UserError(f"a tensor of its optimizer has the shape {tuple(theirs.shape)}, not {tuple(ours.shape)}")
    elif isinstance(ours, dict):
        if theirs.keys() != ours.keys():
            raise UserError("its optimizer keeps other things")
        for key, value in ours.items():
            _check_alike(theirs[key], value)
    elif isinstance(ours, list | tuple):
        for one, other in zip(theirs, ours, strict=True):
            _check_alike(one, other)
    elif is_number(theirs) != is_number(ours) or isinstance(theirs, dict | list):  # other machines may have other flags
        raise UserError(f"an option of its optimizer is {str(theirs)[:40]!r}, not {str(ours)[:40]!r}")


def _step(optimizer: Optimizer, scheduler: LRScheduler) -> None:
    """A step by gradients of zero."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
    optimizer.step()
    scheduler.step()
