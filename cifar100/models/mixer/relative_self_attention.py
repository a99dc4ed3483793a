"""Self-attention with a relative position bias."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar100.models.checks import check_at_least
from cifar100.models.shape import Shape


class RelativeSelfAttention(nn.Module):
    """Multi-head attention of every pixel to every other one, with a learnt bias for each offset between two pixels,
    added before the softmax (Dai et al., arXiv 2106.04803, equation 3, right): ``(n, in_channels, r, r)`` to
    ``(n, out_channels, r / stride, r / stride)``.

    The table holds ``(2 r / stride - 1)^2`` offsets per head, so it fits one resolution only. A strided map is pooled
    first, as in CoAtNet (appendix A.1). Deviation: the table starts at zero; the paper does not say.

    Args:
        shape: what the mixer maps.
        head_channels: the least number of channels per head; 32 in CoAtNet. There are as many heads as divide the
            channels evenly into heads of so many or more, at least one.

    Raises:
        ValueError: ``head_channels`` below 1.
    """

    def __init__(self, shape: Shape, *, head_channels: int = 32) -> None:
        super().__init__()
        check_at_least("mixer.head_channels", head_channels, 1, "32 is the paper's")
        channels, size = shape.out_channels, shape.out_resolution
        most = max(1, channels // head_channels)
        self.heads = next(heads for heads in range(most, 0, -1) if channels % heads == 0)
        self.pool = nn.AvgPool2d(shape.stride) if shape.stride > 1 else nn.Identity()
        self.query_key_value = nn.Conv2d(shape.in_channels, 3 * channels, 1)
        self.relative_bias = nn.Parameter(torch.zeros(self.heads, (2 * size - 1) ** 2))
        self.register_buffer("offsets", relative_offsets(size), persistent=False)
        self.project = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.query_key_value(self.pool(x)).permute(0, 2, 3, 1)
        height, width = x.shape[1:3]
        query, key, value = x.flatten(1, 2).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        bias = self.relative_bias.to(query.dtype)[:, self.offsets]
        x = F.scaled_dot_product_attention(query, key, value, attn_mask=bias[None])
        # Copied where it is not contiguous yet: torch's exporter takes flatten for a view.
        x = x.transpose(1, 2).contiguous().flatten(2).unflatten(1, (height, width))
        return self.project(x.permute(0, 3, 1, 2))


def relative_offsets(size: int) -> Tensor:
    """For each pair of pixels of a ``size`` x ``size`` map the number of their offset, row by row from
    ``-(size - 1), -(size - 1)`` to ``size - 1, size - 1``: int64 ``(size^2, size^2)``."""
    position = torch.arange(size)
    offset = position[:, None] - position + size - 1
    number = offset[:, None, :, None] * (2 * size - 1) + offset[:, None, :]
    return number.reshape(size**2, size**2)
