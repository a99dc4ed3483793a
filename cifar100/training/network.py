"""The network as the loop calls it: distributed over processes, compiled."""

import torch
from accelerate import Accelerator
from torch import nn


def distributed(model: nn.Module, accelerator: Accelerator) -> nn.Module:
    """``model``, its gradients averaged over the processes.

    Wrapped here and not by ``accelerator.prepare``, which would put autocast inside of what is compiled.
    """
    if accelerator.num_processes == 1:
        return model
    devices = [accelerator.device] if accelerator.device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(model, device_ids=devices)


def compiled(model: nn.Module, wanted: bool) -> nn.Module:
    """``model``, through ``torch.compile`` where that is wanted, one graph per batch size."""
    return torch.compile(model, dynamic=False) if wanted else model
