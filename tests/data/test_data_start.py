"""Starting is cheap, and the configuration's choices are what the package offers."""

import subprocess
import sys
import time
from pathlib import Path

import hydra
import pytest
import torch
import yaml

from cifar100.config import CONF, build
from cifar100.data import Augment, ImageSet, TrainLoader
from cifar100.data.cifar import read_cifar100
from cifar100.data.digits import read_digits
from cifar100.data.specs import CIFAR100

HEAVY = "datasets pandas sklearn PIL torchvision pyarrow scipy huggingface_hub hydra transformers"


def test_importing_and_a_warm_read_load_nothing_heavy(tmp_path: Path) -> None:
    code = f"""
import sys, importlib, pkgutil, cifar100.data
for module in pkgutil.walk_packages(cifar100.data.__path__, "cifar100.data."):
    importlib.import_module(module.name)
from cifar100.data import Augment, TrainLoader
from cifar100.data.digits import read_digits
data = read_digits(cache_dir={str(tmp_path)!r}, val_size=0)
facts = dict(mean=data.mean, std=data.std, num_classes=10)
loader = TrainLoader(data.train, Augment(padding=1), seed=0, batch_size=64, **facts)
next(loader.epoch(0))
print([name for name in "{HEAVY}".split() if name in sys.modules])
"""
    read_digits(cache_dir=str(tmp_path))  # the cold read needs scikit-learn
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"


FACTS = ("num_classes", "in_channels", "resolution")


@pytest.mark.parametrize("choice", sorted(file.stem for file in (CONF / "data").glob("*.yaml")))
def test_every_data_choice_names_a_reader_and_its_facts(choice: str) -> None:
    node = yaml.safe_load((CONF / "data" / f"{choice}.yaml").read_text())
    node = node.get("data", node)  # where the file sets another group, too
    reader = hydra.utils.get_method(node.pop("_target_"))
    assert set(node) == {"name", "path", "cache_dir", "val_size", "images_per_class", *FACTS}
    assert node["name"] == choice and node["path"] is None
    with pytest.raises((ValueError, FileNotFoundError), match="data.path"):
        reader(**{**node, "path": "/nowhere/at/all"})


@pytest.mark.parametrize("choice", sorted(file.stem for file in (CONF / "augment").glob("*.yaml")))
def test_every_augment_choice_makes_batches(choice: str) -> None:
    node = yaml.safe_load((CONF / "augment" / f"{choice}.yaml").read_text())
    assert set(node) == {"_target_", "padding", "flip", "policy", "cutout", "mixup_alpha", "cutmix_alpha"}
    augment = build(node)
    assert isinstance(augment, Augment) and not augment.mixes
    images = torch.randint(0, 256, (20, 32, 32, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    facts = {"mean": (0.5,) * 3, "std": (0.25,) * 3, "num_classes": 20, "seed": 0, "batch_size": 20}
    loader = TrainLoader(ImageSet(images, torch.arange(20)), augment, **facts)
    (batch,) = next(loader.epoch(0))
    plain = (images[batch.labels] / 255 - 0.5) / 0.25
    assert torch.allclose(batch.images, plain, atol=1e-5) == (choice == "none")


def test_real_cifar100(cifar100_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The published images, and a warm start within the time that is promised for it."""
    cache = str(tmp_path_factory.getbasetemp().parent / "real-cifar100-cache")  # kept between sessions
    read_cifar100(str(cifar100_path), cache_dir=cache)
    start = time.process_time()  # other tests may share the cores
    data = read_cifar100(str(cifar100_path), cache_dir=cache)
    assert time.process_time() - start < 0.5
    assert data.fingerprint == CIFAR100.fingerprint
    assert (len(data.train), len(data.val), len(data.test)) == (45_000, 5_000, 10_000)
    assert torch.bincount(data.val.labels).tolist() == [50] * 100
    pixels = torch.cat([data.train.images, data.val.images])
    mean = pixels.double().mean((0, 2, 3)) / 255
    assert mean.tolist() == pytest.approx((0.50708, 0.48655, 0.44092), abs=1e-5)
    assert len({image.numpy().tobytes() for image in pixels.contiguous()}) == 49_986
    assert read_cifar100(cache_dir=cache, val_size=0).fingerprint == data.fingerprint
