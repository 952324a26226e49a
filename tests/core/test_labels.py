"""Labels are DfT's own, categories in code order, and lead back to the very same codes."""

import calendar
import csv
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadsafety_components.core import schema, store
from roadsafety_components.core.clean import preprocess
from roadsafety_components.core.code_list import ONS, RANKED, code_lists
from roadsafety_components.core.datasets import read_dataset
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.labels import label
from roadsafety_components.core.read import load_tables

TABLES = ("collision", "vehicle", "casualty")
SEVERITIES = ["Fatal", "Serious", "Slight"]
AREAS = ("local_authority_district", *ONS)
DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]


def collisions() -> pa.Table:
    """Four collisions with columns that have labels and columns that have none."""
    return pa.table(
        {
            "collision_index": ["a", "b", "c", "d"],
            "collision_severity": pa.array([3, 1, 3, None], pa.int16()),
            "speed_limit": pa.array([30, 70, None, 30], pa.int32()),
            "day_of_week": pa.array([7, 1, 1, 2], pa.int16()),
            "local_authority_district": pa.array([926, 204, None, 1], pa.int16()),
            "local_authority_highway": ["S12000049", "E08000035", None, "EHEATHROW"],
        }
    )


def of(column: str, values: list, kind: pa.DataType | None = None) -> pa.Table:
    """A table with one column; codes are int16 unless said."""
    return pa.table({column: pa.array(values, kind or (pa.string() if column in ONS else pa.int16()))})


def categories(table: pa.Table, column: str) -> list[str]:
    """A column's categories, and that it is one dictionary."""
    (chunk,) = table[column].chunks
    return chunk.dictionary.to_pylist()


# The code list


@pytest.fixture(scope="module")
def published(real_data: Path) -> dict[str, dict[str, str]]:
    """Label by code by column, as published; runs of spaces as one."""
    path = real_data.parent / "reference" / "stats19_code_list_2024.csv"
    found: dict[str, dict[str, str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["table"] in TABLES:
                found.setdefault(row["variable"], {})[row["code"]] = " ".join(row["label"].split())
    found["enhanced_severity_collision"] = found.pop("enhanced_collision_severity")  # as the files call it
    return found


@pytest.mark.real_data
def test_every_published_code_has_the_published_label(published: dict[str, dict[str, str]]) -> None:
    """Also those of areas, where one that several codes have is followed by its code; and no other code has a label."""
    not_published = {"month", "weekday", "driver_home_area_type", "casualty_home_area_type", "vehicle_imd_decile"}
    assert code_lists().keys() - published.keys() == not_published
    differ = {}
    published["local_authority_highway_current"] = {}  # "See latest ONS code list"
    for column in code_lists().keys() - not_published:
        ours = {str(code): text.removesuffix(f" ({code})") for code, text in code_lists()[column].items()}
        theirs = {code: text for code, text in published[column].items() if code != "-1"}
        assert theirs.keys() <= ours.keys(), column
        differ |= {(column, c): (ours[c], theirs[c]) for c in theirs if ours[c] != theirs[c]}
        if column not in ONS:
            assert ours.keys() - theirs.keys() == ({"19"} if column == "junction_detail" else set()), column
    # The list of highway authorities spells six areas otherwise than the list of districts.
    assert differ == {
        ("local_authority_highway", "S12000006"): ("Dumfries and Galloway", "Dumfries & Galloway"),
        ("local_authority_highway", "S12000013"): (
            "Comhairle nan Eilean Siar",
            "Na h-Eileanan an Iar (Western Isles)",
        ),
        ("local_authority_highway", "S12000035"): ("Argyll and Bute", "Argyll & Bute"),
        ("local_authority_highway", "S12000036"): ("City of Edinburgh", "Edinburgh, City of"),
        ("local_authority_highway", "W06000014"): ("Vale of Glamorgan", "The Vale of Glamorgan"),
        ("local_authority_highway", "W06000016"): ("Rhondda Cynon Taf", "Rhondda, Cynon, Taff"),
    }
    both = published["local_authority_ons_district"].keys() | published["local_authority_highway"].keys()
    assert all(code_lists()[column].keys() == both - {"-1"} for column in ONS)


@pytest.mark.real_data
def test_every_published_column_of_codes_has_labels(published: dict[str, dict[str, str]]) -> None:
    """What is published with codes beside them is a quantity, a road number, or a name that no file uses."""
    coded = {c for c, labels in published.items() if any(code.isdigit() for code in labels)}
    assert coded - code_lists().keys() == {
        "first_road_number", "second_road_number", "speed_limit", "did_police_officer_attend_scene_of_collision",
    }  # fmt: skip


def coded_columns() -> Iterator[schema.Column]:
    """Every column with a list of legal codes, in each table that has it."""
    for table in TABLES:
        yield from (c for c in schema.columns(table).values() if c.codes)


def test_codes_with_labels_are_the_legal_codes() -> None:
    """Those of the schema, column by column; an e-scooter's code has no published label."""
    assert {c.name for c in coded_columns()} == code_lists().keys() - {"month", "weekday", *AREAS}
    without = {c.name: c.codes - code_lists()[c.name].keys() for c in coded_columns()}
    assert {name: codes for name, codes in without.items() if codes} == {"casualty_type": {33}}
    assert {c.name: beyond for c in coded_columns() if (beyond := code_lists()[c.name].keys() - c.codes)} == {}


def test_what_is_not_published_has_labels_too() -> None:
    """The code that replaced junction_detail 9, home areas of earlier years, the calendar of clean data."""
    assert code_lists()["junction_detail"][19] == code_lists()["junction_detail_historic"][9] == "Other junction"
    assert code_lists()["driver_home_area_type"] == {1: "Urban area", 2: "Small town", 3: "Rural"}
    assert code_lists()["vehicle_imd_decile"] == code_lists()["driver_imd_decile"]
    assert list(code_lists()["weekday"].items()) == list(enumerate(DAYS, start=1))
    assert list(code_lists()["month"].items()) == list(enumerate(calendar.month_name))[1:]


def test_every_coded_column_of_the_schema_has_labels() -> None:
    """All columns of kind code or ordinal; and the ONS codes are the text columns with labels."""
    columns = [c for table in TABLES for c in schema.columns(table).values()]
    assert {c.name for c in columns if c.kind in ("code", "ordinal")} <= code_lists().keys()
    assert {c.name for c in columns if c.kind == "text"} & code_lists().keys() == set(ONS)


def test_ranked_columns_are_the_ordinal_ones_and_the_age_bands() -> None:
    """Each of them has labels."""
    ordinal = {c.name for c in coded_columns() if c.kind == "ordinal"}
    assert {name for name in code_lists() if RANKED.fullmatch(name)} == ordinal | {
        "age_band_of_driver",
        "age_band_of_casualty",
    }


@pytest.mark.parametrize("column", sorted(code_lists()))
def test_no_label_stands_for_two_codes(column: str) -> None:
    """So that the way back is unique; codes ascend, and no label looks like that of a code without one."""
    labels = code_lists()[column]
    assert len(set(labels.values())) == len(labels)
    assert list(labels) == sorted(labels)
    assert not any(text.startswith("code ") or text != " ".join(text.split()) for text in labels.values())


def test_names_that_several_areas_have_are_followed_by_the_code() -> None:
    """Those only."""
    ons, district = code_lists()["local_authority_ons_district"], code_lists()["local_authority_district"]
    assert [t for t in ons.values() if t.startswith(("Glasgow", "Bristol", "Fife"))] == [
        "Bristol, City of",
        "Fife (S12000015)",
        "Glasgow City (S12000043)",
        "Glasgow City (S12000046)",
        "Fife (S12000047)",
        "Glasgow City (S12000049)",
    ]
    assert [district[code] for code in (836, 926, 803, 941)] == [
        "Glasgow (City of)",
        "Glasgow City",
        "Western Isles (803)",
        "Western Isles (941)",
    ]


# Labels


def test_codes_become_labels() -> None:
    """Row by row; null stays null, and what is no code stays as it is."""
    labelled = label(collisions())
    assert labelled.to_pydict() == {
        "collision_index": ["a", "b", "c", "d"],
        "collision_severity": ["Slight", "Fatal", "Slight", None],
        "speed_limit": [30, 70, None, 30],
        "day_of_week": ["Saturday", "Sunday", "Sunday", "Monday"],
        "local_authority_district": ["Glasgow City", "Leeds", None, "Westminster"],
        "local_authority_highway": ["Glasgow City (S12000049)", "Leeds", None, "London Airport (Heathrow)"],
    }
    assert labelled["speed_limit"].equals(collisions()["speed_limit"])


def test_all_labels_are_categories_in_code_order() -> None:
    """Of areas only those present; severity has a rank, a day has none."""
    labelled = label(collisions())
    assert categories(labelled, "collision_severity") == SEVERITIES
    assert categories(labelled, "day_of_week") == DAYS
    assert categories(labelled, "local_authority_district") == ["Westminster", "Leeds", "Glasgow City"]
    assert categories(labelled, "local_authority_highway") == [
        "Leeds",
        "London Airport (Heathrow)",
        "Glasgow City (S12000049)",
    ]
    assert labelled.schema.field("collision_severity").type.ordered
    assert not labelled.schema.field("day_of_week").type.ordered


def test_month_and_weekday_of_clean_data_have_names() -> None:
    """They come back as the 8-bit integers that they were; the hour is a number."""
    kinds = {"month": pa.int8(), "weekday": pa.int8(), "hour": pa.int8()}
    clean = pa.table({name: pa.array([1, 7, None], kind) for name, kind in kinds.items()})
    labelled = label(clean)
    assert labelled.to_pydict() == {
        "month": ["January", "July", None],
        "weekday": ["Sunday", "Saturday", None],
        "hour": [1, 7, None],
    }
    assert label(labelled, "codes").equals(clean)


def test_codes_that_another_tool_made_floats_or_categories_are_codes() -> None:
    """As pandas does with whole numbers beside missing ones."""
    assert label(of("collision_severity", [3.0, None, 1.0], pa.float64())).to_pydict() == {
        "collision_severity": ["Slight", None, "Fatal"]
    }
    category = pa.table({"collision_severity": pa.array([3, None, 1], pa.int64()).dictionary_encode()})
    assert label(category)["collision_severity"].to_pylist() == ["Slight", None, "Fatal"]


@pytest.mark.parametrize("row_group_size", [None, 2])
def test_pandas_reads_categories_in_code_order(tmp_path: Path, row_group_size: int | None) -> None:
    """From the file as a step writes it, and from one of several row groups."""
    path = tmp_path / "labelled.parquet"
    store.write_dataset(label(collisions()), path)
    if row_group_size:
        pq.write_table(read_dataset(path), path, row_group_size=row_group_size)
        assert pq.ParquetFile(path).num_row_groups == 2
    frame = pd.read_parquet(path)
    assert list(frame["collision_severity"].cat.categories) == SEVERITIES
    assert list(frame["day_of_week"].cat.categories) == DAYS
    assert list(frame["local_authority_district"].cat.categories) == ["Westminster", "Leeds", "Glasgow City"]
    assert [frame[c].cat.ordered for c in ("collision_severity", "day_of_week")] == [True, False]
    assert list(frame["collision_index"][frame["collision_severity"] < "Slight"]) == ["b"]
    assert label(read_dataset(path), "codes").equals(collisions())


def test_a_column_without_values_keeps_its_categories() -> None:
    """So that years compare; an area column has none."""
    empty = pa.table({"road_type": pa.nulls(2, pa.int16()), "local_authority_district": pa.nulls(2, pa.int16())})
    labelled = label(empty)
    assert categories(labelled, "road_type")[:2] == ["Roundabout", "One way street"]
    assert categories(labelled, "local_authority_district") == []
    assert label(labelled, "codes").equals(empty)


@pytest.mark.parametrize("kind", [pa.null(), pa.float64(), pa.string()])
def test_an_empty_column_that_lost_its_type_gets_it_back(kind: pa.DataType) -> None:
    """A file without types says nothing of a column without values."""
    table = label(collisions()).append_column("road_type", pa.nulls(4, kind))
    assert label(table, "codes").equals(collisions().append_column("road_type", pa.nulls(4, pa.int16())))


def test_an_empty_column_is_no_reason_to_do_nothing() -> None:
    """It may hold either; the others tell that all is done."""
    table = collisions().append_column("local_authority_ons_district", pa.nulls(4, pa.string()))
    with pytest.raises(InputError, match="columns that hold codes already"):
        label(table, "codes")
    with pytest.raises(InputError, match="columns that hold labels already"):
        label(label(table))


# Codes without label


def test_a_code_without_label_keeps_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """In its place among the others; warned of and counted, and it comes back."""
    table = pa.table(
        {
            "casualty_type": pa.array([33, 9, 34, 33], pa.int16()),
            "local_authority_highway": ["E06000099", "E08000035", "Nowhere", None],
            "local_authority_district": pa.array([1, 999, None, 204], pa.int16()),
        }
    )
    labelled = label(table)
    assert labelled.to_pydict() == {
        "casualty_type": ["code 33", "Car occupant", "code 34", "code 33"],
        "local_authority_highway": ["E06000099", "Leeds", "code Nowhere", None],
        "local_authority_district": ["Westminster", "code 999", None, "Leeds"],
    }
    at = categories(labelled, "casualty_type").index("code 33")
    assert categories(labelled, "casualty_type")[at - 1 : at + 3] == [
        "Electric motorcycle rider or passenger",
        "code 33",
        "code 34",
        "Other vehicle occupant",
    ]
    assert categories(labelled, "local_authority_district") == ["Westminster", "Leeds", "code 999"]
    assert store.facts_of(labelled)["codes_without_label"] == {
        "casualty_type": {"33": 2, "34": 1},
        "local_authority_highway": {"E06000099": 1, "Nowhere": 1},
        "local_authority_district": {"999": 1},
    }
    assert capsys.readouterr().out.splitlines() == [
        "WARNING: casualty_type: codes that have no label and stay as they are, and their rows: 33 (2), 34 (1)",
        "WARNING: local_authority_highway: codes that have no label and stay as they are, and their rows: "
        "E06000099 (1), Nowhere (1)",
        "WARNING: local_authority_district: codes that have no label and stay as they are, and their rows: 999 (1)",
    ]
    assert label(labelled, "codes").equals(table)


def test_a_code_that_has_its_label_by_now_comes_back_too() -> None:
    """A table may have been labelled with an older code list."""
    older = pa.table({"junction_detail": ["code 19"], "local_authority_highway": ["E08000035"]})
    assert label(older, "codes", ["junction_detail"])["junction_detail"].to_pylist() == [19]
    mixed = of("local_authority_highway", ["E08000035", "Bradford"])
    assert label(mixed, "codes").to_pydict() == {"local_authority_highway": ["E08000035", "E08000032"]}


# The way back


def plain(table: pa.Table, kind: pa.DataType) -> pa.Table:
    """Labels as plain text, without facts and marks."""
    return pa.table(
        {
            n: c.cast(pa.string()).cast(kind) if store.is_text(c.type) else c
            for n, c in zip(table.column_names, table.columns, strict=True)
        }
    )


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_plain_text_comes_back(kind: pa.DataType) -> None:
    """As another tool may leave it; the types are the library's."""
    assert label(plain(label(collisions().drop_columns("collision_index")), kind), "codes").equals(
        collisions().drop_columns("collision_index")
    )


def test_a_table_that_went_through_pandas_comes_back() -> None:
    """As categories, and as text."""
    frame = label(collisions()).to_pandas()
    names = [n for n in collisions().column_names if n not in ("collision_index", "speed_limit")]
    for table in (frame, frame.astype(dict.fromkeys(names, object))):
        back = label(pa.Table.from_pandas(table), "codes")
        assert back.select(names).equals(collisions().select(names))


def test_categories_that_no_row_has_may_be_anything() -> None:
    """Only values come back."""
    values = pa.DictionaryArray.from_arrays(pa.array([1, None, 1]), ["Very fatal", "Fatal"])
    assert label(pa.table({"collision_severity": values}), "codes").equals(of("collision_severity", [1, None, 1]))


def test_chunks_with_different_categories_come_back() -> None:
    """As tables of two years joined."""
    tables = [of("local_authority_district", codes) for codes in ([204, 1], [None, 926, 204])]
    joined = pa.concat_tables([store.with_facts(label(table), {}) for table in tables])
    assert label(joined, "codes").equals(pa.concat_tables(tables))


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("vehicle_type", ["Carr", "Car", "Carr"], "column vehicle_type: 'Carr' is no label of it (rows: 2; such "
                                                  "labels: 1). Nearest name: Car. Mend it, or leave"),
        ("vehicle_type", ["Fatal", "Slight"], "'Fatal' is no label of it (rows: 1; such labels: 2)."),
        ("vehicle_type", ["code 40000"], "'code 40000' is no label of it"),
        ("vehicle_type", ["code 09"], "'code 09' is no label of it"),
        ("vehicle_type", ["9"], "'9' is no label of it"),
        ("weekday", ["code 200"], "'code 200' is no label of it"),
        ("local_authority_highway", ["Leeds", "Fife"], "'Fife' is no label of it"),
        ("local_authority_highway", ["Leeds", "WAKEFIELD"], "'WAKEFIELD' is no label of it"),
    ],
)  # fmt: skip
def test_a_label_of_no_code_is_refused(column: str, values: list[str], told: str) -> None:
    """With the column, the label, its rows and the nearest one."""
    with pytest.raises(InputError) as error:
        label(of(column, values, pa.string()), "codes")
    assert told in str(error.value)


CODES = st.one_of(st.none(), st.integers(-(2**15), 2**15 - 1), st.sampled_from([1, 3, 9, 33, 99, 204, 926]))
TEXTS = st.one_of(st.none(), st.text(), st.sampled_from(["E08000035", "E06000099", "code 1", "code code", "EHEATHROW"]))


@given(st.lists(st.tuples(CODES, CODES, TEXTS), min_size=1))
def test_any_codes_come_back(rows: list[tuple[int | None, int | None, str | None]]) -> None:
    """Legal or not; text that is the name of an area is refused as labelled already."""
    table = pa.table(
        {
            "casualty_type": pa.array([r[0] for r in rows], pa.int16()),
            "local_authority_district": pa.array([r[1] for r in rows], pa.int16()),
            "local_authority_highway": pa.array([r[2] for r in rows], pa.string()),
        }
    )
    assert label(label(table), "codes").equals(table)


# Columns


def test_only_the_columns_that_were_named_are_labelled() -> None:
    """The others can be done later, and come back together or one by one."""
    first = label(collisions(), columns=["day_of_week"])
    assert first["day_of_week"].to_pylist() == ["Saturday", "Sunday", "Sunday", "Monday"]
    assert first.drop_columns("day_of_week").equals(collisions().drop_columns("day_of_week"))
    assert label(first).equals(label(collisions()))
    assert label(first, "codes").equals(collisions())
    assert label(label(label(collisions()), "codes", ["day_of_week"]), "codes").equals(collisions())


@pytest.mark.parametrize(
    ("table", "how", "told"),
    [
        (collisions(), {"direction": "back"}, "direction is 'back'; it can be labels, codes."),
        (collisions(), {"columns": ["day_of_weak"]}, "columns names day_of_weak, which is no column of the table with "
                                                     "labels. Nearest name: day_of_week."),
        (collisions(), {"columns": ["speed_limit"]}, "columns names speed_limit, which is no column"),
        (collisions(), {"columns": [7]}, "columns names 7, which is no column"),
        (pa.table({"age": [1], "sex": [2]}), {}, "no column of the table has labels: age, sex, ..."),
        (collisions(), {"direction": "codes"}, "columns that hold codes already: collision_severity, day_of_week, "
                                               "local_authority_district (int16; 4 in all). Leave them out, or give "
                                               "direction=labels."),
        (label(collisions()), {}, "columns that hold labels already: collision_severity, day_of_week, "),
        (plain(label(collisions()), pa.string()), {}, "(string; 4 in all). Leave them out, or give direction=codes."),
        (label(collisions(), columns=["day_of_week"]), {"columns": ["collision_severity", "day_of_week"]},
         "columns that hold labels already: day_of_week (string; 1 in all)."),
        (of("local_authority_highway", ["Leeds", None]), {}, "labels already: local_authority_highway (string; 1 "),
        (of("local_authority_highway", ["E08000035"]), {"direction": "codes"}, "codes already: local_authority_high"),
        (of("day_of_week", [1.5], pa.float64()), {}, "column day_of_week: codes are whole numbers, as load_stats19"),
        (of("day_of_week", [70_000], pa.int32()), {}, "column day_of_week: codes are whole numbers, as load_stats19"),
        (of("day_of_week", [[1]], pa.list_(pa.int16())), {}, "column day_of_week: codes are whole numbers, as load_s"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told(table: pa.Table, how: dict, told: str) -> None:
    """With the column and what it holds, or what there is."""
    with pytest.raises(InputError) as error:
        label(table, **how)
    assert told in str(error.value)


# Marks and facts


def test_marks_and_facts_survive_both_ways() -> None:
    """Facts name the columns that hold labels, and the digest of what they were made from."""
    marks = {"collision_index": store.IDENTIFIER, "day_of_week": store.CATEGORY, "collision_severity": store.OUTCOME}
    facts = {"unit": "collision", "years": [2024], "sha256": "sha256:abc", "made_from": {"collision": "x"}}
    table = store.with_facts(store.mark_columns(collisions(), marks), facts)
    labelled = label(table)
    names = ["collision_severity", "day_of_week", "local_authority_district", "local_authority_highway"]
    ours = {"made_from": {"data": "sha256:abc"}, "codes_without_label": {}}
    assert store.facts_of(labelled) == facts | ours | {"labelled_columns": names}
    back = label(labelled, "codes")
    assert store.facts_of(back) == facts | ours | {"labelled_columns": []}
    for each in (labelled, back):
        assert {name: mark for mark in marks.values() for name in store.marked(each, mark)} == marks


def test_facts_follow_each_column() -> None:
    """What is labelled or brought back alone changes its own facts only."""
    table = collisions().set_column(3, "day_of_week", pa.array([8, 1, 1, 9], pa.int16()))
    table = table.append_column("casualty_type", pa.array([33, 1, 1, 1], pa.int16()))
    one = label(table, columns=["casualty_type"])
    two = label(one, columns=["day_of_week"])
    back = label(two, "codes", ["casualty_type"])
    told = [(store.facts_of(t)["labelled_columns"], store.facts_of(t)["codes_without_label"]) for t in (one, two, back)]
    assert told == [
        (["casualty_type"], {"casualty_type": {"33": 1}}),
        (["day_of_week", "casualty_type"], {"casualty_type": {"33": 1}, "day_of_week": {"8": 1, "9": 1}}),
        (["day_of_week"], {"day_of_week": {"8": 1, "9": 1}}),
    ]


# Real records


@pytest.mark.real_data
@pytest.mark.parametrize("year", ["west_yorkshire", "great_britain"])
def test_real_records_come_back_without_a_difference(year: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Through a file, through pandas, and as plain text; every value has a label."""
    tables = load_tables(str(request.getfixturevalue(year)), {})
    tables["clean"] = preprocess(tables, "vehicle", known_at="impact", keep_location=True)
    counted = {}
    for name, table in tables.items():
        path = tmp_path / f"{name}.parquet"
        store.write_dataset(table, path)
        codes = read_dataset(path)
        made = label(codes)
        store.write_dataset(made, path)
        labelled, frame = read_dataset(path), pd.read_parquet(path)
        assert label(labelled, "codes").equals(codes)
        done = store.facts_of(labelled)["labelled_columns"]
        assert store.facts_of(labelled)["codes_without_label"] == {}
        assert [list(frame[n].cat.categories) for n in done] == [categories(made, n) for n in done]
        for other in (pa.Table.from_pandas(frame[done], preserve_index=False), plain(labelled, pa.string())):
            back = label(other, "codes")
            assert [n for n in done if not back[n].equals(codes[n])] == []
        counted[name] = (len(done), sum(codes.num_rows - codes[n].null_count for n in done))
    assert counted == {
        "west_yorkshire": {
            "collision": (27, 83_014), "vehicle": (23, 134_395), "casualty": (14, 72_029), "clean": (37, 255_371),
        },
        "great_britain": {
            "collision": (19, 2_547_630), "vehicle": (18, 3_974_622), "casualty": (12, 2_172_742),
            "clean": (34, 8_412_658),
        },
    }[year]  # fmt: skip
