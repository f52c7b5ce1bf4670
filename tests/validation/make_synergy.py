"""References for test_synergy.py by synergy, no dependency: it is under the GPL.

In an environment of its own, from the root of the repository:

    python -m venv /tmp/synergy && /tmp/synergy/bin/pip install synergy==1.0.0 pandas
    /tmp/synergy/bin/python tests/validation/make_synergy.py

writes tests/validation/references/synergy.csv: the parameters of invented drugs and what synergy
makes of them. The tests give the same parameters to nichetrial.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from synergy.combination import HSA, Bliss, Loewe, MuSyC
from synergy.single import Hill

OUT = Path(__file__).parent / "references" / "synergy.csv"
DRUGS = [  # e1, h1, c1, e2, h2, c2, e3, alpha12, alpha21
    (0.3, 1.0, 2.0, 0.3, 1.0, 2.0, 0.3, 1.0, 1.0),
    (0.2, 1.4, 3.0, 0.5, 0.8, 0.5, 0.1, 4.0, 0.5),
    (0.6, 2.5, 10.0, 0.1, 1.2, 1.0, 0.2, 0.2, 8.0),
]
DOSES = (0.3, 1.0, 3.0, 10.0)


def main() -> None:
    """Write the table."""
    rows = []
    for case, drugs in enumerate(DRUGS):
        e1, h1, c1, e2, h2, c2, e3, alpha12, alpha21 = drugs
        first, second = Hill(E0=1.0, Emax=e1, h=h1, C=c1), Hill(E0=1.0, Emax=e2, h=h2, C=c2)
        x, y = (d.ravel() for d in np.meshgrid(DOSES, DOSES, indexing="ij"))
        musyc = MuSyC(
            E0=1.0,
            E1=e1,
            E2=e2,
            E3=e3,
            h1=h1,
            h2=h2,
            C1=c1,
            C2=c2,
            alpha12=alpha12,
            alpha21=alpha21,
            gamma12=1.0,
            gamma21=1.0,
        )
        alone = {"drug1_model": first, "drug2_model": second}
        table = pd.DataFrame({"case": case, "dose_a": x, "dose_b": y})
        names = ("e1", "h1", "c1", "e2", "h2", "c2", "e3", "alpha12", "alpha21")
        table = table.assign(**dict(zip(names, drugs, strict=True)), beta=musyc.beta)
        table["bliss"] = Bliss(**alone).E_reference(x, y)
        table["hsa"] = HSA(**alone).E_reference(x, y)
        table["loewe"] = Loewe(mode="delta_nan", **alone).E_reference(x, y)
        table["musyc"] = musyc.E(x, y)
        table["musyc_null"] = musyc.E_reference(x, y)
        rows.append(table)
    pd.concat(rows).to_csv(OUT, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
