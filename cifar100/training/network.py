"""The network as the loop calls it: distributed over processes, compiled, on its device; the average of its weights."""

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

from cifar100.base.errors import UserError
from cifar100.base.values import check_flag, is_number, is_whole

log = logging.getLogger(__name__)
# Processor time of compiling forward and backward pass: 69 s for ResNet-20's 111 modules with bfloat16 on one CPU core.
SECONDS_A_MODULE = 0.6
# On a GPU a pass is launched as one graph, and small kernels that need not wait for each other are one kernel.
# CIFAR100_CUDA_GRAPHS=0 leaves both out.
GRAPHS = {"triton.cudagraphs": True, "combo_kernels": True}


def distributed(model: nn.Module, accelerator: Accelerator) -> nn.Module:
    """``model``, its gradients averaged over the processes.

    Wrapped here and not by ``accelerator.prepare``, which would put autocast inside of what is compiled. Buffers are
    not passed around at every step: in training batch norm normalises by its batch, and the main process's statistics
    are those that are validated and kept.
    """
    if accelerator.num_processes == 1:
        return model
    devices = [accelerator.device] if accelerator.device.type in ("cuda", "xpu") else None
    return nn.parallel.DistributedDataParallel(model, device_ids=devices, broadcast_buffers=False)


def compiled(model: nn.Module, batch_size: int, arguments: Any, accelerator: Accelerator) -> Callable[[Tensor], Tensor]:
    """``model``, through ``torch.compile`` where the arguments want that, for batches of ``batch_size``; on a GPU as
    GRAPHS.

    Not as GRAPHS where several micro-batches add up: gradients live in the graph's memory, which the next pass takes
    (https://github.com/pytorch/pytorch/issues/169545). Nor with several processes, where batch norm keeps torch from
    recording any (https://github.com/pytorch/pytorch/issues/139207).
    """
    if not arguments.torch_compile:
        return model
    alone = accelerator.num_processes == arguments.gradient_accumulation_steps == 1
    wanted = os.environ.get("CIFAR100_CUDA_GRAPHS", "1") != "0"
    return Compiled(model, batch_size, graphs=accelerator.device.type == "cuda" and alone and wanted)


class Compiled:
    """A network compiled for one batch size. Others, such as an epoch's last batch, go through the network itself,
    since a compilation costs more than a run's few odd batches gain."""

    def __init__(self, model: nn.Module, batch_size: int, *, graphs: bool = False) -> None:
        self.model, self.batch_size = model, batch_size
        self.fast = torch.compile(model, dynamic=False, options=GRAPHS if graphs else None)
        self.first = True

    def __call__(self, images: Tensor) -> Tensor:
        if len(images) != self.batch_size:
            return self.model(images)
        if not self.first:
            return self.fast(images)
        self.first = False
        if self.model.training:
            seconds = SECONDS_A_MODULE * sum(1 for _ in self.model.modules())
            log.info("compiling the network (about %.0f s the first time)", seconds)
        return self.fast(images)


class Teacher:
    """A trained network whose logits (n, classes) a loss of distillation takes besides logits and targets.

    It sees the images that the student sees, in evaluation mode, at the same precision, without gradients.
    """

    def __init__(self, network: nn.Module, accelerator: Accelerator, *, compile_model: bool, batch_size: int) -> None:
        network = network.eval().requires_grad_(False).to(accelerator.device, memory_format=torch.channels_last)
        self.network, self.accelerator = network, accelerator
        self.forward = Compiled(network, batch_size) if compile_model else network

    @torch.no_grad()
    def __call__(self, images: Tensor) -> tuple[Tensor]:
        with self.accelerator.autocast():
            logits = self.forward(images)
        return (logits.float(),)


def no_hints(images: Tensor) -> tuple[()]:
    """The further arguments of a loss, besides logits and targets, where nobody teaches: none."""
    return ()


def wait_for(device: torch.device) -> None:
    """Returns when a GPU has done what it was asked for; a CPU always has."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def forget_peak_memory(device: torch.device) -> None:
    """Lets the peak be that of what comes, not of an earlier job of this process. A CPU keeps the process's."""
    if hasattr(module := torch.get_device_module(device), "reset_peak_memory_stats"):
        module.reset_peak_memory_stats(device)


class MovingAverage(AveragedModel):
    """A copy of a network whose weights follow it as ``decay * average + (1 - decay) * weight`` (Polyak averaging;
    Tarvainen and Valpola, arXiv 1703.01780); buffers, such as the statistics of batch norm, are copied.

    torch's AveragedModel, bitwise, by a few kernels for all weights and without waiting for a GPU.

    Args:
        model: the network.
        decay: in (0, 1).
        warmup: whether update t (from 1) uses ``min(decay, (1 + t) / (10 + t))``, so that the first, bad weights are
            soon forgotten (the rule of TensorFlow's ExponentialMovingAverage with ``num_updates``).

    Raises:
        UserError: a decay outside (0, 1).
    """

    def __init__(self, model: nn.Module, decay: float, warmup: bool = False) -> None:
        if not is_number(decay) or not 0 < decay < 1:
            raise UserError(f"ema_decay={decay} must lie between 0 and 1, such as 0.999; null trains without")
        super().__init__(model)
        self.requires_grad_(False)
        self.decay, self.warmup = decay, check_flag("ema_warmup", warmup)

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Takes in the network's weights after a step."""
        count = int(self.n_averaged)  # on the CPU, wherever the network is
        decay = min(self.decay, (1 + count) / (10 + count)) if self.warmup else self.decay
        ours, theirs = list(self.module.parameters()), list(model.parameters())
        if count == 0:
            torch._foreach_copy_(ours, theirs)
        else:
            torch._foreach_lerp_(ours, theirs, 1 - decay)
        if buffers := list(self.module.buffers()):
            torch._foreach_copy_(buffers, list(model.buffers()))
        self.n_averaged += 1


class StochasticAverage(AveragedModel):
    """A network whose weights are the mean of another's at the ends of epochs ``start``, ``start`` + 1, ... (stochastic
    weight averaging with cycles of one epoch; Izmailov et al., arXiv 1803.05407, algorithm 1); before, a copy of it.

    Deviation: the statistics of batch norm, which belong to weights that no batch has seen, are taken anew after every
    epoch, not once at the end, so that each mean is validated and the best one is kept.

    Args:
        model: the network.
        start: the first epoch, from 1, whose weights are part of the mean.
        epochs: of the run.

    Raises:
        UserError: a start that is no epoch of the run.
    """

    def __init__(self, model: nn.Module, start: int, epochs: int) -> None:
        if not is_whole(start) or not 1 <= start <= epochs:
            raise UserError(f"swa_start={start} must be an epoch of this run, from 1 to {epochs}; null trains without")
        super().__init__(model)
        self.requires_grad_(False)
        self.start = start

    def take_epoch(self, model: nn.Module, epoch: int, images: Iterable[Tensor]) -> None:
        """Takes in the network's weights after an epoch; ``images`` are batches of it as they are trained on."""
        if epoch <= self.start:
            self.n_averaged.zero_()
        self.update_parameters(model)
        if self.n_averaged > 1:
            update_bn(images, self.module)
