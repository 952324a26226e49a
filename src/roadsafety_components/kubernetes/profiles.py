"""How much a step takes at a size of data: measured, never guessed.

measured.json is written by tests/benchmarks/test_profiles.py (``make profiles``).
"""

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

PROFILES = ("small", "national-year", "full-history")
# A limit is so many times what was measured: other data of that size, the launcher beside the step, page cache.
HEADROOM = 1.5
# Limits are multiples of it, so that steps that hardly differ get the same.
STEP_MIB = 256
MIB = 2**20


@cache
def measured() -> Mapping[str, Any]:
    """What the benchmark wrote.

    Returns:
        By profile ``data`` (what it was measured on) and ``steps``: by step ``memory_bytes`` (peak of resident memory
        of the process tree), ``cpu_seconds`` and ``seconds`` (of wall time), on one thread. Beside the profiles
        ``install``: the same of the pip install of a lightweight step.
    """
    return json.loads(files(__package__).joinpath("measured.json").read_text(encoding="utf-8"))


def is_measured(profile: str, step: str) -> bool:
    """Whether a step was measured at a profile's size."""
    return step in measured().get(profile, {}).get("steps", {})


def resources(profile: str, step: str) -> dict[str, str]:
    """Requests and limits of a step, as Kubernetes quantities.

    The request is what was measured, the memory of the pip install at least; the memory limit has HEADROOM. The CPU
    request is what the step used on average, in tenths of a core; its limit the one thread that was measured.

    Args:
        profile: one of PROFILES.
        step: one that was measured at that size, see is_measured.

    Returns:
        cpu_request, cpu_limit, memory_request, memory_limit.
    """
    taken = measured()[profile]["steps"][step]
    mib = math.ceil(max(taken["memory_bytes"], measured()["install"]["memory_bytes"]) / MIB)
    cores = min(math.ceil(10 * taken["cpu_seconds"] / taken["seconds"]) / 10, 1)
    return {
        "cpu_request": f"{round(max(cores, 0.1) * 1000)}m",
        "cpu_limit": "1",
        "memory_request": f"{mib}Mi",
        "memory_limit": f"{math.ceil(mib * HEADROOM / STEP_MIB) * STEP_MIB}Mi",
    }


def table() -> str:
    """All of it as Markdown, for docs/kubernetes.md: a row a step, by profile memory, cores and seconds."""
    figures = measured()
    there = [profile for profile in PROFILES if profile in figures]
    text = [*(f"- `{profile}`: {figures[profile]['data']}" for profile in there), ""]
    text += ["| step | " + " | ".join(there) + " |", "| --- |" + " --- |" * len(there)]
    steps = dict.fromkeys(step for profile in there for step in figures[profile]["steps"])
    for step in steps:
        row = []
        for profile in there:
            if not is_measured(profile, step):
                row.append("not measured")
                continue
            found = resources(profile, step)
            seconds = figures[profile]["steps"][step]["cpu_seconds"]
            row.append("{memory_request}, {memory_limit}; {cpu_request}".format(**found) + f"; {seconds:.0f} s")
        text.append(f"| `{step}` | " + " | ".join(row) + " |")
    return "\n".join(text) + "\n"
