"""Pictures that evaluations of runs hold, read as data of unknown origin."""

from __future__ import annotations

from io import BytesIO

from cifar100.base.errors import RecordError
from cifar100.record import RunDirectory
from cifar100.report.records.run import Run

MAX_SIDE, WIDEST = 20_000, 1_600  # pixels that are read, and that go into a report


def explanation(run: Run, name: str) -> bytes | None:
    """evaluation/explanations/<name>.png, decoded and written again as RGB of at most WIDEST pixels across, so that
    nothing but its pixels gets into a report; None where there is none or it is no such picture."""
    from PIL import Image

    try:
        content = RunDirectory(run.path).read_bytes(f"explanations/{name}.png")
        if content is None:
            return None
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            if max(image.size) > MAX_SIDE:
                return None
            picture = image.convert("RGB")
    except (RecordError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    picture.thumbnail((WIDEST, MAX_SIDE))
    buffer = BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
