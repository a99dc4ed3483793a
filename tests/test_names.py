"""The project's words: names that are nouns of the field, and docstrings that say what a thing is or returns."""

import ast
from pathlib import Path

import cifar100

PACKAGE = Path(cifar100.__file__).parent
# Nouns that are none: of them a reader learns nothing of what is in the variable.
VAGUE = {"content", "said", "told", "told_by", "material", "facts", "written", "together", "utils", "helpers", "common"}
FILES = [file for file in PACKAGE.rglob("*.py") if file.relative_to(PACKAGE).parts[0] != "conf"]


def identifiers(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
    return {name.strip("_") for name in found}


def test_names_are_nouns_of_the_field():
    found = {str(file): sorted(identifiers(ast.parse(file.read_text(encoding="utf-8"))) & VAGUE) for file in FILES}
    assert not {file: names for file, names in found.items() if names}


def test_docstrings_say_what_a_thing_is_not_that_it_is_what_it_is():
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
                first = (ast.get_docstring(node) or "").partition("\n")[0]
                assert not first.startswith("What "), f"{file}: {first}; write Returns, A or The"
