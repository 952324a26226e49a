"""What the tests of an image run inside it, by its own Python: ``python inside.py FUNCTION`` prints JSON."""

import base64
import contextlib
import datetime
import hashlib
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import time
import zoneinfo
from pathlib import Path

# It ends where the step's function would be called.
STEP_UNTIL_ITS_FIRST_LINE = """
import os, sys
import kfp.dsl.executor
kfp.dsl.executor.Executor.execute = lambda self: os._exit(42)
sys.argv = ["roadsafety", "step", "train_classifier", "--train-data=x", "--target-column=x", "--model=/tmp/model"]
from roadsafety_components.cli import main
main()
"""


def start_ratio() -> float:
    """Median ratio of wall times: a step's start to importing pandas and scikit-learn, each in a process of its own."""

    def seconds(script: str, code: int) -> float:
        began = time.perf_counter()
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == code
        return time.perf_counter() - began

    ratios = [seconds(STEP_UNTIL_ITS_FIRST_LINE, 42) / seconds("import pandas, sklearn", 0) for _ in range(5)]
    return round(statistics.median(ratios), 2)


def modules() -> dict[str, bool]:
    """Modules that training loads, and whether their bytecode is there."""
    from roadsafety_components.cli import main

    sys.argv = ["roadsafety", "step", "train_classifier", "--train-data=/no", "--target-column=x", "--model=/tmp/m"]
    with contextlib.suppress(SystemExit):
        main()
    specs = [module.__spec__ for module in list(sys.modules.values()) if getattr(module, "__spec__", None)]
    return {s.name: Path(s.cached).exists() for s in specs if s.cached and str(s.origin).endswith(".py")}


def summer_hours() -> list[int]:
    """Noon of a summer day in London as hours of UTC: by pyarrow, and by Python."""
    import pyarrow as pa
    import pyarrow.compute as pc

    noon = datetime.datetime(2024, 7, 1, 12)
    by_arrow = pc.assume_timezone(pa.scalar(noon, pa.timestamp("s")), "Europe/London").cast(pa.timestamp("s", "UTC"))
    by_python = noon.replace(tzinfo=zoneinfo.ZoneInfo("Europe/London")).astimezone(datetime.UTC)
    return [pc.hour(by_arrow).as_py(), by_python.hour]


def packages() -> dict[str, str]:
    """Installed packages and their versions."""
    return {found.name: found.version for found in importlib.metadata.distributions()}


def wrong_records() -> list[str]:
    """Files that a package's RECORD names and that are not there, or not with that hash."""
    wrong = []
    for file in (file for found in importlib.metadata.distributions() for file in found.files or []):
        path = Path(str(file.locate()))
        digest = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""
        if not path.is_file() or (
            file.hash and file.hash.value != base64.urlsafe_b64encode(digest).decode().rstrip("=")
        ):
            wrong.append(str(file))
    return wrong


def files() -> list[str]:
    """Every file of the image."""
    found = []
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if Path(folder, name) not in map(Path, ("/proc", "/sys", "/dev"))]
        found += [str(Path(folder, name)) for name in names]
    return found


def text_of(path: str) -> str:
    """Text of a file."""
    return Path(path).read_text(encoding="utf-8")


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
