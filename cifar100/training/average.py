"""Exponential moving average of weights."""

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def averaged(model: nn.Module, decay: float | None) -> AveragedModel | None:
    """A copy of ``model`` whose weights follow it as ``decay * average + (1 - decay) * weight`` (Polyak averaging;
    Tarvainen and Valpola, arXiv 1703.01780); buffers, such as the statistics of batch norm, are copied. None without
    a decay.

    Raises:
        ValueError: a decay outside (0, 1).
    """
    if decay is None:
        return None
    if isinstance(decay, bool | str) or not 0 < decay < 1:
        raise ValueError(f"ema_decay={decay} must lie between 0 and 1, such as 0.999; null trains without")
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    return average.requires_grad_(False)
