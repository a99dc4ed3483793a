"""Code of this package as the report's appendix prints it."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from importlib.resources import files


@lru_cache
def source_of(target: str) -> str:
    """The class of a dotted path below cifar100 as it stands in its file, without docstrings.

    Nothing is imported: the file is read. Raises LookupError for a class that is not in the file.
    """
    *modules, name = target.split(".")
    text = files("cifar100").joinpath(*modules[1:-1], f"{modules[-1]}.py").read_text(encoding="utf-8")
    found = next((each for each in ast.parse(text).body if isinstance(each, ast.ClassDef) and each.name == name), None)
    if found is None or found.end_lineno is None:
        raise LookupError(f"{target} is no class of its module")
    lines = text.splitlines()
    for each in ast.walk(found):
        if isinstance(each, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(each) is not None:
            said = each.body[0]
            lines[said.lineno - 1 : said.end_lineno] = [""] * ((said.end_lineno or said.lineno) - said.lineno + 1)
    kept = "\n".join(lines[found.lineno - 1 : found.end_lineno])
    kept = re.sub(r"\n(\s*\n)+(?=(\s*)\S)", lambda gap: "\n\n" if gap[2] == "    " else "\n", kept)
    return re.sub(r":\n\n", ":\n", kept)
