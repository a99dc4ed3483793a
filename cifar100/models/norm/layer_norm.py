"""Layer normalisation of feature maps."""

import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm2d(nn.LayerNorm):
    """Normalises each pixel over its channels, with a scale and shift per channel, as ConvNeXt does (arXiv 2201.03545;
    layer normalisation: arXiv 1607.06450, equation 4). Keeps the shape ``(n, channels, h, w)``.

    The channel axis is moved last as a view: on the ``channels_last`` tensors that the loop feeds this costs no copy.

    Args:
        channels: of the feature map.
        eps: added to the variance.
    """

    def __init__(self, channels: int, *, eps: float = 1e-6) -> None:
        super().__init__(channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)
