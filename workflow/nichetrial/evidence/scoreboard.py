"""Each finding against each variant of the model: prediction with interval, hit or miss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from nichetrial.evidence.agreement import predict
from nichetrial.evidence.findings import Finding
from nichetrial.tables import Schema

__all__ = ["SCOREBOARD", "scoreboard"]

_F = pa.float64()
SCOREBOARD: Schema = {
    "variant": (pa.string(), "1", "variant of the model, calibrated on set A"),
    "finding": (pa.string(), "1", "id of the finding"),
    "set": (pa.string(), "1", "A: fitted; B: only predicted"),
    "predicted": (_F, "see statistic", "median over simulated experiments"),
    "low": (_F, "see statistic", "lower bound of the 90 % predictive interval"),
    "high": (_F, "see statistic", "upper bound"),
    "direction_share": (_F, "1", "share of simulated experiments with the sign, or in the range"),
    "place": (_F, "1", "share of simulated experiments below the published number"),
    "verdict": (pa.string(), "1", "hit or miss"),
    "failed": (pa.int64(), "experiments", "simulated experiments without a number"),
    "statistic": (pa.string(), "1", "what the numbers are"),
    "published": (_F, "see statistic", "the published number, if there is one"),
    "published_low": (_F, "see statistic", "lower bound of the published range, if there is one"),
    "published_high": (_F, "see statistic", "upper bound"),
    "what": (pa.string(), "1", "the finding in words"),
    "source": (pa.string(), "1", "where it was published"),
    "trust": (pa.string(), "1", "read, or second-hand"),
}


def scoreboard(findings: Sequence[Finding], experiments: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """One row a variant and finding. ``experiments``: variant -> (n, findings)."""
    rows = []
    for variant, values in experiments.items():
        for f, column in zip(findings, values.T, strict=True):
            p = predict(f, column)
            rows.append(
                {
                    "variant": variant,
                    "finding": f.id,
                    "set": f.set,
                    "predicted": p.predicted,
                    "low": p.low,
                    "high": p.high,
                    "direction_share": p.direction_share,
                    "place": p.place,
                    "verdict": "hit" if p.hit else "miss",
                    "failed": p.failed,
                    "statistic": f"{f.statistic} of {f.outcome}",
                    "published": f.value,
                    "published_low": f.low,
                    "published_high": f.high,
                    "what": f.finding,
                    "source": f"{f.source}, {f.citation}".strip(", "),
                    "trust": f.trust,
                }
            )
    return pd.DataFrame(rows, columns=list(SCOREBOARD))
