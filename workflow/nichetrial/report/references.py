"""What the report cites: the experiment, the evidence behind the priors, and the software."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nichetrial.model.parameters import PARAMETERS

__all__ = ["LITERATURE", "SOFTWARE", "Reference", "doi_url", "sources_of_parameters"]


@dataclass(frozen=True)
class Reference:
    """A work, and what the project takes from it."""

    text: str
    doi: str | None
    why: str
    url: str | None = None


LITERATURE = (
    Reference(
        "Seubert B, et al. Tissue inhibitor of metalloproteinases (TIMP)-1 creates a premetastatic "
        "niche in the liver through SDF-1/CXCR4-dependent neutrophil recruitment in mice. "
        "Hepatology 2015;61:238-248.",
        "10.1002/hep.27378",
        "the experiment that the default study repeats",
    ),
    Reference(
        "Elezkurtaj S, et al. Adenovirus-mediated overexpression of tissue inhibitor of "
        "metalloproteinases-1 in the liver: efficient protection against T-cell lymphoma and colon "
        "carcinoma metastasis. J Gene Med 2004;6:1228-1237.",
        "10.1002/jgm.637",
        "the opposite sign at very high TIMP-1",
    ),
    Reference(
        "Kobuch J, et al. TIMP-1 signaling via CD63 triggers granulopoiesis and neutrophilia in "
        "mice. Haematologica 2015;100:1005-1013.",
        "10.3324/haematol.2014.121590",
        "TIMP-1 acts on granulopoiesis through CD63",
    ),
    Reference(
        "Batra J, et al. PEGylation extends circulation half-life while preserving in vitro and in "
        "vivo activity of tissue inhibitor of metalloproteinases-1 (TIMP-1). PLoS ONE "
        "2012;7(11):e50028.",
        "10.1371/journal.pone.0050028",
        "half-life of TIMP-1 in mouse plasma",
    ),
    Reference(
        "Allen RJ, Rieger TR, Musante CJ. Efficient generation and selection of virtual "
        "populations in quantitative systems pharmacology models. CPT Pharmacometrics Syst "
        "Pharmacol 2016;5:140-146.",
        "10.1002/psp4.12063",
        "plausible virtual animals",
    ),
)
SOFTWARE = (
    Reference(
        "Mölder F, et al. Sustainable data analysis with Snakemake. F1000Research 2021;10:33.",
        "10.12688/f1000research.29032.2",
        "decides what runs",
    ),
    Reference(
        "Zaharia M, et al. Accelerating the machine learning lifecycle with MLflow. IEEE Data "
        "Engineering Bulletin 2018;41(4):39-45.",
        None,
        "keeps the runs",
        "https://mlflow.org",
    ),
)

DOI = re.compile(r"10\.\d{4,9}/[^\s,;()]+[^\s,;().]")


def doi_url(doi: str) -> str:
    """The address at which a DOI resolves."""
    return f"https://doi.org/{doi}"


def sources_of_parameters() -> list[tuple[str, str | None, list[str]]]:
    """Source as written, its DOI if it has one, and the parameters that rest on it.

    In the order of the parameters; sources that are no publication are left out.
    """
    found: dict[str, list[str]] = {}
    for parameter in PARAMETERS.values():
        if not parameter.source.startswith("not measured"):
            found.setdefault(parameter.source, []).append(parameter.meaning)
    result = []
    for source, meanings in found.items():
        doi = DOI.search(source)
        result.append((source, doi.group() if doi else None, meanings))
    return result
