"""Strided 1x1 convolutions of few channels, whose gradient oneDNN computes wrongly on some processors."""

import pytest
import torch
from torch import nn

from cifar100.training.onednn import around_onednn


@pytest.mark.parametrize(("channels", "groups"), [(1, 1), (4, 1), (7, 1), (8, 2), (8, 1)])
def test_weight_gradients_are_right(channels, groups):
    torch.manual_seed(0)
    convolution = nn.Conv2d(channels, 16, 1, 2, bias=False, groups=groups)
    images = torch.randn(37, channels, 16, 16).to(memory_format=torch.channels_last)
    with around_onednn(nn.Sequential(convolution)):
        convolution(images).square().sum().backward()
    exact = nn.Conv2d(channels, 16, 1, 2, bias=False, groups=groups).double()
    exact.load_state_dict(convolution.state_dict())
    exact(images.double()).square().sum().backward()
    torch.testing.assert_close(convolution.weight.grad.double(), exact.weight.grad, rtol=1e-4, atol=1e-3)


def test_it_is_left_where_it_is_right(monkeypatch):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX2")
    for model, used in ((nn.Conv2d(8, 8, 1, 2), True), (nn.Conv2d(4, 8, 1), True), (nn.Conv2d(4, 8, 1, 2), False)):
        with around_onednn(model):
            assert torch.backends.mkldnn.enabled == used
        assert torch.backends.mkldnn.enabled
