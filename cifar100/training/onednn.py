"""A fault of oneDNN that training must not meet."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

_BLOCK = 8  # channels that oneDNN's AVX2 kernels take at once


@contextmanager
def around_onednn(model: nn.Module) -> Iterator[None]:
    """For the block, PyTorch's own convolutions instead of oneDNN's, where those would write past their memory.

    On processors with AVX2 and no AVX-512, oneDNN computes the weight gradient of a strided 1x1 convolution of fewer
    than 8 channels_last channels wrongly, and corrupts the heap: https://github.com/uxlfoundation/oneDNN/issues/6035,
    seen with torch 2.14. No recipe of this project is so narrow; what is typed may be.
    """
    if torch.backends.cpu.get_cpu_capability() != "AVX2" or not any(map(_meets_the_fault, model.modules())):
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "TF32 acceleration")  # of Intel GPUs, told whatever flag is set
        with torch.backends.mkldnn.flags(enabled=False):
            yield


def _meets_the_fault(module: nn.Module) -> bool:
    if not isinstance(module, nn.Conv2d) or module.weight.device.type != "cpu":
        return False
    return module.kernel_size == (1, 1) and max(module.stride) > 1 and module.in_channels // module.groups < _BLOCK
