"""The affine cheap operation of a Ghost module."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar100.models.shape import Shape


class AffineWarp(nn.Module):
    """Moves, turns, scales and shears each map by six learnt numbers, the affine transformation that GhostNet names
    besides the convolution (arXiv 1911.11907, section 3.1) and leaves open; done as by a spatial transformer (arXiv
    1506.02025, equations 1 and 5) whose numbers are parameters: ``(n, in_channels, r, r)`` to
    ``(n, out_channels, r, r)``, out channel ``j`` from in channel ``j // (out_channels / in_channels)``.

    Starts near the identity, each map moved by about a twentieth of its size, so that ghosts differ from their
    originals and from one another. Pixels from outside are zero.

    Args:
        shape: what it maps; out_channels a multiple of in_channels, stride 1.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.copies = shape.out_channels // shape.in_channels
        # Apart from the identity, so that weight decay draws a ghost to its original and not to one point of it.
        self.change = nn.Parameter(torch.randn(shape.out_channels, 2, 3) * 0.1)
        line = torch.linspace(-1, 1, shape.out_resolution) if shape.out_resolution > 1 else torch.zeros(1)
        points = torch.stack([*torch.meshgrid(line, line, indexing="xy"), torch.ones(len(line), len(line))], -1)
        self.register_buffer("points", points, persistent=False)
        self.register_buffer("identity", torch.eye(2, 3), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        numbers = (self.identity + self.change)[:, None, None]
        grid = (numbers * self.points[None, :, :, None]).sum(-1)
        # Channels as the batch, images as channels: all images of a channel share one grid.
        maps = x.transpose(0, 1).repeat_interleave(self.copies, 0)
        return F.grid_sample(maps, grid, align_corners=True).transpose(0, 1).to(x.dtype)
