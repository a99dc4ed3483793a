"""Pictures of the user's own: found by name, scaled as data=imagefolder does, refused in a line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cifar100.deploy.pictures import find_pictures, pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures of one colour each, one of them in a folder below, and a text."""
    (tmp_path / "below").mkdir()
    for name, colour in (("red.png", (255, 0, 0)), ("blue (1).jpg", (0, 0, 255)), ("below/green.png", (0, 255, 0))):
        Image.new("RGB", (20, 10), colour).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_finds_files_folders_and_globs(folder):
    def names(images) -> list[str]:
        return [str(path.relative_to(folder)) for path in find_pictures(images)]

    assert names(folder / "blue (1).jpg") == ["blue (1).jpg"]
    assert names(folder) == ["below/green.png", "blue (1).jpg", "red.png"]
    assert names(f"{folder}/*.png") == ["red.png"]
    assert names([f"{folder}/*.png", folder / "below", folder / "red.png"]) == ["red.png", "below/green.png"]


@pytest.mark.parametrize(
    ("name", "message"), [("rde.png", "did you mean .*red.png"), ("none/x.png", "no folder"), ("*.bmp", "no picture")]
)
def test_a_name_that_means_nothing_is_answered_with_near_ones(folder, name, message):
    with pytest.raises(ValueError, match=message):
        find_pictures(folder / name)


def test_what_is_no_picture_is_told_by_its_name(folder):
    with pytest.raises(ValueError, match=r"notes\.txt cannot be read"):
        pixels(folder / "notes.txt", 8, 3)
    with pytest.raises(ValueError, match="images is empty"):
        pixels([], 8, 3)


def test_the_centred_square_is_scaled(tmp_path):
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = (10, 20, 30)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    batch, names = pixels(tmp_path / "wide.png", 5, 3)
    assert names == [str(tmp_path / "wide.png")] and batch.dtype == torch.uint8 and batch.shape == (1, 3, 5, 5)
    assert batch.amin((0, 2, 3)).tolist() == batch.amax((0, 2, 3)).tolist() == [10, 20, 30]


def test_pictures_in_memory_are_those_of_files(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (12, 9, 3), np.uint8)
    Image.fromarray(array).save(tmp_path / "a.png")
    batch, names = pixels([array, Image.fromarray(array), tmp_path / "a.png"], 8, 3)
    assert names[:2] == ["image 0", "image 1"]
    assert torch.equal(batch[0], batch[1]) and torch.equal(batch[0], batch[2])
    grey, _ = pixels(array[:, :, 0], 8, 1)
    assert grey.shape == (1, 1, 8, 8)
    assert pixels(array[:, :, :1], 8, 1)[0].equal(grey)
    assert pixels(Image.fromarray(array).convert("CMYK"), 8, 3)[0].shape == (1, 3, 8, 8)


def test_arrays_of_another_kind_are_refused():
    with pytest.raises(ValueError, match="float64"):
        pixels([np.zeros((8, 8))], 8, 1)


def test_tensors_pass_as_they_are():
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    assert pixels(image, 8, 3)[0].shape == (1, 3, 8, 8)
    assert pixels(image.expand(4, 3, 8, 8), 8, 3)[1] == ["image 0", "image 1", "image 2", "image 3"]
