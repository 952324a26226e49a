"""Memory and speed of predict_batch as rows grow: `make benchmark`; ten million rows with `make scale`."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from roadsafety_components.core import store
from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.train import train_classifier

pytestmark = pytest.mark.benchmark
NUMBERS, TEXTS = 60, 20
# A process of its own, as in a pod: seconds of the work, peak memory in GB.
_PREDICT = """
import sys, time
from roadsafety_components.core.model import read_model
from roadsafety_components.core.predict_batch import predict_batch
began = time.perf_counter()
predict_batch(*read_model(sys.argv[1]), sys.argv[2], sys.argv[3], estimate_shares=sys.argv[4] == "estimate")
"""
_IN_ONE_PIECE = """
import sys, time
from roadsafety_components.core.datasets import read_dataset
from roadsafety_components.core.model import read_model
from roadsafety_components.core.predict import probabilities
began = time.perf_counter()
probabilities(*read_model(sys.argv[1]), read_dataset(sys.argv[2]))
"""
_END = """
import re
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(time.perf_counter() - began, int(peak) / 1e6)
"""


def _rows(number: int, seed: int) -> pa.Table:
    """Casualties of a kind: 60 numbers and 20 texts, a tenth of them missing; a few of them tell who is hurt."""
    rng = np.random.default_rng(seed)
    words = np.array([f"word {i}" for i in range(30)], dtype=object)
    columns: dict[str, pa.Array] = {"key": pa.array([f"{seed:04}{i:08}" for i in range(number)])}
    score = rng.normal(size=number)
    for i in range(NUMBERS):
        values = rng.integers(0, 20, number).astype(np.int16)
        score += values / 20 if i < 5 else 0
        columns[f"number_{i}"] = pa.array(values, mask=rng.random(number) < 0.1)
    for i in range(TEXTS):
        columns[f"text_{i}"] = pa.array(words[rng.integers(0, 30, number)], mask=rng.random(number) < 0.1)
    columns["ksi"] = pa.array(np.where(score > 4, "ksi", "slight"))
    return store.mark_columns(pa.table(columns), {"key": store.IDENTIFIER})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a boosting of 30 rounds."""
    path = tmp_path_factory.mktemp("model") / "model.skops"
    settings = Settings(n_estimators=30)
    write_model(*train_classifier(_rows(20_000, 0), "ksi", settings, folds=0)[:2], path)
    return path


def _data(folder: Path, number: int) -> Path:
    """Write that many rows in row groups of a million, as large as pyarrow makes them; a hundred thousand repeat."""
    path, block = folder / f"{number}.parquet", _rows(100_000, 1)
    with pq.ParquetWriter(path, block.schema, compression="zstd") as writer:
        for left in range(number // len(block), 0, -10):
            writer.write_table(pa.concat_tables([block] * min(left, 10)))
    return path


def _run(script: str, *words: str | Path) -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", script + _END, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seconds, peak = re.findall(r"[\d.]+", done.stdout)[-2:]
    return float(seconds), float(peak)


def _predict(model: Path, folder: Path, number: int, how: str = "") -> float:
    """Peak memory in GB, after it was told."""
    seconds, peak = _run(_PREDICT, model, _data(folder, number), folder / "predictions", how)
    assert pq.read_metadata(folder / "predictions").num_rows == number
    print(f"\n  predict_batch{', shares estimated' if how else ''}: {number:,} rows of {NUMBERS + TEXTS} features: "
          f"{seconds:.0f} s, {number / seconds:,.0f} rows a second, peak {peak:.2f} GB")  # fmt: skip
    return peak


def test_memory_does_not_grow_with_rows(model: Path, tmp_path: Path) -> None:
    """A million rows take hardly more than a hundred thousand, which are one batch; in one piece, much more."""
    least = _predict(model, tmp_path, 100_000)
    most = _predict(model, tmp_path, 1_000_000)
    estimated = _predict(model, tmp_path, 1_000_000, "estimate")
    seconds, whole = _run(_IN_ONE_PIECE, model, tmp_path / "1000000.parquet")
    print(f"\n  in one piece: 1,000,000 rows: {seconds:.0f} s, peak {whole:.2f} GB")
    assert max(most, estimated) < least + 0.3
    assert max(most, estimated) < whole / 2


@pytest.mark.scale
def test_memory_at_ten_million_rows(model: Path, tmp_path: Path) -> None:
    """As at one million."""
    least, most = (_predict(model, tmp_path, number) for number in (1_000_000, 10_000_000))
    assert most < least + 0.1
