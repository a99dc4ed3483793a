"""Parquet files in the layout of the Hugging Face Hub: an image column of encoded bytes, and label columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cifar100.base.errors import UserError
from cifar100.data.formats.decode import decode_images
from cifar100.data.raw import RawData, RawSplit
from cifar100.data.specs import Spec

if TYPE_CHECKING:
    import pyarrow

_SPLITS = {"train": "train", "test": "test", "valid": "test", "validation": "test", "val": "test"}
_ROWS = 2000
_MOST_BYTES = 2**29  # of one file's images; CIFAR-100's are 120 MB


@dataclass(frozen=True)
class Columns:
    """Names that a column may go by, the first that exists counts; no superclass column is fine. Under the names in
    ``unproven`` some copies keep the classes and some the superclasses."""

    image: tuple[str, ...] = ("img", "image")
    label: tuple[str, ...] = ("label",)
    superclass: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


def parquet_splits(folder: Path) -> dict[str, list[Path]]:
    """The parquet files under a folder by split, known by how their names begin, train-00000-of-00003.parquet, or by
    their folder, train/0000.parquet, as the Hub converts data sets.

    "valid" files count as the test split where there are no "test" files.
    """
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.rglob("*.parquet")):
        name = file.stem.split("-")[0]
        found.setdefault(name if name in _SPLITS else file.parent.name, []).append(file)
    splits: dict[str, list[Path]] = {}
    for prefix, split in _SPLITS.items():
        if prefix in found:
            splits.setdefault(split, found[prefix])
    return splits


def read_parquet(splits: dict[str, list[Path]], spec: Spec, columns: Columns) -> RawData:
    """Read and decode the splits; sizes are checked against the spec before anything large is allocated."""
    import pyarrow.parquet as pq

    missing = [split for split in spec.per_class if split not in splits]
    if missing:
        raise UserError(f"{spec.name}: no parquet file whose name begins with {missing[0]!r} ({missing[0]}-*.parquet)")
    raws = {}
    for split in spec.per_class:
        tables = _tables(splits[split], columns)
        raws[split] = collect_split(tables, spec, split, columns, splits[split][0].parent.name or "parquet")
    names, superclass_names = _names(splits["train"][0], columns)
    found = {_column_name(pq.read_schema(file).names, columns.label) for each in splits.values() for file in each}
    return RawData(raws, names, superclass_names, unproven=bool(found.intersection(columns.unproven)))


def collect_split(tables: Iterable[pyarrow.Table], spec: Spec, split: str, columns: Columns, where: str) -> RawSplit:
    """Decode a stream of tables into one split of the size that the spec gives."""
    count = spec.count(split)
    images = np.empty((count, spec.resolution, spec.resolution, spec.in_channels), np.uint8)
    labels, superclasses, row = [], [], 0
    for table in tables:
        stop = row + table.num_rows
        if stop > count:
            raise UserError(f"{spec.name}: {where} has more than the {count} {split} images expected")
        describe = partial(_row, where, split, row)
        blobs = _blobs(table, columns, f"{where} ({split})", row, _largest(spec))
        images[row:stop] = decode_images(blobs, spec.resolution, spec.in_channels, describe)
        labels.append(_integers(table, columns.label, where))
        if _column_name(table.column_names, columns.superclass):
            superclasses.append(_integers(table, columns.superclass, where))
        row = stop
    if row != count:
        raise UserError(f"{spec.name}: {where} has {row} {split} images, expected {count}")
    return RawSplit(images, np.concatenate(labels), np.concatenate(superclasses) if superclasses else None)


def _tables(files: list[Path], columns: Columns) -> Iterator[pyarrow.Table]:
    import pyarrow
    import pyarrow.parquet as pq

    for file in files:
        try:
            metadata = pq.read_metadata(file)
            stored = _image_chunks(metadata, columns)
            if sum(chunk.total_uncompressed_size for chunk in stored) > _MOST_BYTES:
                raise UserError(f"{file}: its images take more than {_MOST_BYTES} bytes, which no copy does")
            # As dictionaries where they are some: a value that stands for many rows is then in memory once.
            bytes_of = list({each.path_in_schema for each in stored if each.physical_type == "BYTE_ARRAY"})
            with pq.ParquetFile(file, metadata=metadata, read_dictionary=bytes_of) as parquet:
                wanted = (columns.image, columns.label, columns.superclass)
                names = [name for options in wanted if (name := _column_name(parquet.schema_arrow.names, options))]
                for batch in parquet.iter_batches(batch_size=_ROWS, columns=names):
                    yield pyarrow.Table.from_batches([batch])
        except (pyarrow.ArrowException, OSError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
            raise UserError(f"{file}: not a readable parquet file ({reason})") from None


def _image_chunks(
    metadata: pyarrow.parquet.FileMetaData, columns: Columns
) -> list[pyarrow.parquet.ColumnChunkMetaData]:
    groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
    chunks = [group.column(index) for group in groups for index in range(group.num_columns)]
    image = _column_name([each.path_in_schema.partition(".")[0] for each in chunks], columns.image)
    return [each for each in chunks if each.path_in_schema.partition(".")[0] == image]


def _largest(spec: Spec) -> int:
    """Bytes that an encoded image may have: as many as its pixels, and some for what files say besides."""
    return spec.in_channels * spec.resolution**2 + 2**14


def _row(where: str, split: str, first: int, index: int) -> str:
    return f"{where}: {split} image {first + index}"


def _column_name(names: list[str], options: tuple[str, ...]) -> str | None:
    return next((option for option in options if option in names), None)


def _blobs(table: pyarrow.Table, columns: Columns, where: str, first: int, largest: int) -> list[bytes]:
    import pyarrow
    import pyarrow.compute as pc

    name = _column_name(table.column_names, columns.image)
    if name is None:
        raise UserError(f"{where}: no column {' or '.join(columns.image)}")
    column = table[name].combine_chunks()
    if pyarrow.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0:
        column = column.field("bytes")
    kept = column.dictionary if pyarrow.types.is_dictionary(column.type) else column  # each value once
    if not (pyarrow.types.is_binary(kept.type) or pyarrow.types.is_large_binary(kept.type)):
        raise UserError(f"{where}: column {name} is {column.type}, expected images as bytes")
    if (found := pc.max(pc.binary_length(kept)).as_py() or 0) > largest:
        raise UserError(
            f"{where}: column {name} has an image of {found} bytes, more than the {largest} that one may have"
        )
    blobs = column.to_pylist()
    if None in blobs:
        raise UserError(f"{where}: image {first + blobs.index(None)} is missing")
    return blobs


def _integers(table: pyarrow.Table, options: tuple[str, ...], where: str) -> np.ndarray:
    import pyarrow

    name = _column_name(table.column_names, options)
    if name is None:
        raise UserError(f"{where}: no column {' or '.join(options)}")
    column = table[name]
    if not pyarrow.types.is_integer(column.type) or column.null_count:
        raise UserError(f"{where}: column {name} must hold whole numbers without gaps, it is {column.type}")
    return column.cast(pyarrow.int64()).to_numpy()


def _names(file: Path, columns: Columns) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Class and superclass names from the Hub's description of the columns, where the file has one."""
    import pyarrow.parquet as pq

    metadata = pq.read_schema(file).metadata or {}
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        found = [
            tuple(str(name) for name in features[column]["names"]) if column else ()
            for column in (_column_name(list(features), options) for options in (columns.label, columns.superclass))
        ]
    except (KeyError, TypeError, ValueError):
        return (), ()
    return found[0], found[1]
