"""Every option on one page: python docs/options.py [docs/options.md]

Prints Markdown, or replaces the file that is named: each group of conf/, its choices, and each choice's options with
default and meaning. The words stand where the option does: in a comment behind it in YAML, in its constructor's
`Args:`, or in one of these for the same option of another choice of its group.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hydra.utils import get_object

from cifar100.__main__ import COMMANDS
from cifar100.config import CONF, PRIMITIVES

GROUPS = ("model", *PRIMITIVES, "data", "augment", "loss", "optimizer", "scheduler", "pruning", "trainer", "tracker")
COMMENT = re.compile(r"^(?P<indent> *)(?P<name>\w+):(?P<value>[^#]*?)\s*(?:#\s*(?P<words>.*))?$")
PORT = re.compile(rf"\$\{{\.*(?:{'|'.join(PRIMITIVES)})\}}")
HEADING = ("option", "default", "meaning")


def page() -> str:
    """The whole page."""
    parts = ["# Every option", INTRODUCTION]
    parts += [section(group) for group in GROUPS if (CONF / group).is_dir()]
    parts += ["## Commands", *(command(name) for name in (*COMMANDS, "pull"))]
    return "\n\n".join(parts) + "\n"


INTRODUCTION = (
    "Written by `python docs/options.py docs/options.md` from conf/ and the constructors' docstrings; a test holds it "
    "to them. An option is typed as `group.option=value`, such as `attention.kernel_size=5`; one that its choice does "
    "not have is refused with the nearest names, and so is a value out of range. `null` is none."
)


def section(group: str) -> str:
    parts = [f"## {group}"]
    if group == "model":
        frame = yaml.safe_load((CONF / "train.yaml").read_text(encoding="utf-8"))
        comments = comments_of(CONF / "train.yaml")
        rows = [(f"`{each}`", f"`{shown(value)}`", comments.get(each, "")) for each, value in frame_options(frame)]
        parts.append("Every network has these; below are what recipes set otherwise.\n\n" + table(rows))
    for file in sorted((CONF / group).glob("*.yaml")):
        node = choice(file)
        rows = [(name, value, words(group, file, name)) for name, value in options(node)]
        rows = [(f"`{group}.{name}`", f"`{shown(value)}`", meaning) for name, value, meaning in rows]
        parts.append(f"### {group}={file.stem}\n\n{summary(file, node)}")
        if rows:
            parts.append(table(rows))
    return "\n\n".join(parts)


def frame_options(train: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options of every network, which train.yaml states; what the data set decides is none."""
    for name, value in options(train["model"]):
        if not str(value).startswith("${data."):
            yield f"model.{name}", value


def command(name: str) -> str:
    file = CONF / f"{name}.yaml"
    comments = comments_of(file)
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    own = {key: value for key, value in content.items() if key not in ("defaults", "hydra", "model")}
    rows = [(f"`{key}`", f"`{shown(value)}`", comments.get(key, "")) for key, value in leaves(own)]
    return f"### {name}\n\n" + table(rows)


def choice(file: Path) -> dict[str, Any]:
    """The options that a choice's file sets in its own group."""
    content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return content.get(file.parent.name, content) if "@package _global_" in file.read_text() else content


def options(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name and default of each option, those of parts within as ``policy.magnitude``. Other groups are none."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if key.startswith("_") or key == "defaults" or (isinstance(value, str) and PORT.fullmatch(value)):
            continue
        if isinstance(value, dict):
            yield from options(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def leaves(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def words(group: str, file: Path, name: str) -> str:
    """The meaning of an option: as its own choice says, or another one of its group."""
    files = [file, *sorted(other for other in (CONF / group).glob("*.yaml") if other != file)]
    for each in files:
        if (found := own_words(group, each).get(name)) is not None:
            return found
    return ""


@cache
def own_words(group: str, file: Path) -> dict[str, str]:
    node, comments = choice(file), comments_of(file)
    frame = comments_of(CONF / "train.yaml") if group == "model" else {}
    found = {}
    for name, _ in options(node):
        target = lookup(node, name)
        text = comments.get(name) or comments.get(f"{group}.{name}") or arguments(target).get(name.split(".")[-1])
        text = text or frame.get(f"model.{name}")
        if text:
            found[name] = text
    return found


def lookup(node: dict[str, Any], name: str) -> str:
    """The target whose option it is."""
    for key in name.split(".")[:-1]:
        node = node[key]
    return str(node.get("_target_", ""))


@cache
def comments_of(file: Path) -> dict[str, str]:
    """The comments behind options, by the option's path in the file; a comment may go on in lines of its own."""
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if match := COMMENT.match(line):
            indent = len(match["indent"])
            path = [each for each in path if each[0] < indent] + [(indent, match["name"])]
            if match["words"]:
                found[".".join(name for _, name in path)] = match["words"]
        elif (more := re.match(r"^ {12,}#\s*(.*)$", line)) and found:
            last = next(reversed(found))
            found[last] += " " + more[1]
    return found


@cache
def arguments(target: str) -> dict[str, str]:
    """The words of a constructor's ``Args:``, by argument, with those that it inherits."""
    found: dict[str, str] = {}
    if target:
        described = get_object(target)
        for each in reversed(inspect.getmro(described) if inspect.isclass(described) else (described,)):
            found |= described_in(each.__doc__) | described_in(vars(each).get("__init__").__doc__)
    return found


def described_in(docstring: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    name = None
    for line in inspect.cleandoc(docstring or "").partition("Args:")[2].splitlines()[1:]:
        if line and not line.startswith("    "):
            break
        if match := re.match(r"^    (\w+)(?: \([^)]*\))?: (.*)$", line):
            name = match[1]
            found[name] = match[2]
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found


def summary(file: Path, node: Any) -> str:
    """The comment that opens the file, else the first sentence of the docstring of its target."""
    lines = file.read_text(encoding="utf-8").splitlines()
    opening = []
    for line in lines:
        if not line.startswith("#"):
            break
        if "@package" not in line:
            opening.append(line.removeprefix("#").strip())
    if opening:
        return escaped(" ".join(opening))
    target = node.get("_target_") if isinstance(node, dict) else None
    doc = inspect.getdoc(get_object(target)) if target and target.startswith("cifar100.") else None
    first = " ".join((doc or f"`{target}`" if target else "None.").split("\n\n")[0].split())
    return escaped(first)


def shown(value: Any) -> str:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    text = text.removeprefix("${").removesuffix("}").lstrip(".") if text.startswith("${") else text
    return "to be given" if text == "???" else text


def escaped(text: str) -> str:
    text = re.sub(r":(?:func|class|data|meth):`~?([\w.]+)`", r"`\1`", text.replace("``", "`"))
    return text.replace("|", "\\|")


def table(rows: list[tuple[str, str, str]]) -> str:
    lines = [HEADING, ("---",) * len(HEADING), *((name, default, escaped(text)) for name, default, text in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str]) -> None:
    if arguments:
        Path(arguments[0]).write_text(page(), encoding="utf-8")
    else:
        print(page())


if __name__ == "__main__":
    main(sys.argv[1:])
