"""One optimizer step."""

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from cifar100.metrics import Totals
from cifar100.training.errors import Diverged
from cifar100.training.memory import memory_told

# On a GPU reading a loss waits for it, so losses are looked at in bunches.
BUNCH = 50


class Step:
    """Forward, backward and update on the micro-batches of one optimizer step.

    The gradient is that of the mean loss over all images of the step, whatever the number of processes and
    micro-batches: each micro-batch's mean counts by its share of the images.

    Args:
        model: the network, on the accelerator's device; with several processes their gradients are averaged.
        optimizer: as ``accelerator.prepare_optimizer`` gave it.
        scheduler: stepped once per optimizer step.
        loss: mean loss of logits and targets.
        accelerator: owns precision and processes.
        compile_model: whether to run the model through ``torch.compile``, one graph per batch size.
        max_grad_norm: norm that the gradient is clipped to; 0 for no clipping.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        scheduler: torch.optim.lr_scheduler.LRScheduler,
        loss: nn.Module,
        accelerator: Accelerator,
        *,
        compile_model: bool = False,
        max_grad_norm: float = 0.0,
    ) -> None:
        self.model = _distributed(model, accelerator)
        self.optimizer, self.scheduler, self.loss = optimizer, scheduler, loss
        self.accelerator, self.max_grad_norm, self.compile_model = accelerator, max_grad_norm, compile_model
        self.forward = self.compiled(self.model)
        self.unchecked: list[tuple[Tensor, int, int, float]] = []

    def __call__(self, micro_batches: Sequence[tuple], totals: Totals, *, epoch: int, step: int) -> None:
        """Takes the step and adds its predictions to ``totals``.

        Raises:
            Diverged: a loss that is not finite; on a CPU before the weights change.
            OutOfMemoryError: naming the batch, and overrides that need less.
        """
        size = len(micro_batches[0].labels)
        what = f"epoch {epoch}, step {step}, with batches of {size} images"
        with memory_told(what, _smaller(size, len(micro_batches))):
            self._take(micro_batches, totals, epoch, step)

    def _take(self, micro_batches: Sequence[tuple], totals: Totals, epoch: int, step: int) -> None:
        lr, mean = self.optimizer.param_groups[0]["lr"], 0.0
        for index, batch in enumerate(micro_batches):
            last = index + 1 == len(micro_batches)
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                mean = mean + self._backward(batch, totals)
        self.unchecked.append((mean, epoch, step, lr))
        if mean.device.type == "cpu" or len(self.unchecked) >= BUNCH:
            self.check()
        if self.max_grad_norm:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.scheduler.step()

    def _backward(self, batch: tuple, totals: Totals) -> Tensor:
        """This micro-batch's part in the mean loss of the step, times the number of processes."""
        with self.accelerator.autocast():
            logits = self.forward(batch.images)
        logits = logits.float()
        loss = self.loss(logits, batch.targets)
        share = len(batch.labels) * self.accelerator.num_processes / batch.step_size
        part = loss if share == 1 else loss * share
        self.accelerator.backward(part)
        totals.update(logits.detach(), batch.labels, loss.detach())
        return part.detach()

    def compiled(self, model: nn.Module) -> nn.Module:
        """``model``, through ``torch.compile`` where this step's model goes through it."""
        return torch.compile(model, dynamic=False) if self.compile_model else model

    def check(self) -> None:
        """Looks at the losses since the last check. Processes do so together, and stop together.

        Raises:
            Diverged: at the first that is not finite.
        """
        if not self.unchecked:
            return
        losses = torch.stack([loss for loss, *_ in self.unchecked])
        losses = self.accelerator.reduce(losses, reduction="mean").tolist()
        for value, (_, epoch, step, lr) in zip(losses, self.unchecked, strict=True):
            if not abs(value) < float("inf"):
                raise Diverged(epoch, step, lr, value)
        self.unchecked.clear()


def _smaller(batch_size: int, accumulation: int) -> str:
    """The overrides for steps of as many images in smaller batches."""
    if batch_size == 1:
        return "trainer.bf16=true or a smaller network"
    size, batches = f"per_device_train_batch_size={batch_size // 2}", f"gradient_accumulation_steps={2 * accumulation}"
    return f"trainer.{size} trainer.{batches}, or trainer.bf16=true"


def _distributed(model: nn.Module, accelerator: Accelerator) -> nn.Module:
    """``model``, its gradients averaged over the processes.

    Wrapped here and not by ``accelerator.prepare``, which would put autocast inside of what is compiled.
    """
    if accelerator.num_processes == 1:
        return model
    devices = [accelerator.device] if accelerator.device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(model, device_ids=devices)
