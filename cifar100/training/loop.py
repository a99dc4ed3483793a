"""The training loop: epochs of steps, validation, checkpoints, and continuing where a run was cut off."""

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator

from cifar100.metrics import Totals
from cifar100.record import RunDirectory
from cifar100.training.errors import Interrupted, ProcessDied
from cifar100.training.interruption import StopRequest, stop_on_signals
from cifar100.training.memory import memory_told
from cifar100.training.progress import Display
from cifar100.training.state import NO_TOTALS, Progress, State, save_best, totals_of
from cifar100.training.step import Step
from cifar100.training.together import check_agreement, is_lost_connection, together
from cifar100.training.validation import validate

log = logging.getLogger(__name__)


@dataclass
class Loop:
    """Trains ``state.model`` until ``epochs`` epochs are done, from the record's last checkpoint if there is one.

    Ends with the same bits whether or not it was interrupted: the order of images and their augmentation depend on
    seed and epoch alone, and every step seeds torch's generators (dropout, drop path) from seed, epoch and step.

    Args:
        record: where checkpoints and metrics go; written by the main process only.
        state: model, optimizer, scheduler and moving average.
        take_step: see :class:`~cifar100.training.step.Step`.
        train_loader: ``epoch(epoch, start_step)`` yields each step's micro-batches; ``steps_per_epoch``.
        val_loader: batches of held-out images, or None to select no model.
        loss: mean loss of logits and targets, for validation.
        accelerator: owns device and processes.
        epochs: to train in all.
        seed: of the run.
        val_batch_size: images per full validation batch.
        track: called with each epoch's row.
        quiet: whether to show no progress bar.
    """

    record: RunDirectory
    state: State
    take_step: Step
    train_loader: Any
    val_loader: Any | None
    loss: Callable
    accelerator: Accelerator
    epochs: int
    seed: int
    val_batch_size: int
    track: Callable[[dict[str, Any]], None] = lambda row: None
    quiet: bool = False

    def run(self) -> Progress:
        """Trains.

        Raises:
            Interrupted: by a signal, after the state was saved.
            Diverged: the loss is not finite.
            ProcessDied: one of the others.
            OSError: the disk is full or read-only; the last checkpoint stays.
            ValueError: a checkpoint that does not fit.
        """
        with together(self.accelerator):
            progress = self._begin()
        check_agreement(self.accelerator, (progress.epoch, progress.step), f"the checkpoint of {self.record.path}")
        steps = self.train_loader.steps_per_epoch
        done = progress.epoch * steps + progress.step
        display = Display(self.epochs, steps, done, quiet=self.quiet or not self._main)
        with stop_on_signals() as request, display:
            try:
                while progress.epoch < self.epochs:
                    self._run_epoch(progress, request, display)
            except RuntimeError as error:
                if request.signum is not None:
                    # The signal has ended a process that this one needed: a compiler, another process of the run.
                    raise Interrupted(request.signum) from error
                if self.accelerator.num_processes > 1 and is_lost_connection(error):
                    raise ProcessDied() from error
                raise
        return progress

    def _begin(self) -> Progress:
        processes = self.accelerator.num_processes
        if not self.record.has_checkpoint("last"):
            return Progress(processes=processes)
        progress = self.state.restore(self.record)
        if progress.processes != processes:
            raise ValueError(
                f"{self.record.path} was begun by {progress.processes} processes, whose steps are not those of "
                f"{processes}; continue it with as many, or start over with force=true"
            )
        if not self._main:
            progress.totals = list(NO_TOTALS)  # the checkpoint has the sums over all processes
        log.info("continuing after epoch %d, step %d", progress.epoch, progress.step)
        return progress

    def _run_epoch(self, progress: Progress, request: StopRequest, display: Display) -> None:
        totals = self.train_epoch(progress, request, display)
        row = self._finish_epoch(progress, totals)
        with together(self.accelerator):
            if self._main:
                self._save_epoch(progress, row)
        self.track(row)
        display.epoch(row)
        if self._asked_to_stop(request):
            raise Interrupted(request.signum or signal.SIGTERM)

    @property
    def _main(self) -> bool:
        return self.accelerator.is_main_process

    @property
    def validated(self) -> torch.nn.Module:
        """The network that is validated and kept as best: the moving average where there is one."""
        average = self.state.average
        return self.state.model if average is None else average.module

    def train_epoch(self, progress: Progress, request: StopRequest, display: Display) -> Totals:
        """Takes the steps of the current epoch that are left; returns its sums over all processes. Raises as run."""
        self.state.model.train()
        totals, epoch = totals_of(progress), progress.epoch + 1
        start = time.perf_counter() - progress.epoch_s
        for micro_batches in self.train_loader.epoch(epoch, progress.step):
            torch.manual_seed(_seed(self.seed, epoch, progress.step, self.accelerator.process_index))
            self.take_step(micro_batches, totals, epoch=epoch, step=progress.step + 1)
            if self.state.average is not None:
                self.state.average.update_parameters(self.state.model)
            progress.step += 1
            progress.epoch_s = time.perf_counter() - start
            if self._asked_to_stop(request):
                self.take_step.check()
                progress.totals = self._reduced(totals).tolist()
                self._stop(progress, request)
            display.step(totals, progress)
        self.take_step.check()
        return Totals.from_tensor(self._reduced(totals))

    def _finish_epoch(self, progress: Progress, totals: Totals) -> dict[str, Any]:
        train = totals.results()
        row = {"epoch": progress.epoch + 1, "train/loss": train["loss"], "train/top1": train["top1"]}
        if self.val_loader is not None:
            # Not through the wrapper for several processes, which would wait for all of them at every batch.
            self._share_buffers()
            forward = self.take_step.compiled(self.validated.eval())
            size = self.val_batch_size
            cure = f"trainer.per_device_eval_batch_size={max(1, size // 2)}"
            with memory_told(f"validation, with batches of {size} images", cure):
                val = validate(forward, self.val_loader, self.loss, self.accelerator, size).results()
            row |= {"val/loss": val["loss"], "val/top1": val["top1"], "val/top5": val["top5"]}
        row |= {
            "lr": self.state.optimizer.param_groups[0]["lr"],
            "epoch_s": progress.epoch_s,
            "images_per_s": train["n"] / max(progress.epoch_s, 1e-9),
        }
        progress.rows.append(row)
        progress.epoch, progress.step, progress.epoch_s, progress.totals = progress.epoch + 1, 0, 0.0, list(NO_TOTALS)
        return row

    def _share_buffers(self) -> None:
        """Gives every process the main one's statistics of batch norm, which are what the checkpoint holds."""
        if self.accelerator.num_processes > 1:
            for buffer in self.validated.buffers():
                torch.distributed.broadcast(buffer, src=0)

    def _save_epoch(self, progress: Progress, row: dict[str, Any]) -> None:
        # The best weights first: a run cut off before the last checkpoint is written repeats the epoch and them.
        if self.val_loader is not None and (progress.best is None or row["val/top1"] > progress.best["val/top1"]):
            progress.best = row
            save_best(self.record, self.validated, row)
        self.record.write_metrics(progress.rows)
        self.state.save(self.record, progress)

    def _asked_to_stop(self, request: StopRequest) -> bool:
        if self.accelerator.num_processes == 1:
            return request.signum is not None
        if request.signum is not None:
            self.accelerator.set_trigger()
        return self.accelerator.check_trigger()

    def _stop(self, progress: Progress, request: StopRequest) -> None:
        with together(self.accelerator):
            if self._main:
                self.state.save(self.record, progress)
        raise Interrupted(request.signum or signal.SIGTERM)

    def _reduced(self, totals: Totals) -> torch.Tensor:
        sums = totals.as_tensor().to(self.accelerator.device)
        return self.accelerator.reduce(sums, reduction="sum").cpu()


def _seed(seed: int, epoch: int, step: int, process: int) -> int:
    """One number below 2**63 from four, far apart for close ones (SplitMix64's finaliser; Steele et al. 2014)."""
    value = 0
    for part in (seed, epoch, step, process):
        value = (value + part + 0x9E3779B97F4A7C15) % 2**64
        value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) % 2**64
        value = ((value ^ value >> 27) * 0x94D049BB133111EB) % 2**64
        value ^= value >> 31
    return value >> 1
