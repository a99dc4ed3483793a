"""Text from run directories, made fit to print: it comes from anywhere."""

from __future__ import annotations


def plain_line(value: object, limit: int) -> str:
    """`value` as one line of printable characters, at most `limit` of them; what is cut off ends in "...".

    White space is folded. Control characters and those that turn the direction of writing are left out.
    """
    kept = "".join(character for character in str(value)[: 8 * limit] if character.isprintable() or character.isspace())
    line = " ".join(kept.split())
    return line if len(line) <= limit else f"{line[: limit - 3].rstrip()}..."
