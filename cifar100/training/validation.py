"""Metrics of a network on held-out images, and sums over processes."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from cifar100.metrics import Totals, widest
from cifar100.training.faults import name_memory


@torch.no_grad()
def validate(
    forward: Callable[[Tensor], Tensor],
    batches: Iterable[Any],
    loss: Callable[[Tensor, Tensor], Tensor],
    accelerator: Accelerator,
    batch_size: int,
) -> Totals:
    """Top-1, top-5 and loss over all images of all processes, each counted once.

    Args:
        forward: images to logits, in evaluation mode.
        batches: of this process; the last may be smaller than ``batch_size`` and is filled up with copies whose logits
            are dropped, so that a compiled network sees one shape.
        loss: mean loss of a batch.
        accelerator: adds up the processes' sums.
        batch_size: images per full batch.

    Raises:
        OutOfMemoryError: naming the batch and the override that needs less.
    """
    totals = Totals()
    cure = f"trainer.per_device_eval_batch_size={max(1, batch_size // 2)}"
    with name_memory(f"validation, with batches of {batch_size} images", cure):
        for batch in batches:
            count = len(batch.labels)
            images = batch.images
            if count < batch_size:
                index = torch.arange(batch_size, device=images.device).remainder_(count)
                images = images[index].contiguous(memory_format=torch.channels_last)
            with accelerator.autocast():
                logits = forward(images)
            logits = logits[:count].float()
            totals.update(logits, batch.labels, loss(logits, batch.labels))
    return summed(totals, accelerator)


def summed(totals: Totals, accelerator: Accelerator) -> Totals:
    """The sums over all processes."""
    sums = totals.as_tensor().to(accelerator.device, widest(accelerator.device))
    return Totals.from_tensor(accelerator.reduce(sums, reduction="sum").cpu())


def share_buffers(model: nn.Module, accelerator: Accelerator) -> None:
    """Gives every process the main one's statistics of batch norm, which are what the checkpoint holds."""
    if accelerator.num_processes > 1:
        for buffer in model.buffers():
            torch.distributed.broadcast(buffer, src=0)
