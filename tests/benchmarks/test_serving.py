"""An exported model against scikit-learn on one thread: one row, 10,000 rows, size; `make benchmark`."""

from pathlib import Path

import onnxruntime
import pyarrow as pa
import pytest

from roadsafety_components.core.clean import preprocess
from roadsafety_components.core.engineer import engineer
from roadsafety_components.core.estimators import ALGORITHMS, Settings
from roadsafety_components.core.export import export_model, requested
from roadsafety_components.core.harmonise import harmonise
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.predict import probabilities
from roadsafety_components.core.read import load_tables
from roadsafety_components.core.train import train_classifier

from .timing import best_seconds

pytestmark = [pytest.mark.benchmark, pytest.mark.real_data]
LEFT_OUT = ["first_road_number", "second_road_number"]


def training_rows(folder: Path) -> pa.Table:
    """Return the casualties of a year with all features, as severity_training_pipeline makes them."""
    tables = harmonise(load_tables(str(folder), {}, unknown_codes="null"), None)
    rows = preprocess(tables, unit="casualty", target="ksi", known_at="involved", keep_constant=True)
    return engineer(rows, tables["collision"], tables["vehicle"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_served_model_is_as_fast(algorithm: str, west_yorkshire: Path, tmp_path: Path) -> None:
    """Of the casualties of West Yorkshire 2024, default settings; a single row is answered ten times as fast."""
    rows = training_rows(west_yorkshire)
    model, facts, _ = train_classifier(rows, "ksi", Settings(algorithm), LEFT_OUT, folds=0)
    told = export_model(model, facts, tmp_path / "exported")
    write_model(model, facts, tmp_path / "model.skops")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(tmp_path / "exported/model/1/model.onnx", options)
    many = rows.take([i % rows.num_rows for i in range(10_000)])
    found = {}
    for name, table, repeats in (("1 row", many.slice(0, 1), 20), ("10,000 rows", many, 3)):
        feed = requested(facts, table)
        found[name] = (
            best_seconds(lambda feed=feed: session.run(None, feed), repeats),
            best_seconds(lambda table=table: probabilities(model, facts, table), repeats),
        )
    print(f"\n  {algorithm}: ONNX {told['onnx_bytes'] / 1e6:.2f} MB, skops "
          f"{(tmp_path / 'model.skops').stat().st_size / 1e6:.2f} MB")  # fmt: skip
    for name, (served, usual) in found.items():
        print(f"  {name}: onnxruntime {served * 1e3:.2f} ms, scikit-learn {usual * 1e3:.1f} ms, {usual / served:.1f}")
    assert found["1 row"][1] > 10 * found["1 row"][0]
    assert found["10,000 rows"][1] > found["10,000 rows"][0] / 2
