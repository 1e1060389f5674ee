"""CPU-seconds of processes out of /proc, quantiles, and facts of the machine that the figures were taken on."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median

TICKS = os.sysconf("SC_CLK_TCK")


def _fields(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the program's name, state first."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu(pid: int) -> float:
    """User and system seconds of one process, its threads included."""
    told = _fields(pid)
    return (int(told[11]) + int(told[12])) / TICKS


def cpu_of_tree(pid: int) -> float:
    """The same of a server with its children, those that have ended included."""
    told = _fields(pid)
    total = sum(map(int, told[11:15])) / TICKS
    for other in Path("/proc").glob("[0-9]*"):
        try:
            if int(_fields(int(other.name))[1]) == pid:
                total += cpu(int(other.name))
        except OSError:
            continue  # it ended meanwhile: from now on it counts among the ended
    return total


def quantile(told: Sequence[float], share: float) -> float:
    """The value below which that share lies (nearest rank)."""
    ranked = sorted(told)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def spread(told: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Median, least and greatest of repeated rounds."""
    return {"median": round(median(told), digits), "min": round(min(told), digits), "max": round(max(told), digits)}


def machine(server_version: str) -> dict[str, str | int | float]:
    """What the figures were taken on."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = next((line.partition(":")[2].strip() for line in cpuinfo.splitlines() if "model name" in line), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "postgresql": server_version,
        "kernel": platform.release(),
    }
