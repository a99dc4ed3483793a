"""Root-mean-square normalisation of feature maps."""

import torch.nn.functional as F
from torch import Tensor, nn


class RMSNorm2d(nn.RMSNorm):
    """Divides each pixel by the root mean square of its channels and scales per channel (Zhang and Sennrich, arXiv
    1910.07467, equation 4). Keeps the shape ``(n, channels, h, w)``.

    Args:
        channels: of the feature map.
        eps: added to the mean square.
    """

    def __init__(self, channels: int, *, eps: float = 1e-6) -> None:
        super().__init__(channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        x = F.rms_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.eps)
        return x.permute(0, 3, 1, 2)
