"""config.yaml as plain data: no tags, anchors or aliases, no interpolation.

Read by PyYAML's safe loader, which makes no objects, narrowed further: aliases make exponentially large trees from a
few lines, and YAML 1.1's dates and merge keys are not what a configuration means. A number such as 1e-3 is a float, as
in OmegaConf and YAML 1.2. What any other reader of YAML would take for a date is written in quotes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from cifar100.base.errors import RecordError
from cifar100.record.plain import MAX_DEPTH, to_plain

_UNWANTED = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"}
_LINE_BREAKS = frozenset("\x85\u2028\u2029")
_FLOAT = re.compile(r"^[-+]?(?:[0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$")


class _Refused(yaml.MarkedYAMLError):
    def __init__(self, where: Any, problem: str) -> None:
        super().__init__(problem=problem, problem_mark=where.start_mark)


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _Refused(event, "anchors and aliases are refused; write the value itself")
        if event.tag is not None:
            raise _Refused(event, f"the tag {event.tag[:40]} is refused; only plain data is read")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(names)) != len(names):
            raise _Refused(node, "a key is given twice")
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    # An object that occurs twice is written twice: an alias would be refused on reading.
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # unquoted, PyYAML's own reader takes these three for line breaks
    style = '"' if _LINE_BREAKS.intersection(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _UNWANTED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind in (_Loader, _Dumper):
    _kind.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def format_yaml(value: dict[str, Any], path: Path) -> bytes:
    """`value` as YAML in the order given. Raises RecordError for what is no plain data or holds `${`."""
    value = to_plain(value, path, interpolation=False)
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120).encode()


def parse_yaml(data: bytes, path: Path) -> dict[str, Any]:
    """The mapping in YAML text. Raises RecordError for anything but plain data without `${`."""
    try:
        value = yaml.load(data.decode("utf-8"), Loader=_Loader)
    except RecursionError:
        raise RecordError(path, f"is nested more than {MAX_DEPTH} deep") from None
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise RecordError(path, f"is no plain YAML ({where}{error.problem})") from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        raise RecordError(path, f"is no plain YAML ({error})") from None
    if not isinstance(value, dict):
        raise RecordError(path, f"holds a {type(value).__name__} where a mapping belongs")
    return to_plain(value, path, interpolation=False)
