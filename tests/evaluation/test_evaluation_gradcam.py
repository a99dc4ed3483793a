"""Grad-CAM against its formula written out, for every recipe; which images are shown, and what is drawn."""

import builtins
from collections.abc import Callable

import pytest
import torch
from torch import nn

from cifar100.config import CONF, build
from cifar100.evaluation.explanations import gradcam as module
from cifar100.evaluation.explanations.explain import check_explanations
from cifar100.evaluation.explanations.gradcam import chosen, gradcam, gradcam_maps, other_class
from cifar100.evaluation.explanations.tiles import heat_over

pytest.importorskip("captum")
RECIPES = sorted(file.stem for file in (CONF / "model").glob("*.yaml"))


@pytest.fixture
def network(compose) -> Callable[..., nn.Module]:
    """Called as (*overrides): a network whose LayerScales, which start near 0, hide no blocks."""

    def make(*overrides: str) -> nn.Module:
        torch.manual_seed(0)
        model = build(compose(*overrides).model)
        for each in model.modules():
            if hasattr(each, "layer_scale") and isinstance(each.layer_scale, nn.Parameter):
                nn.init.ones_(each.layer_scale)
        return model

    return make


def by_formula(model: nn.Module, images: torch.Tensor, classes: list[int]) -> torch.Tensor:
    """arXiv 1610.02391: the weights of equation 1, the sum of equation 2, one image at a time."""
    maps = []
    for image, index in zip(images, classes, strict=True):
        features = model.stages(model.stem(image[None])).detach().requires_grad_()
        model.head(features)[0, index].backward()
        height, width = features.shape[2:]
        weights = features.grad[0].sum((1, 2)) / (height * width)
        maps.append(sum(weight * channel for weight, channel in zip(weights, features.detach()[0], strict=True)))
    return torch.stack(maps).clamp(min=0)


@pytest.mark.parametrize("recipe", RECIPES)
def test_captums_sum_is_the_formula_in_every_recipe(recipe, network):
    model = network(f"model={recipe}", "model.width_multiplier=0.5").double().eval()
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    maps = gradcam_maps(model, images, torch.tensor([3, 70]))
    expected = by_formula(model, images, [3, 70])
    torch.testing.assert_close(maps, expected, rtol=1e-9, atol=1e-12 * expected.amax().item())
    assert maps.amax() > 0 and not maps.requires_grad


def test_the_network_is_left_as_it_was(network):
    model = network("model.depths=[1,1,1]", "activation=relu")
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.inference_mode(False):
        gradcam_maps(model, torch.randn(2, 3, 32, 32), torch.tensor([0, 1]))
    assert model.training and all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not model.stages._forward_hooks and not model.stages._forward_pre_hooks


def test_compiled_networks_are_explained_as_what_they_wrap(network):
    model = network("model.depths=[1,1,1]").eval()
    images, classes = torch.randn(2, 3, 32, 32), torch.tensor([0, 1])
    compiled = nn.Module()  # torch.compile's wrapper, without the seconds that importing the compiler takes
    compiled._orig_mod = model
    assert torch.equal(gradcam_maps(compiled, images, classes), gradcam_maps(model, images, classes))


@pytest.fixture
def digits_like(make_subject, network):
    """40 grey images of 8x8 in ten classes, 30 answered rightly."""
    model = network("data=digits", "model.depths=[1,1,1]", "model.widths=[4,4,8]").eval()
    labels = [index % 10 for index in range(40)]
    answers = torch.tensor([label if index % 4 else (label + 1) % 10 for index, label in enumerate(labels)])
    logits = torch.nn.functional.one_hot(answers, 10) * 3.0 + torch.linspace(0, 1, 10)
    return make_subject(logits, labels, [f"digit {index}" for index in range(10)], model=model, samples=8)


def test_half_are_right_half_wrong_at_equal_steps(digits_like):
    assert chosen(digits_like).tolist() == [1, 10, 21, 30, 0, 8, 20, 28]
    classes = other_class(digits_like, chosen(digits_like)).tolist()
    assert classes == [9, 9, 9, 9, 0, 8, 0, 8]  # the second highest logit; of wrong answers the true class


@pytest.mark.parametrize(
    ("right", "samples", "counts"), [(0, 6, (0, 6)), (10, 6, (6, 0)), (9, 6, (5, 1)), (2, 20, (2, 8))]
)
def test_too_few_of_one_kind_leave_room_for_the_other(make_subject, right, samples, counts):
    logits = torch.eye(2)[[0] * right + [1] * (10 - right)]
    subject = make_subject(logits, [0] * 10, ["a", "b"], samples=samples)
    correct = subject.predictions.correct[chosen(subject)]
    assert (int(correct.sum()), int((~correct).sum())) == counts
    assert len(set(chosen(subject).tolist())) == sum(counts)


def test_digits_are_drawn_and_the_numbers_kept(digits_like):
    assert gradcam(digits_like) == ["gradcam.png", "gradcam.safetensors"]
    tensors, state = digits_like.run.record.read_tensors("explanations/gradcam.safetensors")
    assert state == {"split": "test", "checkpoint": "best"}
    assert tensors["maps"].shape == (8, 2, 2, 2) and tensors["maps"].min() >= 0
    assert torch.equal(tensors["indices"], chosen(digits_like))
    assert torch.equal(tensors["classes"][:, 0], digits_like.predictions.predicted[tensors["indices"]])
    images = digits_like.run.data.test.images[tensors["indices"]].float() / 255
    again = gradcam_maps(digits_like.run.model, (images - 0.5) / 0.5, tensors["classes"][:, 1])
    torch.testing.assert_close(tensors["maps"][:, 1], again, rtol=1e-4, atol=1e-6)
    assert digits_like.run.record.read_bytes("explanations/gradcam.png")[:4] == b"\x89PNG"


def test_heat_is_scaled_to_one_and_nothing_stays_nothing():
    heat = heat_over(torch.tensor([[0.0, 0.0], [0.0, 4.0]]), 8, 8)
    assert heat.shape == (8, 8) and heat.max() == 1 and heat[7, 7] == 1 and heat[0, 0] == 0
    assert heat_over(torch.zeros(2, 2), 8, 8).max() == 0


def test_without_captum_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"explain=gradcam needs captum, .* pip install captum") as caught:
        check_explanations(["gradcam"], 16)
    assert "\n" not in str(caught.value)
    assert check_explanations(["hardest"], 16) == ("hardest",)


def test_captum_is_imported_only_for_gradcam(make_subject, monkeypatch):
    real = builtins.__import__

    def guarded(name, *arguments, **options):
        assert not name.startswith("captum")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", guarded)
    from cifar100.evaluation.explanations.explain import write_explanations

    write_explanations(make_subject(torch.eye(2), [0, 0], ["a", "b"]), ["confused", "hardest", "misclassified"])
