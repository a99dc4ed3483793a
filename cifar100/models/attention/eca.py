"""Efficient channel attention."""

from math import log2

from torch import Tensor, nn

from cifar100.models.checks import check_kernel_size


class EfficientChannelAttention(nn.Module):
    """Weighs channels by a one-dimensional convolution over their means (Wang et al., arXiv 1910.03151, equations 9 to
    12). Keeps the shape ``(n, channels, h, w)``.

    Args:
        channels: of the feature map.
        kernel_size: odd; null for the adaptive size of :func:`adaptive_kernel_size`.
        gamma: of the adaptive size; 2 in the paper.
        b: of the adaptive size; 1 in the paper.

    Raises:
        ValueError: an even or negative kernel size, ``gamma`` 0, or a ``gamma`` or ``b`` beside a fixed kernel size.
    """

    def __init__(self, channels: int, *, kernel_size: int | None = None, gamma: float = 2, b: float = 1) -> None:
        super().__init__()
        if kernel_size is not None and (gamma, b) != (2, 1):
            raise ValueError(
                f"attention.gamma={gamma} and attention.b={b} have no effect beside "
                f"attention.kernel_size={kernel_size}; leave them out, or set attention.kernel_size=null"
            )
        size = adaptive_kernel_size(channels, gamma, b) if kernel_size is None else kernel_size
        check_kernel_size("attention.kernel_size", size, "or null, which adapts it to the channels")
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.conv = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        weights = self.pool(x).flatten(2).transpose(1, 2)
        weights = self.gate(self.conv(weights)).transpose(1, 2)
        return x * weights[..., None]


def adaptive_kernel_size(channels: int, gamma: float = 2, b: float = 1) -> int:
    """The paper's equation 12: the odd number that ``|log2(channels) / gamma + b / gamma|``, cut to a whole number,
    is or precedes. 3 at 16, 32 and 64 channels, 5 at 128 and 256.

    Raises:
        ValueError: ``gamma`` 0.
    """
    if gamma == 0:
        raise ValueError("attention.gamma=0 divides by zero; the paper's value is 2")
    size = int(abs((log2(channels) + b) / gamma))
    return size if size % 2 else size + 1
