"""A Space: a page on the Hub on which anybody tries a pushed network. It is the demo's, and brings its own sources."""

import io
import re
import tomllib
from importlib.metadata import requires
from importlib.resources import files
from pathlib import Path

import torch

from cifar100.base.errors import HubError
from cifar100.config import CONF, own_folders
from cifar100.data.images import ImageSet

GRADIO = "6.31.0"  # with which the page was looked at
SOURCES = (".py", ".yaml", ".jinja")
SAMPLES = 12
APP = '''"""A page to try {repo_id} on: `python -m cifar100 demo`, whose sources lie beside this file."""

from cifar100.app.demo_page import serve

serve("hf://{repo_id}@{commit}", host="0.0.0.0", samples="samples")
'''
CARD = """Upload a picture, or choose one of the test images: the page shows the five likeliest classes and where the
network looks for each of them (Grad-CAM).

The network is [{repo_id}](https://huggingface.co/{repo_id}) at commit {commit}. It gives every picture one of the
classes that it was trained on, whatever the picture shows.
"""


def space_repository(
    repo_id: str, commit: str, test: ImageSet, class_names: tuple[str, ...], title: str
) -> dict[str, bytes]:
    """The files of a Space by name.

    Args:
        repo_id: of the network, pushed as `commit`.
        test: images of which some are offered.
        class_names: in the order of the labels.
        title: of the page.

    Raises:
        HubError: the network has primitives of the user's own, which are not on the Hub.
    """
    from huggingface_hub import SpaceCardData

    if own_folders():
        raise HubError("a Space has this project's primitives only; push without space=, or contribute yours")
    about = SpaceCardData(
        title=title, sdk="gradio", sdk_version=GRADIO, python_version="3.12", app_file="app.py", models=[repo_id]
    )
    card = f"---\n{about.to_yaml()}\n---\n\n{CARD.format(repo_id=repo_id, commit=commit)}"
    return {
        "README.md": card.encode(),
        "app.py": APP.format(repo_id=repo_id, commit=commit).encode(),
        "requirements.txt": "\n".join([*_requirements(), "captum>=0.8", ""]).encode(),
        **_samples(test, class_names),
        **_sources(),
    }


def _sources() -> dict[str, bytes]:
    package = Path(str(files("cifar100")))
    found = {f"cifar100/{path.relative_to(package).as_posix()}": path for path in package.rglob("*")}
    found |= {f"cifar100/conf/{path.relative_to(CONF).as_posix()}": path for path in CONF.rglob("*.yaml")}
    return {name: path.read_bytes() for name, path in sorted(found.items()) if path.suffix in SOURCES}


def _requirements() -> list[str]:
    """The package's requirements: of a checkout as it says now, else as it was installed."""
    project = CONF.parent / "pyproject.toml"
    if project.is_file():
        return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    return [each for each in requires("cifar100-lab") or [] if "extra ==" not in each]


def _samples(test: ImageSet, class_names: tuple[str, ...]) -> dict[str, bytes]:
    """PNG files of some test images, always the same, named by their classes."""
    from PIL import Image

    found = {}
    order = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))
    for number, index in enumerate(order[:SAMPLES].tolist()):
        array = test.images[index].permute(1, 2, 0).contiguous().numpy()
        buffer = io.BytesIO()
        Image.fromarray(array if array.shape[2] == 3 else array[..., 0]).save(buffer, "PNG")
        name = re.sub(r"[^\w -]", "_", class_names[int(test.labels[index])])
        found[f"samples/{number:02}-{name}.png"] = buffer.getvalue()
    return found
