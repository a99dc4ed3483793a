"""The pickles of the original CIFAR archives, read without trusting them.

Unpickling runs whatever functions a file names. Here a file can name those of STAND_INS and no other.
"""

import io
import pickle
from typing import Any

from cifar100.base.errors import UserError
from cifar100.data.formats.pickled_arrays import STAND_INS, Array, DType, encode, frombuffer

# The original files have 300,000 of them; each makes an object of some hundred bytes at most.
_MOST_STEPS = 2_000_000


def load_arrays(data: bytes, where: str) -> dict[str, Any]:
    """A pickled dict of numeric arrays, int, text, and flat lists of int or text; bytes become str.

    Reads what Python 2 and 3, numpy 1 and 2, and protocols 0 to 5 write for such data. Memory and time stay
    proportional to the content's length: what is referred to again counts again where it is copied.

    Raises:
        ValueError: any other content: object arrays, other globals, nesting, persistent ids, a truncated file.
    """
    try:
        unpickler = _Unpickler(data)
        loaded = unpickler.load()
        if not isinstance(loaded, dict):
            raise UserError(f"holds a {type(loaded).__name__}, expected a dict")
        return {_text(key): unpickler.plain(value) for key, value in loaded.items()}
    except ValueError as error:
        raise UserError(f"{where}: {error}") from None
    except Exception as error:  # a broken pickle raises IndexError, EOFError, struct.error, ... as it pleases
        raise UserError(f"{where}: not a readable pickle ({type(error).__name__})") from None


# What data needs of the pickle machine: numbers, text, tuples, lists, dicts, the memo, and calls of stand-ins. No sets
# (hashing nested tuples takes exponential time), no other ways to make objects, no references out of the file.
_OPCODES = """
    PROTO FRAME STOP MARK POP POP_MARK NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT
    BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 SHORT_BINBYTES
    BINBYTES BINBYTES8 BYTEARRAY8 EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST LIST APPEND APPENDS
    EMPTY_DICT DICT SETITEM SETITEMS PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL
    REDUCE BUILD
""".split()


class _Unpickler(pickle._Unpickler):  # type: ignore[misc,name-defined]
    """Python's own implementation: the one in C lets a memo index of a few bytes reserve gigabytes."""

    dispatch = {getattr(pickle, name)[0]: pickle._Unpickler.dispatch[getattr(pickle, name)[0]] for name in _OPCODES}

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="bytes")
        self.dispatch = _Counted(self.dispatch)
        self._left = 2 * len(data) + 2**16  # bytes that may be copied

    def _copy(self, size: int) -> None:
        """Counts bytes before they are copied: a reference of three bytes can mean megabytes, again and again."""
        self._left -= size
        if self._left < 0:
            raise UserError("expands to more than it holds")

    def plain(self, value: Any) -> Any:
        """The value without stand-ins; of a list, its texts."""
        if type(value) is Array and value.value is not None:
            return value.value
        if type(value) is list:
            if all(type(item) is int for item in value):
                return value
            self._copy(sum(len(item) for item in value if type(item) in (bytes, str)))
            return [_text(item) for item in value]
        return value if type(value) is int else _text(value)

    def load_reduce(self) -> None:
        if self.stack[-2] in (encode, frombuffer) and type(self.stack[-1]) is tuple:
            self._copy(sum(len(each) for each in self.stack[-1] if type(each) is str))
        super().load_reduce()

    def find_class(self, module: str, name: str) -> Any:
        try:
            return STAND_INS[module, name]
        except KeyError:
            called = f"{module}.{name}"[:60]
            raise UserError(f"names {called!r}, which no data needs; nothing was run") from None

    def load_build(self) -> None:
        if type(self.stack[-2]) not in (Array, DType):  # else it would set attributes, of our functions too
            raise UserError("sets the state of something that is no array")
        if type(self.stack[-1]) is tuple:
            self._copy(sum(len(each) for each in self.stack[-1] if type(each) is str))  # protocol 0's pixels
        super().load_build()

    def load_bytearray8(self) -> None:
        size = int.from_bytes(self.read(8), "little")
        data = self.read(size)  # as many bytes as there are: the original reserves what the file claims
        if len(data) != size:
            raise UserError("is cut short")
        self.append(bytearray(data))

    def load_setitem(self) -> None:
        _check_keys(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        _check_keys(self.stack[::2])
        super().load_setitems()

    def load_dict(self) -> None:
        _check_keys(self.stack[::2])
        super().load_dict()

    for _opcode, _method in (
        (pickle.BUILD, load_build),
        (pickle.REDUCE, load_reduce),
        (pickle.BYTEARRAY8, load_bytearray8),
        (pickle.SETITEM, load_setitem),
        (pickle.SETITEMS, load_setitems),
        (pickle.DICT, load_dict),
    ):
        dispatch[_opcode[0]] = _method


def _check_keys(keys: list[Any]) -> None:
    if not all(type(key) in (bytes, str, int) for key in keys):
        raise UserError("holds a dict whose keys are not text")


class _Counted(dict):
    """The action of each opcode, so many times and no more."""

    steps = 0

    def __getitem__(self, opcode: int) -> Any:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise UserError(f"takes more than {_MOST_STEPS:,} steps to read")
        return super().__getitem__(opcode)


def _text(value: Any) -> str:
    if type(value) is bytes:
        return value.decode("utf-8", "replace")
    if type(value) is str:
        return value
    raise UserError(f"holds a {type(value).__name__.strip('_')} where text or numbers were expected")
