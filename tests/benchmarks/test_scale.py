"""The whole history in size: time linear in rows, memory bounded by a year; beside polars and duckdb in one piece.

Synthetic records: 9 million collisions over 45 years with their vehicles and casualties, served on loopback as the
published cumulative files are. Needs about 12 GB of disk in the temporary folder.
"""

import functools
import json
import re
import subprocess
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from roadsafety_components import spec_path
from roadsafety_components.core.sample import write_sample
from roadsafety_components.core.schema import TABLES

pytestmark = [pytest.mark.benchmark, pytest.mark.scale]
YEARS = list(range(1979, 2024))
FILE = "dft-road-casualty-statistics-{table}-1979-latest-published-year.csv"

# Each runs in a process of its own and prints seconds and peak memory in GB (of itself; of the largest step).
_END = """
import re, resource
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
largest = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
print(json.dumps([time.perf_counter() - began, largest / 1e6]))
"""
_BEGIN = "import json, sys, time\nfrom pathlib import Path\nfolder = Path(sys.argv[1])\n"
_PIPELINE = _BEGIN + """
from roadsafety_components.packaging import local
arguments = {"releases": ["1979-latest"], "years": json.loads(sys.argv[4]), "base_url": sys.argv[3]}
arguments["allow_private_addresses"] = True
began = time.perf_counter()
steps = []
run = local.run_pipeline(Path(sys.argv[2]), arguments, folder / "out", folder / "log", ended=steps.append)
assert run.failed is None, run.failed
print(json.dumps([[s.name, s.seconds] for s in steps]))
""" + _END  # fmt: skip
# Two years at a time, each in a process, as the local runner does it.
_BY_YEAR = _BEGIN + """
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from roadsafety_components.core import by_year, clean, read, store
names, pair = sys.argv[2], ("collision", "vehicle")

def cut(table):
    by_year.cut(folder / names.replace("{table}", table), folder / "pair", table)

def one_year(raw):
    files = {t: [read._open_raw(raw / f"{t}-{raw.name}.csv", t)] for t in pair}
    tables = {t: read._finish(t, read._one_table(t, files[t], "null", Counter()), files[t], {}) for t in pair}
    store.write_dataset(clean.preprocess(tables), folder / "joined" / f"{raw.name}.parquet")

began = time.perf_counter()
with ProcessPoolExecutor(2) as pool:
    list(pool.map(cut, pair))
    list(pool.map(one_year, sorted((folder / "pair").iterdir())))
""" + _END  # fmt: skip
_POLARS = _BEGIN + """
import polars as pl
names = sys.argv[2]
text = {n: pl.String for n in ("collision_index", "collision_ref_no")}
began = time.perf_counter()
collision, vehicle = (
    pl.read_csv(folder / names.replace("{table}", t), schema_overrides=text, infer_schema_length=10_000)
    for t in ("collision", "vehicle")
)
vehicle.join(collision, on="collision_index").write_parquet(folder / "polars.parquet", compression="zstd")
""" + _END  # fmt: skip
_DUCKDB = _BEGIN + """
import duckdb
names = sys.argv[2]
vehicle, collision = (folder / names.replace("{table}", t) for t in ("vehicle", "collision"))
began = time.perf_counter()
connection = duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(folder / "spill")})
connection.execute(f"copy (select * from read_csv('{vehicle}') v join read_csv('{collision}') c using "
                   f"(collision_index)) to '{folder / 'duckdb.parquet'}' (format parquet, compression zstd)")
""" + _END  # fmt: skip


def _tell(text: str) -> None:
    print(f"\n  {text}")


def _run(script: str, folder: Path, *words: str) -> list:
    done = subprocess.run(
        [sys.executable, "-c", script, folder, *words], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if re.match(r"\[", line)]


def _history(folder: Path, millions: int) -> int:
    """Write the three cumulative files; return their size in bytes."""
    write_sample(millions * 1_000_000, {t: folder / FILE.format(table=t) for t in TABLES}, millions, YEARS)
    return sum((folder / FILE.format(table=t)).stat().st_size for t in TABLES)


def _serve(folder: Path) -> ThreadingHTTPServer:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _pipeline(folder: Path) -> tuple[float, float, dict[str, float]]:
    """Seconds, peak memory of the largest step in GB, and seconds by step of the history pipeline."""
    server = _serve(folder)
    began = time.perf_counter()
    steps, (_, peak) = _run(
        _PIPELINE, folder, str(spec_path("stats19_history_pipeline")), f"http://127.0.0.1:{server.server_port}",
        json.dumps(YEARS),
    )  # fmt: skip
    server.shutdown()
    server.server_close()
    total: dict[str, float] = {}
    for name, seconds in steps:
        total[name] = total.get(name, 0) + seconds
    return time.perf_counter() - began, peak, total


def test_time_is_linear_in_rows_and_memory_bounded(tmp_path):
    """The history pipeline, cumulative files to merged and validated dataset: 1, 2, 4, 8 million collisions."""
    per_million = []
    for millions in (1, 2, 4, 8):
        folder = tmp_path / str(millions)
        folder.mkdir()
        size = _history(folder, millions)
        seconds, peak, _ = _pipeline(folder)
        per_million.append(seconds / millions)
        _tell(f"{millions} million collisions, {size / 1e9:.1f} GB of CSV: {seconds:.0f} s, "
              f"{seconds / millions:.1f} s a million, largest step {peak:.2f} GB")  # fmt: skip
        assert peak < 2
        subprocess.run(["rm", "-rf", folder], check=True)
    # Linear: what a step costs at its start weighs less, nothing weighs more.
    assert per_million[3] < 1.2 * per_million[2]


def test_full_history_beside_polars_and_duckdb(tmp_path):
    """9 million collisions: the pipeline's steps, and the read, join and write of collisions with vehicles."""
    size = _history(tmp_path, 9)
    _tell(f"9 million collisions over 45 years, {size / 1e9:.1f} GB of CSV in three tables")
    seconds, peak, steps = _pipeline(tmp_path)
    told = ", ".join(f"{name} {s:.0f} s" for name, s in steps.items())
    _tell(f"history pipeline: {seconds:.0f} s, largest step {peak:.2f} GB (target: under 2); sums by step: {told}")
    assert peak < 2
    subprocess.run(["rm", "-rf", tmp_path / "out"], check=True)
    ((ours, our_peak),) = _run(_BY_YEAR, tmp_path, FILE)
    _tell(f"collisions with vehicles, two years at a time (cut, typed, checked, joined, without what leaks, written): "
          f"{ours:.0f} s, {our_peak:.2f} GB a process")  # fmt: skip
    for name, script in (("polars", _POLARS), ("duckdb held to 4 GB", _DUCKDB)):
        ((theirs, their_peak),) = _run(script, tmp_path, FILE)
        _tell(f"collisions with vehicles, {name}, in one piece: {theirs:.0f} s, {their_peak:.2f} GB: ours takes "
              f"{ours / theirs:.2f} of the time")  # fmt: skip
