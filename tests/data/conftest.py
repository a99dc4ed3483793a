"""A CIFAR-100 in small (600 + 200 images) that can be written in every form that the readers know."""

import io
import json
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cifar100.data import cifar
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.specs import CIFAR10, CIFAR100, Spec
from cifar100.data.verify import channel_statistics


def small(spec: Spec, per_class: dict[str, int], seed: int = 0) -> tuple[Spec, RawData]:
    """The same facts with fewer images, and random images that agree with them, in random order."""
    random = np.random.default_rng(seed)
    splits = {}
    for split, count in per_class.items():
        labels = random.permutation(np.repeat(np.arange(spec.num_classes), count)).astype(np.int64)
        shape = (len(labels), spec.resolution, spec.resolution, spec.in_channels)
        superclasses = np.asarray(spec.superclass_of)[labels] if spec.superclass_of else None
        splits[split] = RawSplit(random.integers(0, 256, shape, dtype=np.uint8), labels, superclasses)
    mean, std = channel_statistics(splits["train"].images)
    raw = RawData(splits, spec.class_names, spec.superclass_names)
    return replace(spec, per_class=per_class, mean=mean, std=std, fingerprint=""), raw


@pytest.fixture
def small_cifar100(monkeypatch: pytest.MonkeyPatch) -> tuple[Spec, RawData]:
    spec, raw = small(CIFAR100, {"train": 6, "test": 2})
    monkeypatch.setattr(cifar, "CIFAR100", spec)
    return spec, raw


@pytest.fixture
def small_cifar10(monkeypatch: pytest.MonkeyPatch) -> tuple[Spec, RawData]:
    spec, raw = small(CIFAR10, {"train": 50, "test": 10})
    monkeypatch.setattr(cifar, "CIFAR10", spec)
    return spec, raw


@pytest.fixture
def forms() -> SimpleNamespace:
    """What writes the files of the original distributions; test modules cannot import from here."""
    return SimpleNamespace(
        small=small,
        encode=encode,
        planes=planes,
        parquet=write_parquet,
        python=write_python,
        binary=write_binary,
        archive=write_archive,
    )


def encode(image: np.ndarray, kind: str = "PNG") -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image).save(buffer, kind)
    return buffer.getvalue()


def planes(images: np.ndarray) -> np.ndarray:
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def write_parquet(
    folder: Path, raw: RawData, label: str, superclass: str = "", names: bool = True, prefix: str = "{}"
) -> Path:
    """The Hub's layout, the training split in two files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    features = {"img": {"_type": "Image"}, label: {"_type": "ClassLabel", "names": raw.class_names}}
    if superclass:
        features[superclass] = {"_type": "ClassLabel", "names": raw.superclass_names}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})} if names else None
    for split, part in raw.splits.items():
        columns = {"img": [{"bytes": encode(image), "path": None} for image in part.images], label: part.labels}
        if superclass:
            columns[superclass] = part.superclasses
        table = pa.table(columns).replace_schema_metadata(metadata)
        pieces = 2 if split == "train" else 1
        bounds = np.linspace(0, len(part.labels), pieces + 1).astype(int)
        for piece in range(pieces):
            file = folder / f"{prefix.format(split)}-{piece:05d}-of-{pieces:05d}.parquet"
            pq.write_table(table.slice(bounds[piece], bounds[piece + 1] - bounds[piece]), file)
    return folder


def write_python(folder: Path, raw: RawData, protocol: int = 2) -> Path:
    """cifar-100-python."""
    folder.mkdir(parents=True)
    meta = {b"fine_label_names": list(raw.class_names), b"coarse_label_names": list(raw.superclass_names)}
    (folder / "meta").write_bytes(pickle.dumps(meta, protocol))
    for split, part in raw.splits.items():
        content = {
            b"filenames": [b"%d.png" % row for row in range(len(part.labels))],
            b"batch_label": b"of 1",
            b"fine_labels": part.labels.tolist(),
            b"coarse_labels": part.superclasses.tolist(),
            b"data": planes(part.images),
        }
        (folder / split).write_bytes(pickle.dumps(content, protocol))
    return folder


def write_binary(folder: Path, raw: RawData) -> Path:
    """cifar-100-binary."""
    folder.mkdir(parents=True)
    (folder / "fine_label_names.txt").write_text("\n".join(raw.class_names) + "\n")
    (folder / "coarse_label_names.txt").write_text("\n".join(raw.superclass_names) + "\n\n")
    for split, part in raw.splits.items():
        records = np.column_stack([part.superclasses, part.labels, planes(part.images)]).astype(np.uint8)
        (folder / f"{split}.bin").write_bytes(records.tobytes())
    return folder


def write_archive(file: Path, folder: Path) -> Path:
    """The folder as the original archives hold it."""
    with tarfile.open(file, "w:gz") as archive:
        archive.add(folder, folder.name)
    return file
