"""A data set of the Hugging Face Hub: from the local cache if it is there, else downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar100.base.errors import MissingFile, UserError
from cifar100.data.formats.parquet import Columns, collect_split, parquet_splits, read_parquet
from cifar100.data.raw import RawData
from cifar100.data.specs import Spec

if TYPE_CHECKING:
    import pyarrow


def read_hub(repo: str, spec: Spec, columns: Columns) -> RawData:
    """Read `repo` from the Hub's local file cache; otherwise through `datasets`, which has a cache of its own.

    Raises:
        FileNotFoundError: neither has it and the Hub cannot be reached.
        ValueError: as read_parquet.
    """
    splits = _cached_files(repo)
    if all(split in splits for split in spec.per_class):
        return read_parquet(splits, spec, columns)
    dataset = _load(repo, spec)
    raws = {}
    for split in spec.per_class:
        name = next((name for name in _names_of(split) if name in dataset), None)
        if name is None:
            raise UserError(f"{spec.name}: {repo} has no split {split}")
        raws[split] = collect_split(_tables(dataset[name], columns), spec, split, columns, repo)
    features = dataset["train"].features
    label, superclass = (
        next((tuple(features[name].names) for name in options if hasattr(features.get(name), "names")), ())
        for options in (columns.label, columns.superclass)
    )
    unproven = next((name for name in columns.label if name in features), None) in columns.unproven
    return RawData(raws, label, superclass, unproven)


def _cached_files(repo: str) -> dict[str, list[Path]]:
    """Parquet files of the newest snapshot in the Hub's file cache; no network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return parquet_splits(Path(snapshot_download(repo, repo_type="dataset", local_files_only=True)))
    except LocalEntryNotFoundError:
        return {}


def _load(repo: str, spec: Spec) -> Any:
    import datasets

    try:
        return datasets.load_dataset(repo)
    except Exception as error:  # whatever the network, the Hub's client or the cache raise: the cure is the same
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise MissingFile(
            f"{spec.name}: no copy in the local caches and the Hub's {repo} cannot be loaded ({reason}); "
            f"give the files with data.path=FOLDER_OR_ARCHIVE, or try data=digits, which needs none"
        ) from None


def _names_of(split: str) -> tuple[str, ...]:
    return ("test", "valid", "validation") if split == "test" else (split,)


def _tables(dataset: Any, columns: Columns) -> Iterator[pyarrow.Table]:
    from datasets import Image

    image = next((name for name in columns.image if name in dataset.column_names), None)
    if image is not None:
        dataset = dataset.cast_column(image, Image(decode=False))
    yield from dataset.with_format("arrow").iter(batch_size=2000)
