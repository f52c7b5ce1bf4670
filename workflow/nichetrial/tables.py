"""Tables on disk: their schemas, checked at each write, and atomic files.

A schema is column -> (Arrow type, unit, meaning); units and meanings travel in the metadata.
A half-written file never carries the final name: it is written next to it and renamed.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = [
    "Column",
    "Schema",
    "atomic",
    "delivered",
    "half_written",
    "read",
    "units",
    "write",
    "write_csv",
]

Column = tuple[pa.DataType, str, str]
Schema = Mapping[str, Column]


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path in the target's folder; renamed onto ``path`` when the block succeeds.

    The file and its new name are on the disk before the block's caller goes on: after a power cut
    there is the old file or the new one, and never an empty one.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # processes of two hosts can have the same number, and the folder may be shared by both
    part = target.with_name(f".{target.name}.{socket.gethostname()}.{os.getpid()}.part")
    try:
        yield part
        _on_disk(part)
        os.replace(part, target)
        _on_disk(target.parent)
    finally:
        part.unlink(missing_ok=True)


def half_written(folder: str | os.PathLike[str]) -> Iterator[tuple[Path, int]]:
    """Files below ``folder`` that ``atomic`` has begun on this computer, each with the number of
    its process."""
    for part in Path(folder).rglob(f".*.{socket.gethostname()}.*.part"):
        number = part.name.rsplit(".", 2)[1]
        if number.isdecimal() and number.isascii() and part.is_file():
            yield part, int(number)


@contextmanager
def delivered(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path, whose content goes where a user wants it when the block succeeds.

    A new or an ordinary file is replaced at once and whole. A link is followed, and a device, a
    pipe or the like is written into: it is never replaced by a file.

    Raises: OSError if it cannot be written.
    """
    target = Path(os.path.realpath(path))
    if not target.exists() or target.is_file():
        with atomic(target) as part:
            yield part
        return
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "content")
        yield part
        with open(part, "rb") as content, open(target, "wb") as stream:
            shutil.copyfileobj(content, stream)


def _on_disk(path: Path) -> None:
    """Wait until a file or folder is on the disk, as far as its file system can say."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # it cannot say
            raise
    finally:
        os.close(number)


def write(frame: pd.DataFrame, path: str | os.PathLike[str], schema: Schema) -> None:
    """Write ``frame`` as Parquet under ``schema``. Raises ValueError where they differ.

    Floating-point numbers are split by byte and compressed by LZ4: of what was measured (``make
    bench``), the fastest that makes files small. Dictionaries are for text; numbers seldom repeat.
    """
    if list(frame.columns) != list(schema):
        missing, extra = set(schema) - set(frame.columns), set(frame.columns) - set(schema)
        raise ValueError(
            f"columns do not match the schema: missing {sorted(missing)}, "
            f"unknown {sorted(extra)}, or in another order"
        )
    fields = [
        pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})
        for name, (kind, unit, meaning) in schema.items()
    ]
    table = pa.Table.from_pandas(frame, schema=pa.schema(fields), preserve_index=False, safe=True)
    text = [field.name for field in fields if pa.types.is_string(field.type)]
    real = [field.name for field in fields if pa.types.is_floating(field.type)]
    with atomic(path) as part:
        pq.write_table(
            table.replace_schema_metadata(None),
            part,
            compression="lz4",
            use_dictionary=text,
            use_byte_stream_split=real,
        )


def write_csv(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """The twin that people read: full precision, one header line."""
    with atomic(path) as part:
        frame.to_csv(part, index=False, lineterminator="\n")


def read(*paths: str | os.PathLike[str], columns: list[str] | None = None) -> pd.DataFrame:
    """One table from one or more Parquet files of the same schema, in the order given."""
    return pa.concat_tables([pq.read_table(p, columns=columns) for p in paths]).to_pandas()


def units(path: str | os.PathLike[str]) -> dict[str, str]:
    """Column -> unit, as stored in the file."""
    return {f.name: (f.metadata or {}).get(b"unit", b"").decode() for f in pq.read_schema(path)}
