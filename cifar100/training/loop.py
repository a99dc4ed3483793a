"""The path of a batch, read from top to bottom: run, epoch, step, forward and backward pass, validation."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from cifar100.base.counter import combined_seed
from cifar100.metrics import Totals
from cifar100.record import RunDirectory
from cifar100.training.arguments import length
from cifar100.training.faults import (
    BUNCH,
    LossWatch,
    StopRequest,
    fail_together,
    name_lost_processes,
    name_memory,
    smaller_batches,
    stop_on_signals,
)
from cifar100.training.network import compiled, distributed, forget_peak_memory, no_hints, wait_for
from cifar100.training.progress import Display, Progress
from cifar100.training.pruning import NoPruning
from cifar100.training.state import State
from cifar100.training.validation import share_buffers, summed, validate


@dataclass
class Loop:
    """Trains ``state.model`` until all epochs are done, from the record's last checkpoint if there is one.

    Ends with the same bits whether or not it was interrupted: the order of images and their augmentation depend on
    seed and epoch alone, and every step seeds torch's generators (dropout, drop path) from seed, epoch and step.

    Args:
        record: where checkpoints and metrics go; written by the main process only.
        state: model, on the accelerator's device, with optimizer, scheduler and moving average.
        train_loader: ``epoch(epoch, start_step)`` yields each step's micro-batches; ``steps_per_epoch``.
        val_loader: batches of held-out images, or None to select no model.
        loss: mean loss of logits and targets.
        accelerator: owns device, precision and processes, and passes each epoch's row on to trackers.
        arguments: see :func:`~cifar100.training.arguments.training_arguments`.
        seed: of the run.
        hints: images to what else the loss takes in training, such as a teacher's logits.
        pruning: sets weights to 0 as the network trains.
        early_stopping_patience: epochs without a better ``val/top1`` after which the run ends; None for no such end.
        quiet: whether to show no progress bar.
        judge: takes the row of each epoch, and raises Pruned where a search gives the run up.
    """

    record: RunDirectory
    state: State
    train_loader: Any
    val_loader: Any | None
    loss: nn.Module
    accelerator: Accelerator
    arguments: Any
    seed: int
    hints: Callable[[Tensor], tuple[Tensor, ...]] = no_hints
    pruning: NoPruning = field(default_factory=NoPruning)
    early_stopping_patience: int | None = None
    quiet: bool = False
    judge: Callable[[dict[str, Any]], None] | None = None

    def __post_init__(self) -> None:
        self.optimizer = self.accelerator.prepare_optimizer(self.state.optimizer)
        self.network = distributed(self.state.model, self.accelerator)
        train_size, size = self.arguments.per_device_train_batch_size, self.arguments.per_device_eval_batch_size
        self.forward = compiled(self.network, train_size, self.arguments, self.accelerator)
        # Not through the wrapper for several processes, which would wait for all of them at every batch.
        self.validation = compiled(self.state.validated, size, self.arguments, self.accelerator)
        self.losses = LossWatch(self.accelerator)
        # Steps between two questions whether to stop, for which GPUs wait for each other.
        self.stop_interval = 1 if self.accelerator.device.type == "cpu" else BUNCH

    def run(self) -> Progress:
        """Trains.

        Raises:
            Interrupted: by a signal, after the state was saved.
            Diverged: the loss is not finite.
            Pruned: by ``judge``, after the state was saved.
            ProcessDied: one of the others.
            OSError: the disk is full or read-only; the last checkpoint stays.
            ValueError: a checkpoint that does not fit.
        """
        steps = self.train_loader.steps_per_epoch
        epochs, _ = length(self.arguments, steps)
        progress = self.state.begin(self.record, self.accelerator, epochs, steps)
        main, quiet = self.accelerator.is_main_process, self.quiet or self.arguments.disable_tqdm
        display = Display(epochs, steps, progress.epoch * steps + progress.step, quiet=quiet or not main, main=main)
        forget_peak_memory(self.accelerator.device)
        with stop_on_signals() as request, display, name_lost_processes(self.accelerator, request):
            while progress.epoch < epochs and not progress.is_out_of_patience(self.early_stopping_patience):
                totals = self.train_epoch(progress, request, display)
                row = self._finish_epoch(progress, totals)
                self.accelerator.log(row, step=row["epoch"])  # first: a kill in between repeats the epoch, and its row
                with fail_together(self.accelerator):
                    if self.accelerator.is_main_process:
                        self.state.save_epoch(self.record, progress)
                display.epoch(row)
                if self.judge is not None:
                    self.judge(row)
                if request.is_shared(self.accelerator):
                    raise request.interruption()
        return progress

    def train_epoch(self, progress: Progress, request: StopRequest, display: Display) -> Totals:
        """Takes the steps of the current epoch that are left; returns its sums over all processes. Raises as run."""
        self.state.train()
        totals, epoch = progress.running_totals(), progress.epoch + 1
        start = time.perf_counter() - progress.epoch_s
        steps = self.train_loader.steps_per_epoch
        left = length(self.arguments, steps)[1] - progress.epoch * steps - progress.step
        for micro_batches in islice(self.train_loader.epoch(epoch, progress.step), max(0, left)):
            torch.manual_seed(combined_seed(self.seed, epoch, progress.step, self.accelerator.process_index))
            self.take_step(micro_batches, totals, epoch=epoch, step=progress.step + 1)
            progress.step += 1
            progress.epoch_s = time.perf_counter() - start
            asked = request.is_shared(self.accelerator, ask=progress.step % self.stop_interval == 0)
            if asked or (self.arguments.save_steps and progress.step % self.arguments.save_steps == 0):
                self._save(progress, totals)
                start = time.perf_counter() - progress.epoch_s
            if asked:
                raise request.interruption()
            display.step(totals, progress)
        self.losses.check()
        wait_for(self.accelerator.device)
        progress.epoch_s = time.perf_counter() - start
        return summed(totals, self.accelerator)

    def take_step(self, micro_batches: Sequence[Any], totals: Totals, *, epoch: int, step: int) -> None:
        """Forward, backward and update on the micro-batches of one optimizer step; adds its predictions to ``totals``.

        The gradient is that of the mean loss over all images of the step, whatever the number of processes and
        micro-batches: each micro-batch's mean counts by its share of the images.

        Raises:
            Diverged: a loss that is not finite; on a CPU before the weights change.
            OutOfMemoryError: naming the batch, and overrides that need less.
        """
        lr, loss = self.optimizer.param_groups[0]["lr"], 0.0
        size, count = len(micro_batches[0].labels), len(micro_batches)
        with name_memory(f"epoch {epoch}, step {step}, with batches of {size} images", smaller_batches(size, count)):
            for index, batch in enumerate(micro_batches):
                with nullcontext() if index + 1 == count else self.accelerator.no_sync(self.network):
                    loss = loss + self._backward(batch, totals)
            self.losses.note(loss, epoch, step, lr)
            if self.arguments.max_grad_norm:
                self.accelerator.clip_grad_norm_(self.network.parameters(), self.arguments.max_grad_norm)
            with self.pruning.around(epoch, step, self.state.model, self.state.validated):
                self.optimizer.step()
                self.state.average_step()
            self.optimizer.zero_grad(set_to_none=True)
            self.state.scheduler.step()

    def _backward(self, batch: Any, totals: Totals) -> Tensor:
        """This micro-batch's part in the mean loss of the step, times the number of processes."""
        with self.accelerator.autocast():
            logits = self.forward(batch.images)
        logits = logits.float()
        loss = self.loss(logits, batch.targets, *self.hints(batch.images))
        share = len(batch.labels) * self.accelerator.num_processes / batch.step_size
        part = loss if share == 1 else loss * share
        self.accelerator.backward(part)
        totals.update(logits.detach(), batch.labels, loss.detach())
        return part.detach()

    def _finish_epoch(self, progress: Progress, totals: Totals) -> dict[str, Any]:
        """The row of the epoch whose steps are taken, with metrics on the held-out images where there are some."""
        epoch, network, found = progress.epoch + 1, self.state.validated, {}
        # A mean over epochs has statistics of batch norm that need the images of this one again.
        torch.manual_seed(combined_seed(self.seed, epoch, self.train_loader.steps_per_epoch, 0))
        images = (batch.images for step in self.train_loader.epoch(epoch, 0) for batch in step)
        with self.accelerator.autocast():
            self.state.average_epoch(epoch, images)
        if self.val_loader is not None:
            share_buffers(network.eval(), self.accelerator)
            size = self.arguments.per_device_eval_batch_size
            found = validate(self.validation, self.val_loader, self.loss, self.accelerator, size).results()
        validated = {f"val/{name}": found[name] for name in ("loss", "top1", "top5") if found}
        lr, may_be_best = self.state.optimizer.param_groups[0]["lr"], self.pruning.is_complete(epoch)
        return progress.finish_epoch(totals, validated, lr, self.pruning.sparsity_of(network), may_be_best)

    def _save(self, progress: Progress, totals: Totals) -> None:
        """Saves the state within an epoch."""
        self.losses.check()
        progress.totals = summed(totals, self.accelerator).as_tensor().tolist()
        with fail_together(self.accelerator):
            if self.accelerator.is_main_process:
                self.state.save(self.record, progress)
