"""Faults on the way: memory that does not suffice, named with its batch and the overrides that need less; strided 1x1
convolutions of few channels, whose gradient oneDNN computes wrongly on some processors."""

import pytest
import torch
from torch import nn

from cifar100.base.errors import FAILED, OutOfMemoryError
from cifar100.metrics import Totals
from cifar100.mistakes import mistake
from cifar100.training.faults import around_onednn, name_memory


def allocate(*_):
    torch.empty(2**60)


@pytest.mark.parametrize(
    ("batch", "cure"),
    [
        (("64", "2"), "trainer.per_device_train_batch_size=32 trainer.gradient_accumulation_steps=4, or trainer.bf16"),
        (("1", "1"), "use trainer.bf16=true or a smaller network"),
    ],
)
def test_a_step_names_its_batch_and_the_cure(make_loop, tmp_path, batch, cure):
    size, accumulation = batch
    overrides = (f"trainer.per_device_train_batch_size={size}", f"trainer.gradient_accumulation_steps={accumulation}")
    loop = make_loop(tmp_path, *overrides, "norm=gn")
    before = {name: value.clone() for name, value in loop.state.model.state_dict().items()}
    loop.loss = allocate
    with pytest.raises(OutOfMemoryError) as error:
        loop.take_step(next(iter(loop.train_loader.epoch(1))), Totals(), epoch=3, step=4)
    assert f"out of memory in epoch 3, step 4, with batches of {size} images" in str(error.value)
    assert cure in str(error.value) and "\n" not in str(error.value)
    assert mistake(error.value) == FAILED
    for name, value in loop.state.model.state_dict().items():
        assert torch.equal(value, before[name])


def test_validation_names_its_own_batch(make_loop, tmp_path):
    loop = make_loop(tmp_path, "trainer.num_train_epochs=1")
    loss = loop.loss
    loop.loss = lambda logits, targets: loss(logits, targets) if logits.requires_grad else allocate()
    with pytest.raises(OutOfMemoryError) as error:
        loop.run()
    assert "validation, with batches of 256 images; use trainer.per_device_eval_batch_size=128;" in str(error.value)


@pytest.mark.parametrize("kind", [MemoryError, torch.OutOfMemoryError])
def test_other_ways_to_run_out(kind):
    with pytest.raises(OutOfMemoryError, match="out of memory in a test; use less; the last checkpoint is kept"):
        with name_memory("a test", "less"):
            raise kind("CUDA out of memory. Tried to allocate 20 GiB")


@pytest.mark.parametrize(
    "library", ["cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED"]
)
def test_libraries_of_a_gpu_run_out_in_their_own_words(library):
    with pytest.raises(OutOfMemoryError, match="out of memory in a test; use less"), name_memory("a test", "less"):
        raise RuntimeError(library)


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes") as error, name_memory("a test", "less"):
        raise RuntimeError("shapes do not match")
    assert not isinstance(error.value, OutOfMemoryError)


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
