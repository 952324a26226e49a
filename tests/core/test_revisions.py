"""Values that were corrected after publication."""

from datetime import date, time
from pathlib import Path

import pyarrow as pa
import pytest

from roadsafety_components.core import files, store
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.harmonise import harmonise
from roadsafety_components.core.revisions import apply_revisions, read_revisions

from .make import canonical

HEADER = (
    "accident_index,accident_year,accident_ref_no,police_force,vehicle_reference,casualty_reference,variable,"
    "previously_published_value,replacement_value,effective_date_of_change"
)


def revisions(folder: Path, *rows: str, header: str = HEADER) -> Path:
    """A file of revisions, each row as key,vehicle,casualty,variable,old,new."""
    lines = []
    for row in rows:
        key, vehicle, casualty, variable, old, new = row.split(",")
        lines.append(f"{key},{key[:4]},{key[4:]},1,{vehicle},{casualty},{variable},{old},{new},30/09/2021")
    path = folder / "revisions.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join([header, *lines, ""]).encode())
    return path


def tables() -> dict[str, pa.Table]:
    """Two collisions, their vehicles and casualties."""
    made = {
        "collision": {
            "collision_index": ["2015A", "2015B"], "collision_severity": [3, 3], "speed_limit": [30, None],
            "junction_detail_historic": [3, 6], "date": [date(2015, 1, 2), date(2015, 3, 4)],
            "time": [time(8, 15), None], "lsoa_of_accident_location": ["E01000001", None],
        },
        "vehicle": {
            "collision_index": ["2015A", "2015A", "2015B"], "vehicle_reference": [1, 2, 1],
            "age_of_driver": [30, 40, 50],
        },
        "casualty": {
            "collision_index": ["2015A", "2015B"], "vehicle_reference": [1, 1], "casualty_reference": [1, 1],
            "casualty_severity": [3, 3],
        },
    }  # fmt: skip
    return {n: store.with_facts(canonical(columns), {"table": n}) for n, columns in made.items()}


def applied(folder: Path, *rows: str) -> dict[str, pa.Table]:
    """The tables after these revisions."""
    return apply_revisions(tables(), read_revisions(revisions(folder, *rows)))


@pytest.mark.parametrize(
    ("row", "table", "column", "expected"),
    [
        ("2015A,-1,-1,accident_severity,3,2", "collision", "collision_severity", [2, 3]),
        ("2015B,-1,-1,collision_severity,3,1", "collision", "collision_severity", [3, 1]),
        ("2015B,,,speed_limit,-1,60", "collision", "speed_limit", [30, 60]),
        ("2015A,,,speed_limit,30,-1", "collision", "speed_limit", [None, None]),
        ("2015A,,,junction_detail,3,9", "collision", "junction_detail_historic", [9, 6]),
        ("2015A,,,date,02/01/2015,03/01/2015", "collision", "date", [date(2015, 1, 3), date(2015, 3, 4)]),
        ("2015B,,,time,,23:59", "collision", "time", [time(8, 15), time(23, 59)]),
        ("2015A,,,lsoa_of_accident_location,E01000001,E01000002", "collision", "lsoa_of_accident_location",
         ["E01000002", None]),
        ("2015A,2,-1,age_of_driver,40,41", "vehicle", "age_of_driver", [30, 41, 50]),
        ("2015B,1,1,casualty_severity,3,2", "casualty", "casualty_severity", [3, 2]),
    ],
)  # fmt: skip
def test_a_value_is_replaced_where_it_is_as_first_published(
    tmp_path: Path, row: str, table: str, column: str, expected: list
) -> None:
    """In the table that has the variable, whatever its name was; in the row that the references name."""
    result = applied(tmp_path, row)
    assert result[table][column].to_pylist() == expected
    assert store.facts_of(result[table])["revised"] == {"applied": 1, "already": 0, "other": 0}


def test_what_is_corrected_already_or_something_else_stays(tmp_path: Path) -> None:
    """Both are counted; revisions of records that are not here count for nothing."""
    result = applied(
        tmp_path, "2015A,,,accident_severity,2,3", "2015B,,,accident_severity,1,2", "2016Z,,,accident_severity,3,2"
    )
    assert result["collision"]["collision_severity"].to_pylist() == [3, 3]
    assert store.facts_of(result["collision"])["revised"] == {"applied": 0, "already": 1, "other": 1}


def test_a_value_revised_twice_gets_the_last_one(tmp_path: Path) -> None:
    """In the order of the file."""
    result = applied(
        tmp_path, "2015A,,,accident_severity,3,2", "2015B,,,accident_severity,3,2", "2015A,,,accident_severity,2,1"
    )
    assert result["collision"]["collision_severity"].to_pylist() == [1, 2]
    assert store.facts_of(result["collision"])["revised"] == {"applied": 3, "already": 0, "other": 0}


def test_harmonising_comes_after_the_revisions(tmp_path: Path) -> None:
    """A corrected older code is what the newer one is made of; the digest of the file is in the facts."""
    path = revisions(tmp_path, "2015A,,,junction_detail,3,9")
    result = harmonise(tables(), read_revisions(tmp_path))["collision"]  # a folder with revisions.csv will do
    assert result["junction_detail"].to_pylist() == [19, 16]
    assert store.facts_of(result)["revisions"] == files.digest(path)


def test_a_variable_that_nobody_has_is_told(tmp_path: Path) -> None:
    """With the nearest name."""
    with pytest.raises(InputError, match=r"no table has the variable 'sped_limit'. Nearest name: speed_limit"):
        read_revisions(revisions(tmp_path, "2015A,,,sped_limit,3,9"))


def test_a_value_that_the_column_cannot_hold_is_told(tmp_path: Path) -> None:
    """With table and column."""
    with pytest.raises(InputError, match=r"revisions of collision\.speed_limit: .*'fast'"):
        applied(tmp_path, "2015A,,,speed_limit,30,fast")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"<html>", b"\xff\xfeA\x00"])
def test_another_file_is_told(tmp_path: Path, content: bytes) -> None:
    """It has not the columns of revisions."""
    (tmp_path / "revisions.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"revisions revisions\.csv: no column variable"):
        read_revisions(tmp_path)


def test_no_file_is_told(tmp_path: Path) -> None:
    """With the step that fetches it."""
    with pytest.raises(InputError, match="download_stats19 with revisions=True fetches it"):
        read_revisions(tmp_path)
