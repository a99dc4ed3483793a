from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn


class TinyNetwork(nn.Module):
    """Every kind of parameter that optimizers tell apart: stem, kernels, grouped kernels, norms, layer scale, head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.stages = nn.Sequential(
            nn.BatchNorm2d(8),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, groups=16),
            nn.Conv2d(16, 12, 1),
        )
        self.layer_scale = nn.Parameter(torch.full((12, 1, 1), 0.5))
        self.head = nn.Linear(12, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.head((self.stages(self.stem(images)) * self.layer_scale).mean((2, 3)))


@pytest.fixture
def make_network() -> Callable[..., TinyNetwork]:
    """Called as (channels_last=False): the same weights each time."""

    def make(channels_last: bool = False) -> TinyNetwork:
        torch.manual_seed(0)
        network = TinyNetwork()
        return network.to(memory_format=torch.channels_last) if channels_last else network

    return make


@pytest.fixture
def make_gradients() -> Callable[[nn.Module, int], None]:
    """Called as (network, step): gives every parameter a gradient that depends on the step only."""

    def make(network: nn.Module, step: int) -> None:
        generator = torch.Generator().manual_seed(step)
        for parameter in network.parameters():
            gradient = torch.randn(parameter.shape, generator=generator)
            parameter.grad = torch.empty_like(parameter, requires_grad=False).copy_(gradient)

    return make
