"""Tables on disk, with their schemas, which are checked at each write.

A schema is column -> (Arrow type, unit, meaning). Units and meanings are in the metadata.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nichetrial.files import atomic

__all__ = ["Column", "OnDemand", "Schema", "read", "units", "write", "write_csv"]

Column = tuple[pa.DataType, str, str]
Schema = Mapping[str, Column]


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


class OnDemand(Mapping[str, pd.DataFrame]):
    """Tables that are read when they are asked for, of which the last few are kept.

    So a comparison of many arms needs no more memory than one of few. Text is categorical.

    Args:
        files: name -> the Parquet files of the table, in order.
        kept: how many tables are kept.
    """

    def __init__(self, files: Mapping[str, Sequence[str | os.PathLike[str]]], kept: int) -> None:
        self._files = dict(files)
        self._read = functools.lru_cache(maxsize=kept)(self._load)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._files:
            raise KeyError(name)
        return self._read(name)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def _load(self, name: str) -> pd.DataFrame:
        paths = self._files[name]
        text = [f.name for f in pq.read_schema(paths[0]) if pa.types.is_string(f.type)]
        parts = [pq.read_table(path, read_dictionary=text) for path in paths]
        return pa.concat_tables(parts).unify_dictionaries().to_pandas(self_destruct=True)


def units(path: str | os.PathLike[str]) -> dict[str, str]:
    """Column -> unit, as stored in the file."""
    return {f.name: (f.metadata or {}).get(b"unit", b"").decode() for f in pq.read_schema(path)}
