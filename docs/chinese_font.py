"""Makes the Chinese font that figures and the measuring of slides use: a subset of Noto Sans CJK SC.

    python docs/chinese_font.py NotoSansCJK-Regular.ttc

The collection is that of https://github.com/notofonts/noto-cjk (Debian: fonts-noto-cjk). Kept are ASCII, Latin-1,
Greek, punctuation, the 3,755 characters of GB 2312's first level, and whatever else the package's own texts hold. The
subset is under the SIL Open Font License as the font is, and has a name of its own, so that it never stands in for a
whole one.
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

PACKAGE = Path(__file__).parents[1] / "cifar100"
FONT = PACKAGE / "report" / "figures" / "fonts" / "ReportSansSC-Regular.otf"
FACE, FAMILY = "Noto Sans CJK SC", "Report Sans SC"


def characters() -> set[str]:
    """The characters that the subset keeps."""
    symbols = [bytes([row, cell]) for row in (0xA1, 0xA3, 0xA6) for cell in range(0xA1, 0xFF)]
    first_level = [bytes([row, cell]) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    kept = {code.decode("gb2312", errors="ignore") for code in [*symbols, *first_level]} - {""}
    kept |= {chr(code) for code in [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2040)]}
    kept |= set("−×≤≥≈±→←↑↓∞√∑∏∂")
    texts = [file for kind in ("yaml", "py", "j2") for file in PACKAGE.rglob(f"*.{kind}")]
    return kept | {each for file in texts for each in file.read_text(encoding="utf-8") if ord(each) > 0x7F}


def face_of(path: Path) -> TTFont:
    faces = TTCollection(path).fonts
    return next(face for face in faces if face["name"].getDebugName(1) == FACE)


def main(collection: str) -> None:
    font = face_of(Path(collection))
    options = Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14])
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB", "GDEF"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=map(ord, characters()))
    subsetter.subset(font)
    for record in list(font["name"].names):
        named = {1: FAMILY, 3: FAMILY, 4: FAMILY, 6: FAMILY.replace(" ", "") + "-Regular"}.get(record.nameID)
        if named:
            font["name"].setName(named, record.nameID, record.platformID, record.platEncID, record.langID)
    table = font["CFF "].cff
    table.fontNames = [FAMILY.replace(" ", "") + "-Regular"]
    top = table.topDictIndex[0]
    top.FullName = top.FamilyName = FAMILY
    FONT.parent.mkdir(exist_ok=True)
    font.save(FONT)
    print(f"{FONT}: {FONT.stat().st_size:,} bytes, {len(font.getGlyphOrder()):,} glyphs")


if __name__ == "__main__":
    main(*sys.argv[1:])
