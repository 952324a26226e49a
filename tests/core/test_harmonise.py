"""One code list for all generations: what is filled, what has no newer code, what stays."""

from pathlib import Path

import pyarrow as pa
import pytest

from roadsafety_components.core import read, schema, store
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.harmonise import RECODES, harmonise

from .make import canonical

_ = None


def one(name: str, **columns: list) -> pa.Table:
    """A table of load_stats19 with a key and these columns."""
    rows = len(next(iter(columns.values())))
    table = canonical({"collision_index": [f"2015{i}" for i in range(rows)], **columns})
    return store.with_facts(table, {"table": name, "generation": "legacy", "sha256": "sha256:1"})


def recoded(name: str, new: str, **columns: list) -> list[int | None]:
    """The new column."""
    return harmonise({name: one(name, **columns)})[name][new].to_pylist()


@pytest.mark.parametrize(
    ("table", "older", "newer", "expected"),
    [
        ("collision", "junction_detail_historic", "junction_detail",
         {0: 0, 1: 0, 2: 0, 3: 13, 5: 0, 6: 16, 7: 17, 8: 18, 9: 19, 99: 99, _: _}),
        ("vehicle", "vehicle_manoeuvre_historic", "vehicle_manoeuvre",
         {**{code: code for code in range(1, 16)}, 16: 19, 17: 19, 18: 19, 99: 99, _: _}),
        ("vehicle", "vehicle_location_restricted_lane_historic", "vehicle_location_restricted_lane",
         {0: 0, 1: 1, 2: 2, 3: 2, 4: 4, 5: 5, 6: 6, 7: 6, 8: 6, 9: 9, 10: _, 99: 99, _: _}),
        ("vehicle", "journey_purpose_of_driver_historic", "journey_purpose_of_driver",
         {1: 1, 2: 2, 3: 7, 4: 7, 5: _, 6: 6, 15: _, _: _}),
    ],
)  # fmt: skip
def test_each_older_code_becomes_the_newer_one(table: str, older: str, newer: str, expected: dict) -> None:
    """Every code of the 2011 list, one by one."""
    codes = schema.columns(table)[older].codes
    assert codes == {c for c in expected if c is not _}
    assert recoded(table, newer, **{older: list(expected)}) == list(expected.values())


@pytest.mark.parametrize(
    ("human", "physical", "expected"),
    [
        (0, 0, 0), (0, 1, 13), (0, 4, 14), (0, 5, 15), (0, 7, 16), (0, 8, 17), (1, 0, 11), (2, 0, 12), (9, 9, 99),
        (9, 0, 99), (0, 9, 99), (9, 8, 17), (1, _, 11), (_, 4, 14), (0, _, _), (_, 0, _), (_, _, _), (1, 1, _),
        (2, 5, _),
    ],
)  # fmt: skip
def test_a_crossing_is_the_one_thing_that_two_columns_name(human: int, physical: int, expected: int) -> None:
    """A person and a crossing at once have no code of their own in the newer list."""
    columns = {
        "pedestrian_crossing_human_control_historic": [human, 0],
        "pedestrian_crossing_physical_facilities_historic": [physical, 0],
    }
    assert recoded("collision", "pedestrian_crossing", **columns) == [expected, 0]


@pytest.mark.parametrize(
    ("hazard", "condition", "expected"),
    [
        (0, 0, 0), (1, 0, 16), (2, 0, 17), (3, 0, 18), (4, 0, 20), (5, 0, 20), (6, 0, 19), (7, 0, 20), (9, 0, 99),
        (0, 1, 11), (0, 2, 11), (0, 3, 12), (0, 4, 13), (0, 5, 21), (0, 6, 14), (0, 7, 15), (0, 9, 99), (2, 4, _),
        (_, 4, 13), (0, _, _),
    ],
)  # fmt: skip
def test_a_hazard_is_the_one_thing_that_two_columns_name(hazard: int, condition: int, expected: int) -> None:
    """Special conditions at the site went into the hazards."""
    columns = {"carriageway_hazards_historic": [hazard, 0], "special_conditions_at_site": [condition, 0]}
    assert recoded("collision", "carriageway_hazards", **columns) == [expected, 0]


def test_every_code_of_the_recodes_is_legal() -> None:
    """On both sides, in the lists of the schema."""
    for table, recodes in RECODES.items():
        columns = schema.columns(table)
        for new, sources in recodes.items():
            for old, pairs in sources.items():
                codes = [tuple(map(int, pair.split(":"))) for pair in pairs.split()]
                assert {c for c, _new in codes} <= columns[old].codes
                assert {c for _old, c in codes} <= columns[new].codes


def test_a_code_that_is_there_already_stays_and_is_compared() -> None:
    """As in the cumulative file, which has both; counts say what happened, and the older column stays."""
    table = one("collision", junction_detail_historic=[3, 3, 6, _, 1], junction_detail=[13, 16, _, 17, _])
    result = harmonise({"collision": table})["collision"]
    assert result["junction_detail"].to_pylist() == [13, 16, 16, 17, 0]
    assert result["junction_detail_historic"].to_pylist() == [3, 3, 6, _, 1]
    assert store.facts_of(result)["recoded"] == {
        "junction_detail": {"filled": 2, "without_code_in_2024_list": 0, "in_disagreement": 1}
    }


def test_what_has_no_newer_code_is_counted_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Missing in the new column, kept in the old one."""
    result = harmonise({"vehicle": one("vehicle", journey_purpose_of_driver_historic=[5, 15, 1])})["vehicle"]
    assert store.facts_of(result)["recoded"]["journey_purpose_of_driver"]["without_code_in_2024_list"] == 2
    assert "vehicle.journey_purpose_of_driver: 2 of 3 values of the older list have no code" in capsys.readouterr().out


def test_facts_and_marks_go_with_the_table() -> None:
    """Codes of which list, from which file; new columns are categories, keys stay keys."""
    table = store.mark_columns(one("collision", junction_detail_historic=[3]), {"collision_index": store.IDENTIFIER})
    result = harmonise({"collision": table})["collision"]
    assert store.marked(result, store.IDENTIFIER) == ["collision_index"]
    assert store.marked(result, store.CATEGORY) == ["junction_detail"]
    facts = store.facts_of(result)
    assert (facts["codes"], facts["generation"], facts["made_from"]) == ("2024", "legacy", {"collision": "sha256:1"})
    assert "sha256" not in facts


def test_columns_stand_in_the_order_of_the_schema() -> None:
    """Wherever they came from."""
    for name, table in harmonise({"vehicle": one("vehicle", journey_purpose_of_driver_historic=[1],
                                                 vehicle_manoeuvre_historic=[18])}).items():  # fmt: skip
        assert table.column_names == [n for n in schema.columns(name) if n in table.column_names]


def test_twice_is_refused_and_so_is_another_table() -> None:
    """What was harmonised has nothing more to bring over; a slip in the inputs is told."""
    once = harmonise({"collision": one("collision", junction_detail_historic=[3])})
    with pytest.raises(InputError, match="the collision table is harmonised already"):
        harmonise(once)
    labelled = store.with_facts(
        one("collision", road_type=[6]), {"table": "collision", "labelled_columns": ["road_type"]}
    )
    with pytest.raises(InputError, match="harmonise before label_stats19"):
        harmonise({"collision": labelled})
    with pytest.raises(InputError, match="the vehicle table was given where the collision table belongs"):
        harmonise({"collision": one("vehicle", age_of_driver=[3])})


@pytest.mark.real_data
def test_the_two_real_years_have_the_same_codes_afterwards(west_yorkshire: Path, great_britain: Path) -> None:
    """2015 in the older list, 2024 in the newer: afterwards all values are in the newer; the losses are known."""
    tables = [harmonise(read.load_tables(str(folder), {})) for folder in (great_britain, west_yorkshire)]
    lost = {
        f"{name}.{column}": counts["without_code_in_2024_list"]
        for name in schema.TABLES
        for column, counts in store.facts_of(tables[0][name])["recoded"].items()
    }
    assert lost == {
        "collision.junction_detail": 0,
        "collision.pedestrian_crossing": 513,
        "collision.carriageway_hazards": 181,
        "vehicle.vehicle_manoeuvre": 0,
        "vehicle.vehicle_location_restricted_lane": 0,
        "vehicle.journey_purpose_of_driver": 1573,
    }
    assert [store.facts_of(tables[1][name])["recoded"] for name in schema.TABLES] == [{}, {}, {}]
    for name, recodes in RECODES.items():
        for column in recodes:
            for of_year in tables:
                assert set(of_year[name][column].to_pylist()) - {None} <= schema.columns(name)[column].codes
