"""Damaged input of every kind, through the command: exit code 2, one line that names the place, nothing left behind."""

import gzip
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TABLES = ("collision", "vehicle", "casualty")


def _edit(table, change):
    """Return a damage: the CSV of a table, as lines, changed."""

    def damage(folder: Path) -> None:
        path = folder / f"synthetic-{table}.csv"
        lines = path.read_text().splitlines()
        path.write_text("\n".join(change(lines)) + "\n")

    return damage


def _set(table, row, column, value):
    """Return a damage: one value of one row (the header is row 1) replaced."""

    def change(lines):
        cells = lines[row - 1].split(",")
        cells[lines[0].split(",").index(column)] = value
        return [*lines[: row - 1], ",".join(cells), *lines[row:]]

    return _edit(table, change)


def _write(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def _drop_column(lines):
    at = lines[0].split(",").index("speed_limit")
    return [",".join(c for i, c in enumerate(line.split(",")) if i != at) for line in lines]


def _legacy_names(lines):
    names = "Accident_Index,Vehicle_Reference,Vehicle_Type,Towing_and_Articulation,Vehicle_Manoeuvre,"
    names += "Vehicle_Location-Restricted_Lane,Junction_Location,Skidding_and_Overturning,Hit_Object_in_Carriageway,"
    names += "Vehicle_Leaving_Carriageway,Hit_Object_off_Carriageway,1st_Point_of_Impact,Was_Vehicle_Left_Hand_Drive?,"
    names += "Journey_Purpose_of_Driver,Sex_of_Driver,Age_of_Driver,Age_Band_of_Driver,Engine_Capacity_(CC),"
    names += "Propulsion_Code,Age_of_Vehicle,Driver_IMD_Decile,Driver_Home_Area_Type,Vehicle_IMD_Decile"
    return [names, "201501BS70001,1,9,0,18,0,8,0,0,0,0,1,1,6,1,40,7,1600,1,5,-1,1,-1"]


DAMAGES = {
    "missing table": (lambda f: (f / "synthetic-vehicle.csv").unlink(), "no vehicle table was given"),
    "missing column": (_edit("collision", _drop_column), "the collision table has no column speed_limit"),
    "renamed column": (
        _edit("collision", lambda lines: [lines[0].replace("speed_limit", "speed_limits"), *lines[1:]]),
        "no column speed_limit. Nearest name: speed_limits.",
    ),
    "empty file": (_write("synthetic-collision.csv", b""), "synthetic-collision.csv is empty"),
    "header only": (_edit("casualty", lambda lines: lines[:1]), "synthetic-casualty.csv has a header and no rows"),
    "key twice": (_edit("collision", lambda lines: [*lines, lines[5]]), "the key (collision_index) is not unique"),
    "mangled key": (
        _set("collision", 2, "collision_index", "2.02312E+12"),
        "row 2: the key 2.02312E+12 was turned into a number by a spreadsheet",
    ),
    "unknown code": (_set("vehicle", 9, "vehicle_type", "77"), "vehicle_type: code 77 in 1 row"),
    "unparseable date": (_set("collision", 7, "date", "31/02/2023"), "row 7, column date: '31/02/2023' is not a date"),
    "unparseable time": (_set("collision", 8, "time", "25:61"), "row 8, column time: '25:61' is not a time of day"),
    "text for a number": (_set("vehicle", 4, "age_of_driver", "old"), "row 4, column age_of_driver: 'old' is not"),
    "field too many": (
        _edit("vehicle", lambda lines: [*lines[:3], lines[3] + ",1", *lines[4:]]),
        "row 4 has 33 fields; the header has 32",
    ),
    "another year's vehicles": (_edit("vehicle", _legacy_names), "the tables are of different years"),
    "wrong encoding": (
        lambda f: (f / "synthetic-vehicle.csv").write_bytes(
            (f / "synthetic-vehicle.csv").read_bytes().replace(b"FORD TRANSIT", b"CITRO\xcbN C3")
        ),
        " is not UTF-8 text (perhaps Windows-1252)",
    ),
    "UTF-16": (
        lambda f: (f / "synthetic-vehicle.csv").write_text(
            (f / "synthetic-vehicle.csv").read_text(), encoding="utf-16"
        ),
        "is UTF-16",
    ),
    "cut gzip": (
        lambda f: (f / "synthetic-vehicle.csv").write_bytes(
            gzip.compress((f / "synthetic-vehicle.csv").read_bytes())[:-2000]
        ),
        "the archive is damaged or cut short",
    ),
    "web page": (_write("synthetic-vehicle.csv", b"<html><body>Moved</body></html>"), "is a web page, not a CSV"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_is_refused(roadsafety, sample, tmp_path, damage, message):
    """load_stats19 names the file and the place, and writes nothing."""
    folder = tmp_path / "data"
    shutil.copytree(sample, folder)
    damage(folder)
    outputs = "--collisions out/c --vehicles out/v --casualties out/k"
    done = roadsafety("step", "load_stats19", "--source", folder, *outputs.split())
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("Input error: ")
    assert message in done.stderr
    assert [p for p in tmp_path.rglob("*") if p.is_file() and folder not in p.parents] == []


def test_an_unknown_code_may_be_made_missing_and_is_counted(roadsafety, sample, tmp_path):
    """The message's own advice works."""
    folder = tmp_path / "data"
    shutil.copytree(sample, folder)
    _set("vehicle", 9, "vehicle_type", "77")(folder)
    outputs = "--collisions c --vehicles v --casualties k --unknown-codes null"
    done = roadsafety("step", "load_stats19", "--source", folder, *outputs.split())
    assert done.returncode == 0, done.stderr
    assert "vehicle_type: code 77 in 1 row" in done.stdout


def test_vehicles_of_other_collisions_are_refused_above_the_threshold(roadsafety, tables, sample, tmp_path):
    """Half of the collisions lost: an error by default, counted and dropped when asked for."""
    import pyarrow.parquet as pq

    half = pq.read_table(tables / "collision.parquet").slice(0, 300)
    pq.write_table(half, tmp_path / "half.parquet")
    words = f"--collisions half.parquet --vehicles {tables}/vehicle.parquet --clean-data clean.parquet".split()
    done = roadsafety("step", "preprocess_collisions", *words)
    assert done.returncode == 2
    assert "vehicle rows have no collision, e.g. collision_index" in done.stderr
    done = roadsafety("step", "preprocess_collisions", *words, "--max-orphan-share", 1.0)
    assert done.returncode == 0, done.stderr
    assert "dropped: " in done.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "is not a Parquet file that can be read"),
        (b"PAR1 and no more", "is not a Parquet file that can be read"),
        (b"", "is not a Parquet file that can be read"),
    ],
)
def test_what_is_no_parquet_is_refused(roadsafety, tmp_path, content, message):
    """A CSV, a stump, an empty file."""
    (tmp_path / "data").write_bytes(content)
    done = roadsafety("step", "train_classifier", "--train-data", "data", "--target-column", "x", "--model", "m")
    assert (done.returncode, (tmp_path / "m").exists()) == (2, False)
    assert message in done.stderr


def test_a_pickle_is_never_opened_as_a_model(roadsafety, tables, tmp_path):
    """The step says why, and the pickle's code does not run."""

    class Trap:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/trapped",)

    (tmp_path / "m").write_bytes(pickle.dumps(Trap()))
    outputs = ["--metrics", "a", "--classification-metrics", "b", "--report", "c"]
    done = roadsafety(
        "step", "evaluate_classifier", "--model", "m", "--test-data", tables / "vehicle.parquet", *outputs
    )
    assert done.returncode == 2
    assert "is not a skops file. Models are read as skops only" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m"]


def test_an_untrusted_type_in_a_model_is_named(roadsafety, tables, tmp_path):
    """A skops file that would call what is not on the list is not loaded."""
    script = "import sys, skops.io, subprocess, functools\n"
    script += "skops.io.dump(functools.partial(subprocess.run, ['true']), sys.argv[1])\n"
    subprocess.run([sys.executable, "-c", script, tmp_path / "m"], check=True)
    outputs = ["--metrics", "a", "--classification-metrics", "b", "--report", "c"]
    done = roadsafety(
        "step", "evaluate_classifier", "--model", "m", "--test-data", tables / "vehicle.parquet", *outputs
    )
    assert done.returncode == 2
    assert "holds types that are not trusted: subprocess.run" in done.stderr


def test_one_class_only_is_refused_in_training(roadsafety, tables, tmp_path):
    """Nothing to learn is an error with the class's name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [1, 2, 3], "y": ["slight"] * 3}), tmp_path / "data")
    done = roadsafety("step", "train_classifier", "--train-data", "data", "--target-column", "y", "--model", "m")
    assert done.returncode == 2
    assert "target column y has one class only (slight)" in done.stderr
