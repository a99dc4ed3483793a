"""Whatever form CIFAR comes in, the same images in the same order come out."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cifar100.data.cifar import read_cifar10, read_cifar100
from cifar100.data.raw import RawData

FORMS = {
    "parquet": lambda write, path, raw: write.parquet(path / "x/data", raw, "fine_label", "coarse_label").parent,
    "parquet without names and superclasses": lambda write, path, raw: write.parquet(
        path, raw, "fine_label", names=False
    ),
    "python": lambda write, path, raw: write.python(path / "anything", raw),
    "folder around python": lambda write, path, raw: write.python(path / "x/cifar-100-python", raw, protocol=4).parent,
    "python.tar.gz": lambda write, path, raw: write.archive(
        path / "cifar-100-python.tar.gz", write.python(path / "cifar-100-python", raw)
    ),
    "binary": lambda write, path, raw: write.binary(path / "cifar-100-binary", raw),
    "binary.tar.gz": lambda write, path, raw: write.archive(
        path / "c.tgz", write.binary(path / "cifar-100-binary", raw)
    ),
}


def shuffled(raw: RawData, seed: int) -> RawData:
    random = np.random.default_rng(seed)
    splits = {}
    for name, split in raw.splits.items():
        order = random.permutation(len(split.labels))
        splits[name] = replace(
            split, images=split.images[order], labels=split.labels[order], superclasses=split.superclasses[order]
        )
    return replace(raw, splits=splits)


def test_every_form_of_cifar100_gives_the_same_data(small_cifar100, forms, tmp_path: Path) -> None:
    spec, raw = small_cifar100
    seen = []
    for seed, (form, make) in enumerate(FORMS.items()):
        path = tmp_path / str(seed)
        path.mkdir()
        source = make(forms, path, shuffled(raw, seed))
        data = read_cifar100(str(source), cache_dir=str(tmp_path / f"cache{seed}"), val_size=100)
        assert data.class_names == spec.class_names and data.superclass_of == spec.superclass_of, form
        seen.append(data)
    assert len({data.fingerprint for data in seen}) == 1
    for data in seen[1:]:
        for split in ("train", "val", "test"):
            assert torch.equal(getattr(data, split).images, getattr(seen[0], split).images)
            assert torch.equal(getattr(data, split).labels, getattr(seen[0], split).labels)
    # Pixels reach the tensor in the right place: compare with the source, image by image.
    original = raw.splits["test"]
    expected = {
        image.transpose(2, 0, 1).tobytes(): label for image, label in zip(original.images, original.labels, strict=True)
    }
    got = {image.contiguous().numpy().tobytes(): int(y) for image, y in zip(*vars(seen[0].test).values(), strict=True)}
    assert got == expected


def test_cifar10_forms(small_cifar10, forms, tmp_path: Path) -> None:
    _, raw = small_cifar10
    python, binary = tmp_path / "cifar-10-batches-py", tmp_path / "cifar-10-batches-bin"
    for folder in (python, binary):
        folder.mkdir()
    (python / "batches.meta").write_bytes(pickle.dumps({"label_names": list(raw.class_names), "num_vis": 3072}))
    (binary / "batches.meta.txt").write_text("\n".join(raw.class_names) + "\n\n")
    train, test = raw.splits["train"], raw.splits["test"]
    batches = [(f"data_batch_{n + 1}", train.images[n::5], train.labels[n::5]) for n in range(5)]
    for name, images, labels in [*batches, ("test_batch", test.images, test.labels)]:
        content = {"data": forms.planes(images), "labels": labels.tolist(), "batch_label": name}
        (python / name).write_bytes(pickle.dumps(content, 2))
        (binary / f"{name}.bin").write_bytes(np.column_stack([labels, forms.planes(images)]).astype(np.uint8).tobytes())
    parquet = forms.parquet(tmp_path / "parquet/plain_text", raw, "label")
    sources = [python, binary, parquet, forms.archive(tmp_path / "cifar-10-python.tar.gz", python)]
    found = [read_cifar10(str(path), cache_dir=str(tmp_path / f"c{i}"), val_size=50) for i, path in enumerate(sources)]
    assert len({data.fingerprint for data in found}) == 1
    assert torch.bincount(found[0].val.labels).tolist() == [5] * 10


MISTAKES = {
    "missing path": (lambda write, path, raw: path / "nowhere", "does not exist"),
    "empty folder": (lambda write, path, raw: path, "expected train-*.parquet"),
    "a text file": (lambda write, path, raw: _written(path / "notes.txt", b"hello"), "holds no cifar100"),
    "not an archive": (
        lambda write, path, raw: _written(path / "cifar-100-python.tar.gz", b"hello"),
        "no readable archive",
    ),
    "archive of something else": (
        lambda write, path, raw: write.archive(path / "a.tar.gz", write.python(path / "other", raw)),
        "holds no cifar100",
    ),
    "archive cut short": (
        lambda write, path, raw: _cut(FORMS["python.tar.gz"](write, path, raw), 0.7),
        "no readable archive",
    ),
    "pickle cut short": (
        lambda write, path, raw: _cut(FORMS["python"](write, path, raw) / "train", 0.7).parent,
        "train: ",
    ),
    "binary cut short": (
        lambda write, path, raw: _cut(FORMS["binary"](write, path, raw) / "train.bin", 0.7).parent,
        "bytes, expected",
    ),
    "parquet cut short": (
        lambda write, path, raw: _cut(next(FORMS["parquet"](write, path, raw).rglob("train-00001*")), 0.7).parent,
        "not a readable parquet file",
    ),
    "no test file": (
        lambda write, path, raw: _without(FORMS["parquet"](write, path, raw), "test-00000-of-00001.parquet"),
        "no parquet file whose name begins with 'test'",
    ),
    "half of the training files": (
        lambda write, path, raw: _without(FORMS["parquet"](write, path, raw), "train-00001-of-00002.parquet"),
        "300 train images, expected 600",
    ),
    "cifar10's labels": (
        lambda write, path, raw: write.parquet(path, raw, "label"),
        "does not say which labels these are",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_get_one_line(mistake: str, small_cifar100, forms, tmp_path: Path) -> None:
    make, message = MISTAKES[mistake]
    source = make(forms, tmp_path, small_cifar100[1])
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        read_cifar100(str(source), cache_dir=str(tmp_path / "cache"))
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [({"num_classes": 10}, "num_classes=10"), ({"resolution": 64}, "resolution=64"), ({"name": "mine"}, "name=mine")],
)
def test_constants_cannot_be_changed(option: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"data.{message} but cifar100 has"):
        read_cifar100("anywhere", **option)


def test_images_of_another_size_are_named(small_cifar100, forms, tmp_path: Path) -> None:
    raw = small_cifar100[1]
    split = raw.splits["train"]
    wrong = replace(split, images=split.images[:, :31])
    forms.parquet(tmp_path, replace(raw, splits={**raw.splits, "train": wrong}), "fine_label", "coarse_label")
    with pytest.raises(ValueError, match="train image 0 is 32x31, expected 32x32"):
        read_cifar100(str(tmp_path), cache_dir=str(tmp_path / "cache"))


def test_damaged_image_is_named(small_cifar100, forms, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    forms.parquet(tmp_path, small_cifar100[1], "fine_label", "coarse_label")
    file = tmp_path / "test-00000-of-00001.parquet"
    rows = pq.read_table(file).to_pylist()
    rows[17]["img"]["bytes"] = rows[17]["img"]["bytes"][:200]
    pq.write_table(pa.Table.from_pylist(rows), file)
    with pytest.raises(ValueError, match="test image 17 cannot be read"):
        read_cifar100(str(tmp_path), cache_dir=str(tmp_path / "cache"))


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def _cut(file: Path, part: float) -> Path:
    content = file.read_bytes()
    return _written(file, content[: int(len(content) * part)])


def _without(folder: Path, name: str) -> Path:
    next(folder.rglob(name)).unlink()
    return folder
