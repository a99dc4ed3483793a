"""Gradual pruning by magnitude: weights become 0 while the network trains, on a schedule of its steps."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.base.values import check_range, check_whole, is_number


class NoPruning:
    """All weights stay."""

    def around(self, epoch: int, step: int, network: nn.Module, average: nn.Module) -> AbstractContextManager[None]:
        """Encloses an update of ``network`` and of the average of its weights; epoch and step count from 1."""
        return nullcontext()

    def sparsity_of(self, network: nn.Module) -> float | None:
        """The share of zeros among the weights that are pruned; None where none are."""
        return None

    def is_complete(self, epoch: int) -> bool:
        """Whether nothing more will be pruned once so many epochs are over."""
        return True


class MagnitudePruning(NoPruning):
    """Sets the smallest weights of each layer to 0, more of them as training goes on (Zhu and Gupta, arXiv 1710.01878).

    After step ``t`` of ``T``, a multiple of ``interval`` after ``t0 = begin T``, the share of zeros is
    ``sparsity (1 - (1 - (t - t0) / (t1 - t0))^3)``, ``t1 = end T`` (equation 1 from a sparsity of 0). As in the
    paper's MobileNets, the stem and depthwise convolutions keep all their few weights; so do norms and biases.

    A weight that is 0 stays 0: the paper hides pruned weights behind a mask and may show them again; here they are
    gone, so that the weights of a checkpoint are all that a continued run needs.

    Args:
        num_training_steps: optimizer steps of the run, T.
        steps_per_epoch: optimizer steps of an epoch.
        sparsity: in (0, 1), of each layer in the end.
        begin: share of the steps before the first pruning, in [0, 1).
        end: share of the steps at which ``sparsity`` is reached, in (begin, 1].
        interval: steps between prunings.

    Raises:
        UserError: a value out of range.
    """

    def __init__(
        self,
        num_training_steps: int,
        steps_per_epoch: int,
        *,
        sparsity: float,
        begin: float = 0.0,
        end: float = 0.5,
        interval: int = 10,
    ) -> None:
        check_range("pruning.sparsity", sparsity, 0.9, above=0, below=1)
        check_range("pruning.begin", begin, 0, minimum=0, below=1)
        if not is_number(end) or not begin < end <= 1:
            cure = f"such as {(begin + 1) / 2:g}"
            raise UserError(f"pruning.end={end} must be above pruning.begin={begin} and at most 1, {cure}")
        check_whole("pruning.interval", interval, cure=", the steps between prunings")
        self.sparsity, self.interval, self.steps_per_epoch = sparsity, interval, steps_per_epoch
        self.first = round(begin * num_training_steps)
        self.last = max(self.first + 1, round(end * num_training_steps))

    def sparsity_after(self, step: int) -> float:
        """The share of zeros that is due after so many steps of the run."""
        passed = min(max(step - self.first, 0) / (self.last - self.first), 1.0)
        return self.sparsity * (1 - (1 - passed) ** 3)

    def is_complete(self, epoch: int) -> bool:
        return epoch * self.steps_per_epoch >= self.last

    def sparsity_of(self, network: nn.Module) -> float:
        weights = prunable(network)
        return sum(int((weight == 0).sum()) for weight in weights) / max(1, sum(weight.numel() for weight in weights))

    @contextmanager
    def around(self, epoch: int, step: int, network: nn.Module, average: nn.Module) -> Iterator[None]:
        """Zeros stay zeros in the update, after which more are made if it is time."""
        done, weights = (epoch - 1) * self.steps_per_epoch + step, prunable(network)
        kept = [weight != 0 for weight in weights] if done > self.first else []
        yield
        due = done == self.last or self.first < done < self.last and (done - self.first) % self.interval == 0
        with torch.no_grad():
            for weight, mask, averaged in zip(weights, kept, prunable(average), strict=False):
                weight.mul_(mask)
                if due:
                    _prune(weight, self.sparsity_after(done))
                averaged.mul_(weight != 0)


def prunable(network: nn.Module) -> list[Tensor]:
    """The weights that are pruned: of linear layers and convolutions, but depthwise ones and the stem's."""
    return [
        module.weight
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
        and not name.startswith("stem.")
        and not 1 < getattr(module, "groups", 1) == module.in_channels
    ]


def _prune(weight: Tensor, sparsity: float) -> None:
    """Sets the smallest share of a layer's weights to 0, those that are 0 already among them; one at least is left."""
    count = min(round(sparsity * weight.numel()), weight.numel() - 1)
    if count > 0:
        sizes = weight.abs()
        weight.mul_(sizes > sizes.flatten().kthvalue(count).values)
