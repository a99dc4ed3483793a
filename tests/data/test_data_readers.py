"""Digits, Tiny ImageNet, image folders, and the Hub."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from cifar100.data import cifar, tiny_imagenet
from cifar100.data.cifar import read_cifar100
from cifar100.data.digits import read_digits
from cifar100.data.formats import hub
from cifar100.data.formats.folders import read_labelled
from cifar100.data.imagefolder import read_imagefolder
from cifar100.data.raw import RawData
from cifar100.data.specs import TINY_IMAGENET
from cifar100.data.tiny_imagenet import read_tiny_imagenet
from cifar100.data.verify import channel_statistics


def test_digits_are_scikit_learns(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    data = read_digits(cache_dir=str(tmp_path))
    assert (len(data.train), len(data.val), len(data.test)) == (1297, 140, 360)
    assert data.train.images.shape[1:] == (1, 8, 8) and data.name == "digits" and data.num_classes == 10
    assert torch.bincount(data.test.labels).min() >= 35 and torch.bincount(data.val.labels).tolist() == [14] * 10
    original = load_digits()
    parts = [getattr(data, name) for name in ("train", "val", "test")]
    found = torch.cat([torch.cat([part.images.flatten(1) * 1.0, part.labels[:, None]], 1) for part in parts])
    expected = np.column_stack([np.rint(original.data * 255 / 16), original.target])
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, expected.tolist()))
    assert read_digits(cache_dir=str(tmp_path)).fingerprint == data.fingerprint
    with pytest.raises(ValueError, match="leave data.path out"):
        read_digits(path="/somewhere")


def test_digits_in_colour_and_larger_are_the_same_digits(tmp_path: Path) -> None:
    options = {"cache_dir": str(tmp_path), "val_size": 140, "images_per_class": 20}
    small, large = read_digits(**options), read_digits(**options, in_channels=3, resolution=32)
    assert large.train.images.shape == (200, 3, 32, 32) and len(large.val) == 140
    for split in ("train", "val", "test"):
        ours, theirs = getattr(large, split), getattr(small, split)
        assert torch.equal(ours.labels, theirs.labels) and ours.images.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(ours.images[:, 0], ours.images[:, 2])
        shrunk = torch.nn.functional.avg_pool2d(ours.images[:, :1].float(), 4)
        assert (shrunk - theirs.images).abs().mean() < 16  # of 255: bicubic rounds corners
    assert large.fingerprint != small.fingerprint
    assert large.mean == pytest.approx(small.mean * 3, abs=0.01) and len(large.std) == 3


@pytest.mark.parametrize("option", [{"resolution": 7}, {"resolution": 129}, {"resolution": "32"}, {"in_channels": 2}])
def test_digits_of_other_sizes_are_refused(option: dict) -> None:
    ((name, value),) = option.items()
    with pytest.raises(ValueError, match=f"data.{name}={value} must be"):
        read_digits(**option)


@pytest.fixture
def small_tiny(monkeypatch: pytest.MonkeyPatch, forms, tmp_path: Path) -> tuple[Path, RawData]:
    """The folder layout with 2 + 1 images a class, as JPEG, some grey; and the same as decoded arrays."""
    spec, raw = forms.small(TINY_IMAGENET, {"train": 2, "test": 1})
    folder = tmp_path / "around/tiny-imagenet-200"
    names = [f"n{9000 - label:08d}" for label in range(200)]  # descending: file order is not label order
    rows, files = [], {"train": ([], []), "test": ([], [])}
    for split, part in raw.splits.items():
        for row, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
            file = folder / (
                f"train/{names[label]}/images/{row}.JPEG" if split == "train" else f"val/images/{row}.JPEG"
            )
            file.parent.mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(image // 2 + 60)
            (image.convert("L") if row % 10 == 0 else image).save(file, "JPEG")
            rows += [f"{file.name}\t{names[label]}\t0\t0\t62\t62"] if split == "test" else []
            files[split][0].append(file)
            files[split][1].append(199 - label)
    (folder / "wnids.txt").write_text("\n".join(names) + "\n")
    (folder / "val/val_annotations.txt").write_text("\n".join(rows) + "\n")
    splits = {split: read_labelled(*pair, 64, 3) for split, pair in files.items()}
    mean, std = channel_statistics(splits["train"].images)
    spec = replace(spec, mean=mean, std=std, class_names=())
    monkeypatch.setattr(tiny_imagenet, "TINY_IMAGENET", spec)
    return folder, RawData(splits, tuple(sorted(names)))


def test_tiny_imagenet_forms(small_tiny: tuple[Path, RawData], forms, tmp_path: Path) -> None:
    folder, raw = small_tiny
    data = read_tiny_imagenet(str(folder), cache_dir=str(tmp_path / "c1"), val_size=200)
    assert data.class_names == raw.class_names and len(data.train) == len(data.val) == len(data.test) == 200
    assert (
        read_tiny_imagenet(str(folder.parent), cache_dir=str(tmp_path / "c2"), val_size=0).fingerprint
        == data.fingerprint
    )
    # Parquet, with the classes in another order.
    splits = {name: replace(part, labels=199 - part.labels) for name, part in raw.splits.items()}
    splits["valid"] = splits.pop("test")
    backwards = RawData(splits, raw.class_names[::-1])
    parquet = forms.parquet(tmp_path / "parquet", backwards, "label")
    again = read_tiny_imagenet(str(parquet), cache_dir=str(tmp_path / "c3"), val_size=0)
    assert again.fingerprint == data.fingerprint and torch.equal(again.test.labels, data.test.labels)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "val/val_annotations.txt").unlink(), "has no val/val_annotations.txt"),
        (lambda folder: (folder / "val/val_annotations.txt").write_text("../../x\tn00008801\n"), "names no class"),
        (lambda folder: (folder / "val/val_annotations.txt").write_text("0.JPEG\tn1\n"), "names no class"),
        (lambda folder: next((folder / "train").rglob("*.JPEG")).unlink(), "399 train images in .*, expected 400"),
        (lambda folder: (folder / "val/images/5.JPEG").unlink(), "5.JPEG cannot be read"),
        (lambda folder: (folder / "val/images/5.JPEG").write_bytes(b"\xff\xd8\xff junk"), "5.JPEG cannot be read"),
        (lambda folder: (folder / "wnids.txt").unlink(), "holds no tiny_imagenet"),
    ],
)
def test_tiny_imagenet_mistakes(small_tiny: tuple[Path, RawData], damage, message: str, tmp_path: Path) -> None:
    damage(small_tiny[0])
    with pytest.raises(ValueError, match=message) as error:
        read_tiny_imagenet(str(small_tiny[0]), cache_dir=str(tmp_path / "cache"))
    assert "\n" not in str(error.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes of plain colours with noise, of several sizes, formats and modes."""
    random = np.random.default_rng(0)
    for split, count in (("train", 10), ("test", 4)):
        for label, name in enumerate(("blue", "green", "red")):
            place = tmp_path / "images" / split / name / "deeper"
            place.mkdir(parents=True)
            for row in range(count):
                pixels = random.integers(0, 60, (40 + row, 30, 3), dtype=np.uint8)
                pixels[..., 2 - label] += 150
                image = Image.fromarray(pixels)
                image = image.convert("P") if row == 1 else image.convert("RGBA") if row == 2 else image
                image.save(place / f"{row}.{'png' if row < 5 else 'jpg'}")
            (place / "notes.txt").write_text("no image")
            (place / "._0.png").write_text("no image either")
    return tmp_path / "images"


def test_imagefolder(folder: Path, tmp_path: Path) -> None:
    options = {"num_classes": 3, "resolution": 16, "name": "colours", "cache_dir": str(tmp_path / "cache")}
    data = read_imagefolder(str(folder), val_size=6, **options)
    assert data.name == "colours" and data.class_names == ("blue", "green", "red")
    assert data.train.images.shape == (24, 3, 16, 16) and torch.bincount(data.val.labels).tolist() == [2, 2, 2]
    for part in (data.train, data.val, data.test):
        brightest = part.images.double().mean((2, 3)).argmax(1)
        assert torch.equal(brightest, 2 - part.labels)
    whole = torch.cat([data.train.images, data.val.images]) / 255.0
    assert data.mean == pytest.approx(whole.mean((0, 2, 3)).tolist(), abs=1e-5)
    grey = read_imagefolder(str(folder), **{**options, "resolution": 8}, in_channels=1)
    assert grey.train.images.shape == (30, 1, 8, 8) and len(grey.mean) == 1
    assert read_imagefolder(str(folder), **options).train.images.shape == (30, 3, 16, 16)


def test_imagefolder_scales_the_centre(tmp_path: Path) -> None:
    """A wide picture with a white square in the middle becomes all white."""
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = 255
    for split in ("train", "test"):
        for name in ("a", "b"):
            (tmp_path / split / name).mkdir(parents=True)
            Image.fromarray(pixels if name == "a" else 255 - pixels).save(tmp_path / split / name / "0.png")
    data = read_imagefolder(str(tmp_path), num_classes=2, resolution=10, cache_dir=str(tmp_path / "cache"))
    assert data.test.images[data.test.labels == 0].unique().tolist() == [255]
    assert data.test.images[data.test.labels == 1].unique().tolist() == [0]


def test_imagefolder_val_is_test_or_held_out(folder: Path, tmp_path: Path) -> None:
    options = {"num_classes": 3, "cache_dir": str(tmp_path / "cache")}
    (folder / "test").rename(folder / "val")
    data = read_imagefolder(str(folder), **options)
    assert data.val is None and len(data.test) == 12
    for name in ("blue", "green", "red"):
        (folder / "test" / name).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(folder / "test" / name / "0.png")
    data = read_imagefolder(str(folder), **options)
    assert (len(data.train), len(data.val), len(data.test)) == (30, 12, 3)
    assert len(read_imagefolder(str(folder), **options).val) == 12  # from the cache
    with pytest.raises(ValueError, match="has validation images of its own; use data.val_size=0"):
        read_imagefolder(str(folder), val_size=6, **options)


@pytest.mark.parametrize(
    ("damage", "options", "message"),
    [
        (None, {"num_classes": None}, r"num_classes=None but .* has 3 classes; use data.num_classes=3"),
        (None, {"num_classes": 4}, "use data.num_classes=3"),
        (None, {"resolution": 0}, "data.resolution=0"),
        (None, {"in_channels": 2}, "data.in_channels=2"),
        (None, {"name": "../x"}, r"data.name=\.\./x"),
        (lambda folder: (folder / "train").rename(folder / "training"), {}, "must hold the folders train and test"),
        (lambda folder: (folder / "test").rename(folder / "other"), {}, "must hold the folders train and test"),
        (lambda folder: (folder / "test/pink").mkdir(), {}, "pink: no class of that name in train"),
        (lambda folder: (folder / "train/pink").mkdir(), {}, "pink: no images of this class"),
        (lambda folder: (folder / "test/red").rename(folder / "red"), {}, "test/red: no images of this class"),
        (lambda folder: (folder / "train/red/deeper/7.jpg").write_bytes(b"?"), {}, "7.jpg cannot be read"),
    ],
)
def test_imagefolder_mistakes(folder: Path, tmp_path: Path, damage, options: dict, message: str) -> None:
    if damage:
        damage(folder)
    with pytest.raises(ValueError, match=message) as error:
        read_imagefolder(str(folder), **{"num_classes": 3, "cache_dir": str(tmp_path / "cache"), **options})
    assert "\n" not in str(error.value)


def test_imagefolder_needs_a_path_and_colours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="data.path is not set"):
        read_imagefolder()
    for split in ("train", "test"):
        (tmp_path / split / "a").mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(tmp_path / split / "a/0.png")
    with pytest.raises(ValueError, match="all training images are of one colour"):
        read_imagefolder(str(tmp_path), num_classes=1, cache_dir=str(tmp_path / "cache"))


def test_programs_of_image_formats_are_not_started(folder: Path, tmp_path: Path) -> None:
    """PostScript, which Pillow hands to Ghostscript, in a file called .png."""
    (folder / "train/red/deeper/0.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    with pytest.raises(ValueError, match="0.png cannot be read"):
        read_imagefolder(str(folder), num_classes=3, cache_dir=str(tmp_path / "cache"))


def test_the_hubs_file_cache_is_read_without_network(
    small_cifar100, forms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    repository = tmp_path / "hub/datasets--uoft-cs--cifar100"
    forms.parquet(repository / "snapshots/abc123/cifar100", small_cifar100[1], "fine_label", "coarse_label")
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text("abc123")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(hub, "_load", lambda *_: pytest.fail("asked the Hub"))
    data = read_cifar100(cache_dir=str(tmp_path / "cache"), val_size=100)
    assert len(data.train) == 500
    # ... and from then on it is the usual source: the Hub's cache may go.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "nothing"))
    assert read_cifar100(cache_dir=str(tmp_path / "cache"), val_size=100).fingerprint == data.fingerprint


def test_what_datasets_loads_is_the_same_data(
    small_cifar100, forms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    folder = forms.parquet(tmp_path / "data", small_cifar100[1], "fine_label", "coarse_label")
    load = datasets.load_dataset
    asked = []

    def load_dataset(repository: str):
        asked.append(repository)
        return load(str(folder), cache_dir=str(tmp_path / "arrow"))

    monkeypatch.setattr(hub, "_cached_files", lambda repository: {})
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    data = read_cifar100(cache_dir=str(tmp_path / "cache"), val_size=0)
    assert asked == ["uoft-cs/cifar100"]
    assert data.fingerprint == read_cifar100(str(folder), cache_dir=str(tmp_path / "other"), val_size=0).fingerprint

    def unreachable(repository: str):
        raise ConnectionError("no network\nand much more to read")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(
        FileNotFoundError, match="cannot be loaded .no network.; give the files with data.path"
    ) as error:
        read_cifar100(cache_dir=str(tmp_path / "third"))
    assert "\n" not in str(error.value)


def published(spec, raw, forms, folder: Path, monkeypatch) -> Path:
    """The Hub's layout of a CIFAR-100 in small, whose fingerprint is from now on the published one."""
    parquet = forms.parquet(folder / "published", raw, "fine_label", "coarse_label")
    fingerprint = read_cifar100(str(parquet), cache_dir=str(folder / "c0"), val_size=0).fingerprint
    monkeypatch.setattr(cifar, "CIFAR100", replace(spec, fingerprint=fingerprint))
    return parquet


def test_the_layout_that_the_hub_converts_to(small_cifar100, forms, tmp_path: Path, monkeypatch) -> None:
    parquet = published(*small_cifar100, forms, tmp_path, monkeypatch)
    for file in list(parquet.iterdir()):
        split, number = file.stem.split("-")[:2]
        (parquet / "cifar100" / split).mkdir(parents=True, exist_ok=True)
        file.rename(parquet / "cifar100" / split / f"{number[1:]}.parquet")
    data = read_cifar100(str(parquet), cache_dir=str(tmp_path / "c1"), val_size=0)
    assert data.fingerprint == cifar.CIFAR100.fingerprint


@pytest.mark.parametrize("labels", ["fine", "coarse"])
def test_columns_of_other_names_count_where_the_fingerprint_proves_the_data(
    labels, small_cifar100, forms, tmp_path: Path, monkeypatch
) -> None:
    spec, raw = small_cifar100
    published(spec, raw, forms, tmp_path, monkeypatch)
    if labels == "coarse":  # as some copies call the superclasses
        swapped = {name: replace(part, labels=np.roll(part.labels, 1)) for name, part in raw.splits.items()}
        raw = RawData(swapped, raw.class_names)
    folder = forms.parquet(tmp_path / "other", RawData(raw.splits, raw.class_names), "label")
    for file in folder.iterdir():
        table = pq.read_table(file)
        pq.write_table(table.rename_columns(["image", "label"]), file)
    if labels == "fine":
        data = read_cifar100(str(folder), cache_dir=str(tmp_path / "c1"), val_size=0)
        assert data.fingerprint == cifar.CIFAR100.fingerprint
    else:
        with pytest.raises(ValueError, match="does not say which labels these are"):
            read_cifar100(str(folder), cache_dir=str(tmp_path / "c1"), val_size=0)


@pytest.mark.parametrize("named", ["by name", "by number", "below superclasses", "shuffled"])
def test_class_folders_count_where_the_fingerprint_proves_the_data(
    named, small_cifar100, forms, tmp_path: Path, monkeypatch
) -> None:
    spec, raw = small_cifar100
    published(spec, raw, forms, tmp_path, monkeypatch)
    for split, part in raw.splits.items():
        for row, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
            name = spec.class_names[(label + 1) % 100 if named == "shuffled" else label]
            name = f"{label:03d}" if named == "by number" else name.replace("_", " ").title()
            above = spec.superclass_names[spec.superclass_of[label]] if named == "below superclasses" else ""
            file = tmp_path / "folders" / split / above / name / f"{row}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(forms.encode(image))
    if named == "shuffled":
        with pytest.raises(ValueError, match="does not say which labels these are; data=imagefolder"):
            read_cifar100(str(tmp_path / "folders"), cache_dir=str(tmp_path / "c1"), val_size=0)
        return
    data = read_cifar100(str(tmp_path / "folders"), cache_dir=str(tmp_path / "c1"), val_size=0)
    assert data.fingerprint == cifar.CIFAR100.fingerprint


@pytest.mark.parametrize("how", ["as a dictionary", "compressed"])
def test_an_image_that_stands_for_many_rows_asks_for_no_memory(
    how, small_cifar100, tmp_path: Path, monkeypatch
) -> None:
    """200 KB that would be 3 GB as Python's bytes."""
    blob = {"bytes": b"x" * 5_000_000, "path": None}
    table = pa.table({"img": pa.array([blob] * 30), "fine_label": range(30), "coarse_label": range(30)})
    for split in ("train", "test"):
        options = (
            {"use_dictionary": True} if how == "as a dictionary" else {"use_dictionary": False, "compression": "zstd"}
        )
        pq.write_table(table, tmp_path / f"{split}-0.parquet", **options)
    del table
    if how == "compressed":
        monkeypatch.setattr("cifar100.data.formats.parquet._MOST_BYTES", 2**24)
    before = pa.total_allocated_bytes()
    pa.default_memory_pool().release_unused()
    with pytest.raises(ValueError, match="more than") as error:
        read_cifar100(str(tmp_path), cache_dir=str(tmp_path / "c"), val_size=0)
    assert "\n" not in str(error.value) and pa.total_allocated_bytes() - before < 2**26
