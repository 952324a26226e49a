"""Models of real records as ONNX: 10,000 rows, the largest difference between two probabilities."""

from pathlib import Path

import pyarrow as pa
import pytest

from roadsafety_components.core.calibrate import calibrate_classifier
from roadsafety_components.core.clean import preprocess
from roadsafety_components.core.engineer import engineer
from roadsafety_components.core.estimators import ALGORITHMS, Settings
from roadsafety_components.core.export import export_model
from roadsafety_components.core.harmonise import harmonise
from roadsafety_components.core.read import load_tables
from roadsafety_components.core.train import train_classifier

pytestmark = pytest.mark.real_data
ROAD_NUMBERS = ["first_road_number", "second_road_number"]


def casualties(folder: Path, target: str) -> pa.Table:
    """Rows as severity_training_pipeline makes them."""
    tables = harmonise(load_tables(str(folder), {}, unknown_codes="null"), None)
    rows = preprocess(tables, unit="casualty", target=target, known_at="involved", keep_constant=True)
    return engineer(rows, tables["collision"], tables["vehicle"])


@pytest.fixture(scope="module")
def recent(west_yorkshire: Path) -> pa.Table:
    """Return the casualties of West Yorkshire 2024, killed or seriously injured or not."""
    return casualties(west_yorkshire, "ksi")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_west_yorkshire(recent, algorithm, tmp_path):
    """About ninety features of every kind, makes and models of vehicles as class shares; both calibrations."""
    settings = Settings(algorithm, n_estimators=40)
    trained = train_classifier(recent, "ksi", settings, ROAD_NUMBERS, folds=2)
    for calibration in ("sigmoid", "isotonic"):
        told = export_model(*calibrate_classifier(*trained, calibration), tmp_path / calibration, check_data=recent)
        assert told["share_features"]
        assert len(told["inputs"]) > 80
        assert told["checked_rows"] == 10_000 + recent.num_rows
        print(f"\n  West Yorkshire 2024, {algorithm}, {calibration}: {told['largest_difference']:.1g}")
        assert told["largest_difference"] < 1e-8


def test_great_britain(great_britain, tmp_path):
    """Three classes in their order, 10,000 rows of 186,189 and as many made up."""
    table = casualties(great_britain, "severity")
    settings, order = Settings(n_estimators=20), ["slight", "serious", "fatal"]
    model, facts, _ = train_classifier(table, "severity", settings, ROAD_NUMBERS, folds=0, ordered_classes=order)
    told = export_model(model, facts, tmp_path / "exported", check_data=table)
    assert told["checked_rows"] == 20_000
    print(f"\n  Great Britain 2015, severity: {told['largest_difference']:.1g}, {told['onnx_bytes']:,} bytes")
    assert told["largest_difference"] < 1e-8
