"""Tables on disk, with their schemas, which are checked at each write.

A schema is column -> (Arrow type, unit, meaning). Units and meanings are in the metadata.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nichetrial.files import atomic

__all__ = ["Column", "Schema", "read", "units", "write", "write_csv"]

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


def units(path: str | os.PathLike[str]) -> dict[str, str]:
    """Column -> unit, as stored in the file."""
    return {f.name: (f.metadata or {}).get(b"unit", b"").decode() for f in pq.read_schema(path)}
