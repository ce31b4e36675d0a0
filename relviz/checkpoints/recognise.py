"""What a file of weights is, by its first bytes, and whether it may be opened at all. Nothing is executed here.

Files of torch are archives or streams of pickles. A pickle names the functions that rebuild its objects; here its
instructions are only listed, and one function that no state dict needs is enough to refuse the file.
"""

from __future__ import annotations

import io
import pickletools
import struct
import zipfile
from pathlib import Path
from typing import IO

from relviz import settings
from relviz.errors import BadFile

SAFETENSORS = "safetensors"
TORCH_ZIP = "torch archive"
TORCH_LEGACY = "torch file of before 1.6"

MOST_TENSORS = 20_000
_HEADER = 4 * 2**20  # bytes of a safetensors header
_PICKLE = 32 * 2**20  # bytes of the pickle in an archive, whose tensors lie beside it
_LEGACY_START = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_LEGACY_PICKLES = 5  # mark, version, machine, content, names of storages

_KINDS = "Float Double Half BFloat16 Long Int Short Char Byte Bool".split()
_STORAGES = {("torch", f"{kind}Storage") for kind in _KINDS}
_DTYPES = {("torch", name) for name in "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()}
_ALLOWED = (
    _STORAGES
    | _DTYPES
    | {
        ("collections", "OrderedDict"),
        ("torch", "Size"),
        ("torch", "device"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch._utils", "_rebuild_tensor"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch.storage", "UntypedStorage"),
    }
)
_INDIRECT = {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"}  # honest files have none

_BY_START = {
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF\r\n": "an HDF5 file",
    b"GGUF": "a GGUF file",
    b"\x7fELF": "a program",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"BZh": "a bzip2 file",
    b"\x08": "an ONNX file",
    b"<": "a web page",
    b"\x80": "a bare pickle, which may run code",
}
_BY_ENTRY = {
    "constants.pkl": "TorchScript, which is code",
    "code/": "TorchScript, which is code",
    ".data/extern_modules": "a torch.package, which is code",
    "archive_format": "an exported program",
    "serialized_exported_program.json": "an exported program",
    ".npy": "a NumPy archive",
}
_ALONE = "Where the network was trained, save its weights alone, with torch.save(model.state_dict(), FILE)."
_HINT = "Save the weights as safetensors, or with torch.save(model.state_dict(), FILE)."


def recognise(path: Path) -> str:
    """The kind of a file of weights: `SAFETENSORS`, `TORCH_ZIP` or `TORCH_LEGACY`, after looking through its frame.

    Raises
    ------
    BadFile: missing, empty, too large, damaged, of another kind, or it names code.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise BadFile(f"{path} is no file.", "Name a file of weights.")
        with path.open("rb") as file:
            return _kind(path, file, size)
    except OSError as error:
        raise BadFile(f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions.") from error


def _kind(path: Path, file: IO[bytes], size: int) -> str:
    if size == 0:
        raise BadFile(f"{path} is empty.", _HINT)
    if size > settings.CHECKPOINT_BYTES:
        limit = settings.CHECKPOINT_BYTES / 2**30
        raise BadFile(f"{path} takes {size / 2**30:.3g} GiB, more than {limit:.3g} GiB.", "Bring a smaller model.")
    start = file.read(512)
    if start.startswith(b"PK"):
        _check_archive(path, size)
        return TORCH_ZIP
    if start.startswith(_LEGACY_START):
        file.seek(0)
        _check_pickles(path, file, _LEGACY_PICKLES)
        return TORCH_LEGACY
    if start[8:9] == b"{" and len(start) > 8:
        _check_header(path, struct.unpack("<Q", start[:8])[0], size)
        return SAFETENSORS
    raise BadFile(f"{path} is {_named(start)}, not a file of weights.", _HINT)


def _named(start: bytes) -> str:
    if start[257:262] == b"ustar":
        return "a tar archive"
    return next((kind for mark, kind in _BY_START.items() if start.startswith(mark)), "of an unknown kind")


def _check_header(path: Path, length: int, size: int) -> None:
    if length > min(_HEADER, size - 8):
        raise BadFile(f"{path} is damaged: its header claims {length} bytes.", "Copy or save it again.")


def _check_archive(path: Path, size: int) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(path, entries, size)
            content = next(entry for entry in entries if entry.filename.endswith("/data.pkl"))
            _check_pickles(path, io.BytesIO(archive.read(content)), 1)
            _check_sums(path, archive)
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, NotImplementedError) as error:
        raise BadFile(f"{path} is a damaged archive.", "Copy or save it again.") from error


def _check_entries(path: Path, entries: list[zipfile.ZipInfo], size: int) -> None:
    names = [entry.filename for entry in entries]
    for name in names:
        for mark, kind in _BY_ENTRY.items():
            if name.partition("/")[2].startswith(mark) or name.endswith(mark):
                raise BadFile(f"{path} is {kind}, not a file of weights.", _HINT)
    contents = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
    if len(contents) != 1 or len({name.partition("/")[0] for name in names}) != 1:
        raise BadFile(f"{path} is a zip archive, not a file of weights.", _HINT)
    odd = len(set(names)) < len(names) or any(".." in name or "\\" in name for name in names)
    packed = any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 for entry in entries)
    if odd or packed or len(names) > MOST_TENSORS + 20 or sum(entry.file_size for entry in entries) > size:
        raise BadFile(f"{path} is an archive as torch writes none.", _HINT)
    if contents[0].file_size > _PICKLE:
        raise BadFile(f"{path} describes its tensors in more than {_PICKLE // 2**20} MiB.", _HINT)


def _check_sums(path: Path, archive: zipfile.ZipFile) -> None:
    """Look at every entry's checksum, which torch itself does not."""
    changed = archive.testzip()
    if changed is not None:
        part = changed.partition("/")[2]
        raise BadFile(f"{path} is damaged: its part '{part}' is not what its checksum says.", "Copy or save it again.")


def _check_pickles(path: Path, stream: IO[bytes], count: int) -> None:
    """List the instructions of so many pickles, one after the other, and refuse those that could reach for code."""
    try:
        for _ in range(count):
            for instruction, argument, _place in pickletools.genops(stream):
                if instruction.name == "GLOBAL":
                    _check_name(path, str(argument))
                elif instruction.name in _INDIRECT:
                    raise BadFile(f"{path} builds objects in a way that weights do not need.", _HINT)
    except (ValueError, IndexError, OverflowError, MemoryError) as error:
        raise BadFile(f"{path} is damaged: its description of tensors breaks off.", "Copy or save it again.") from error


def _check_name(path: Path, argument: str) -> None:
    module, _, name = argument.partition(" ")
    if (module, name) not in _ALLOWED:
        raise BadFile(f"{path} names '{module}.{name}', which is no part of plain weights."[:300], _ALONE)
