"""Pictures of all kinds are read as a person sees them, or refused."""

import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar100.data.cache import source_key
from cifar100.data.formats import decode
from cifar100.data.formats.folders import image_files, read_labelled

RAMP = np.linspace(0, 1, 64).reshape(8, 8)


def read(file: Path, channels: int = 1) -> np.ndarray:
    return read_labelled([file], [0], 8, channels, resize=True).images[0, ..., 0]


def test_sixteen_bits_of_grey_keep_their_levels(tmp_path):
    Image.fromarray((RAMP * 65535).astype(np.uint16)).save(tmp_path / "grey.png")
    assert np.abs(read(tmp_path / "grey.png") - RAMP * 255).max() <= 1
    assert len(np.unique(read(tmp_path / "grey.png", 3))) > 50


@pytest.mark.parametrize(("orientation", "turned"), [(3, lambda x: x[::-1, ::-1]), (6, lambda x: np.rot90(x, -1))])
def test_pictures_stand_upright(orientation, turned, tmp_path):
    image = Image.fromarray((RAMP * 255).astype(np.uint8))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.png", exif=exif)
    assert np.abs(read(tmp_path / "turned.png") - turned((RAMP * 255).astype(np.uint8))).max() <= 1


@pytest.mark.parametrize(
    ("image", "name", "message"),
    [
        (Image.fromarray(RAMP.astype(np.float32)), "float.tif", "floating point numbers have no known range"),
        (Image.merge("LA", [Image.new("L", (8, 8), 255), Image.fromarray((RAMP * 255).astype(np.uint8))]), "la.png",
         "transparent pixels; paint it over a background"),
        (Image.new("RGBA", (8, 8), (0, 0, 0, 100)), "rgba.png", "transparent pixels"),
        (Image.fromarray((RAMP * 100000).astype(np.int32)), "wide.tif", "no grey levels of 16 bits"),
    ],
)  # fmt: skip
def test_what_has_no_one_look_is_refused(image, name, message, tmp_path):
    image.save(tmp_path / name)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / name)


def test_an_opaque_alpha_channel_is_no_obstacle(tmp_path):
    Image.new("RGBA", (8, 8), (200, 10, 10, 255)).save(tmp_path / "opaque.png")
    assert read(tmp_path / "opaque.png", 3).tolist() == [[200] * 8] * 8


def test_files_that_are_left_out_are_counted(tmp_path, caplog):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    for name in ("b.heic", "c.heic", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    with caplog.at_level(logging.WARNING):
        assert [file.name for file in image_files(tmp_path)] == ["a.png"]
    assert "3 files are left out" in caplog.text and ".heic, .txt" in caplog.text


def test_the_cache_sees_through_linked_folders(tmp_path):
    real, linked = tmp_path / "real", tmp_path / "source"
    real.mkdir()
    linked.mkdir()
    (linked / "train").symlink_to(real)
    (real / "upwards").symlink_to(linked)
    before = source_key(linked)
    Image.new("L", (8, 8)).save(real / "a.png")
    assert source_key(linked) != before and [file.name for file in image_files(linked)] == ["a.png"]


def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    """Eight at once, each of nearly as many pixels as Pillow allows, would take gigabytes."""
    under_way, most, as_seen = [], [], decode._as_seen

    def watched(image):
        under_way.append(image)
        most.append(len(under_way))
        time.sleep(0.005)
        found = as_seen(image)
        under_way.remove(image)
        return found

    monkeypatch.setattr(decode, "_LARGE_PIXELS", 100)
    monkeypatch.setattr(decode, "_PER_TASK", 1)
    monkeypatch.setattr(decode, "_as_seen", watched)
    monkeypatch.setattr(decode.os, "cpu_count", lambda: 8)
    files = [tmp_path / f"{number}.png" for number in range(16)]
    for file in files:
        Image.new("L", (16, 16)).save(file)
    read_labelled(files, [0] * 16, 8, 1, resize=True)
    assert len(most) == 16 and max(most) == 1


def test_what_is_no_file_or_too_large_a_one_is_named_not_read(tmp_path):
    """A sparse file of a terabyte; a pipe would be waited for."""
    Image.new("L", (8, 8)).save(tmp_path / "sparse.png")
    os.truncate(tmp_path / "sparse.png", 10**12)
    os.mkfifo(tmp_path / "pipe.png")
    for name, reason in (("sparse.png", "1000000000000 bytes, more than"), ("pipe.png", "no plain file")):
        with pytest.raises(ValueError, match=f"{name} cannot be read .*{reason}"):
            read(tmp_path / name)
