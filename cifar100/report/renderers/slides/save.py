"""The deck as bytes that are the same whenever it is made from the same records."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file knows


def deck_bytes(deck: Any, title: str, authors: str, language: str, made: datetime) -> bytes:
    """The .pptx file. `made` is when the newest run ended, which stands as the time of the deck's making too."""
    about = deck.core_properties
    about.title, about.author, about.last_modified_by = title[:255], authors[:255], ""
    about.language, about.revision = language, 1
    about.subject = about.keywords = about.comments = about.category = ""
    about.created = about.modified = made
    written = io.BytesIO()
    deck.save(written)
    return _with_fixed_times(written.getvalue())


def _with_fixed_times(content: bytes) -> bytes:
    """The same zip file, whose entries do not say when they were written."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            new.writestr(entry, old.read(name))
    return fixed.getvalue()
