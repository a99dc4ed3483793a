"""Which function a network is, apart from its weights: so that one network typed in two ways is found to be one."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

SEED = 0
BATCH = 2
LOGITS = 4  # of each image


def fingerprint(model: nn.Module, input_shape: tuple[int, int, int]) -> dict[str, Any]:
    """A digest of the names and shapes of a network's parameters and buffers, and what it answers with fixed weights.

    On a copy in float64 every parameter and running statistic gets fixed random values, so that trained weights do not
    matter and a branch that starts at zero shows. Batch norms first take over the statistics of one batch, lest answers
    grow without bound. A second batch of 2 images of `input_shape` (channels, height, width) then goes through in
    training mode under a fixed seed, which shows dropped paths and dropout, and again in evaluation mode, which shows
    the momentum of running statistics. Two networks whose digests are equal and whose answers agree to 1e-6 are taken
    for one; how they are initialised is not looked at.

    Returns:
        `sha256`, and under `train` and `eval` the first 4 logits of each image. A compiled model is taken as the
        module it wraps; the model itself and torch's random state stay as they are.
    """
    probed = copy.deepcopy(getattr(model, "_orig_mod", model)).to("cpu", torch.float64)
    digest = hashlib.sha256(json.dumps(_layout(probed)).encode()).hexdigest()
    generator = torch.Generator().manual_seed(SEED)
    earlier, images = torch.randn(2, BATCH, *input_shape, generator=generator, dtype=torch.float64)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        _fill(probed, generator)
        torch.manual_seed(SEED)
        with _momentum_of_one(probed):
            probed.train()(earlier)
        train = probed(images)
        evaluated = probed.eval()(images)
    return {"sha256": digest, "train": _first(train), "eval": _first(evaluated)}


def _layout(model: nn.Module) -> list[tuple[str, list[int]]]:
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return sorted((name, list(tensor.shape)) for name, tensor in tensors)


def _fill(model: nn.Module, generator: torch.Generator) -> None:
    """Random values in the order of names: weights of unit gain, so that no gate saturates and hides what lies behind;
    scales, shifts and running statistics between 1/2 and 3/2. Other buffers are constants of the network and stay."""
    statistics = [
        (name, each) for name, each in model.named_buffers() if name.endswith(("running_mean", "running_var"))
    ]
    for _, tensor in sorted([*model.named_parameters(), *statistics], key=lambda named: named[0]):
        if tensor.dim() > 1:
            tensor.normal_(generator=generator).div_(math.sqrt(max(1, tensor[0].numel())))
        else:
            tensor.uniform_(0.5, 1.5, generator=generator)


@contextmanager
def _momentum_of_one(model: nn.Module) -> Iterator[None]:
    """Running statistics are those of the last batch, for the length of the block."""
    modules = [module for module in model.modules() if getattr(module, "running_mean", None) is not None]
    momenta = [module.momentum for module in modules]
    for module in modules:
        module.momentum = 1.0
    yield
    for module, momentum in zip(modules, momenta, strict=True):
        module.momentum = momentum


def _first(logits: Tensor) -> list[float]:
    return logits[:, :LOGITS].flatten().tolist()
