"""uv.lock is that of pyproject.toml, and names the public index alone."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (CHECKOUT / "uv.lock").is_file(), reason="an installed package has no lock")


@pytest.mark.slow
def test_the_lock_is_up_to_date():
    """Slow in what it asks for: uv lock, after every change of a dependency. A stale one costs uv sync a moment."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extras = {"": project["dependencies"], **project["optional-dependencies"]}
    expected = {(extra, *_parts(Requirement(each))) for extra, listed in extras.items() for each in listed}
    packages = tomllib.loads((CHECKOUT / "uv.lock").read_text())["package"]
    (ours,) = (each for each in packages if each["name"] == project["name"])
    locked = set()
    for each in ours["metadata"]["requires-dist"]:
        extra = re.sub(r"extra == '(\w+)'", r"\1", each.get("marker", ""))
        locked.add((extra, *_parts(Requirement(each["name"] + each.get("specifier", "")))))
    assert locked == expected, "run: uv lock"


def _parts(requirement: Requirement) -> tuple[str, str]:
    return re.sub(r"[-_.]+", "-", requirement.name).lower(), str(requirement.specifier)


def test_the_lock_names_the_public_index_alone():
    hosts = set(re.findall(r"https?://([^/\"]+)", (CHECKOUT / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}
