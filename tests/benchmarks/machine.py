"""What the benchmark runs on, and how it keeps to one core."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["machine", "one_core", "versions"]

VECTORS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512dq", "avx512vl", "asimd", "sve")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def one_core() -> int | None:
    """Keep this process to one core, its last one. Call before libraries start their threads."""
    for name in THREADS:
        os.environ[name] = "1"
    os.environ["XLA_FLAGS"] = (
        "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")
    ).strip()
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def machine() -> dict[str, object]:
    """Processor, caches, vector instructions, kernel and load, as far as they can be read."""
    said: dict[str, str] = {}
    info = Path("/proc/cpuinfo")
    for line in info.read_text(encoding="utf-8").splitlines() if info.exists() else ():
        key, _, value = line.partition(":")
        said.setdefault(key.strip(), value.strip())
    caches = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (index / name).read_text(encoding="utf-8").strip() for name in ("level", "type", "size")
        )
        caches[f"L{level} {kind.lower()}"] = size
    flags = set(said.get("flags", said.get("Features", "")).split())
    return {
        "processor": said.get("model name", platform.processor() or platform.machine()),
        "family_model_stepping": [said.get(k) for k in ("cpu family", "model", "stepping")],
        "mhz": said.get("cpu MHz"),
        "caches": caches,
        "vectors": [name for name in VECTORS if name in flags],
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load": os.getloadavg(),
    }


def versions(packages: list[str]) -> dict[str, str]:
    """Package -> version; those that are not installed are left out."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
