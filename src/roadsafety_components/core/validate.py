"""What STATS19 records must satisfy, a table of rules that pandera asks, and where they do not."""

import ast
import heapq
from collections import namedtuple
from collections.abc import Iterator
from functools import cache, partial
from itertools import chain, groupby
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from roadsafety_components.core.datasets import dataset_schema
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.quality import BRITAIN, Summary
from roadsafety_components.core.store import facts_of, is_text, with_facts
from roadsafety_components.core.years import tables_by_year

# A group and what to do; then a line a rule: name, tables (* is all), warning if it is no error; what holds in a row,
# as pandas evaluates it (not asked where a column is missing; {c} is each column of a kind); what is wrong if not.
_RULES = """
[keys] Load the files as published, each once.
key_missing * | key_gaps == 0 | A part of the key is missing.
key_repeated * | {t}_rows < 2 | Several rows have this key; a join would multiply them.
key_year * | collision_index.str[:4] == collision_year.astype('string[pyarrow]') | The key does not begin with the year.
[links] Give three tables of one release; choose rows by collision, in all alike.
without_collision vehicle,casualty | collision_rows > 0 | Its collision is not there.
without_vehicle collision,casualty | vehicle_rows > 0 | Its vehicle is not there.
without_casualty collision | casualty_rows > 0 | Its casualty is not there.
[counts] Rows were lost or doubled on the way: load the tables again.
number_of_vehicles collision | number_of_vehicles == vehicle_rows | There are not as many vehicle rows.
number_of_casualties collision | number_of_casualties == casualty_rows | There are not as many casualty rows.
[severity] Learn nothing from these records before you know which severity is right.
worst_casualty collision | collision_severity == worst_casualty | It is not the worst casualty's severity.
enhanced_severity collision | collision_severity == enhanced_severity_collision or collision_severity == 2 and enhanced_severity_collision > 4 | The enhanced severity is not within the severity.
enhanced_severity casualty | casualty_severity == enhanced_casualty_severity or casualty_severity == 2 and enhanced_casualty_severity > 4 | The enhanced severity is not within the severity.
adjusted_severity collision,casualty | {t}_severity == 1 or 0.999 < {t}_adjusted_severity_serious + {t}_adjusted_severity_slight < 1.001 | Serious and slight do not add up to 1.
[calendar] If many: day and month were swapped. Else take the weekday from the date, and no hour without a time.
date_in_year collision | date.dt.year == collision_year | The date is not in the year.
day_of_week collision | day_of_week == date.dt.day_of_week + 2 or day_of_week == 1 and date.dt.day_of_week == 6 | It is not the date's weekday (1 is Sunday).
time_missing collision warning | time.notnull() | There is no time; it is not midnight.
[geography] Leave these places out of maps and features.
outside_britain collision | {0} < location_easting_osgr < {1} and {2} < location_northing_osgr < {3} | The point is outside the box around Great Britain.
coordinates_disagree collision | @metres_apart(location_easting_osgr, location_northing_osgr, longitude, latitude) <= 150 | Grid and longitude, latitude are over 150 m apart.
coordinates_incomplete collision warning | location_easting_osgr.isnull() == location_northing_osgr.isnull() == longitude.isnull() == latitude.isnull() | Some coordinates are missing.
lsoa_nation collision warning | lsoa_of_accident_location.str[:1] == @nation(police_force) | The LSOA is not in the force's nation (Scotland has none).
[ranges] A few are usual: make the value missing, or leave the record out.
speed_limit collision warning | speed_limit in [20, 30, 40, 50, 60, 70] | There is no such limit.
age_of_driver vehicle warning | age_of_driver <= 110 | Older than 110.
young_driver vehicle warning | age_of_driver >= 10 or vehicle_type in [1, 16, 22, 90, 99] | A motor vehicle's driver under 10.
age_band_of_driver vehicle | age_band_of_driver == @band(age_of_driver) | The age is not in the band.
age_of_casualty casualty warning | age_of_casualty <= 110 | Older than 110.
age_band_of_casualty casualty | age_band_of_casualty == @band(age_of_casualty) | The age is not in the band.
engine_capacity vehicle warning | 20 <= engine_capacity_cc <= 17000 | Smaller than a moped's engine, or larger than a lorry's.
age_of_vehicle vehicle warning | age_of_vehicle <= collision_year - 1885 | Older than the motor car.
negative * | {c} >= 0 | Below zero.
[codes] Where columns disagree, use none of them.
reference * warning | collision_index.str[4:] == collision_ref_no | The reference is not the rest of the key.
pedestrian casualty | (casualty_class == 3) == (pedestrian_location > 0) == (pedestrian_movement > 0) == (casualty_type == 0) | Class, location, movement and type disagree on who walks.
passenger casualty | casualty_class == 2 or car_passenger in [0, 9] and bus_or_coach_passenger in [0, 9] | A passenger's place in another class.
[missing] Did the recording change (specification, a force's system)? Do not learn from the gap.
missing_jump * warning | -0.1 <= missing - missing_before <= 0.1 | The share missing moved by over ten points in a year.
"""  # noqa: E501

TABLES = ("collision", "vehicle", "casualty")
_FRACTIONS = """location_easting_osgr location_northing_osgr longitude latitude
    collision_adjusted_severity_serious collision_adjusted_severity_slight
    casualty_adjusted_severity_serious casualty_adjusted_severity_slight"""
# What rules take a column for, where it is no whole number.
_TYPES = {
    **dict.fromkeys(["collision_index", "collision_ref_no", "lsoa_of_accident_location"], pa.string()),
    **dict.fromkeys(_FRACTIONS.split(), pa.float64()),
    "date": pa.date32(),
    "time": pa.time32("s"),
}
# What a table gets before it is asked, by the end of its name.
_COUNTED = ("_rows", "_gaps", "worst_casualty", "missing", "missing_before")
# Quantities, which {c} stands for.
_QUANTITIES = {
    "collision": "number_of_vehicles number_of_casualties first_road_number second_road_number speed_limit",
    "vehicle": "vehicle_reference age_of_driver engine_capacity_cc age_of_vehicle",
    "casualty": "vehicle_reference casualty_reference age_of_casualty",
}

Rule = namedtuple("Rule", "group advice table rule level holds explanation columns")


@cache
def rules() -> list[Rule]:
    """Every rule, once for each of its tables, and of the columns that {c} stands for."""
    found, group, advice = [], "", ""
    for line in _RULES.strip().splitlines():
        if line.startswith("["):
            group, advice = line[1:].split("] ")
            continue
        head, holds, why = line.split(" | ")
        name, tables, *level = head.split()
        for t in TABLES if tables == "*" else tables.split(","):
            for c in _QUANTITIES[t].split() if "{c}" in holds else [""]:
                text = holds.format(*BRITAIN, t=t, c=c)
                names = [n.id for n in ast.walk(ast.parse(text.replace("@", ""))) if isinstance(n, ast.Name)]
                columns = [n for n in dict.fromkeys(names) if n not in _FUNCTIONS]
                found.append(Rule(group, advice, t, name, (level or ["error"])[0], text, why, columns))
    return found


def check_words(words: list[str]) -> None:
    """Refuse what is no rule, group or level."""
    groups = dict.fromkeys(r.group for r in rules())
    known = {*groups, *(w for r in rules() for w in (r.rule, r.level))}
    for word in words:
        if word not in known:
            raise InputError(f"fail_on: {word!r} is no rule, group or level.{nearest(word, known)} The groups are "
                             f"{', '.join(groups)}.")  # fmt: skip


def validate(paths: dict[str, str]) -> tuple[pd.DataFrame, Summary]:
    """Ask the tables of load_stats19 every rule, a year at a time.

    Args:
        paths: Parquet file, or folder by year, by table; at least the collision table.

    Returns:
        A row a rule and year that was asked, with the count of the rows that break it, and examples; and the years'
        counts.

    Raises:
        InputError: a table that cannot be read, has no keys, or a column of another type than STATS19's.
    """
    asked, summary = [], Summary()
    none = {t: dataset_schema(path, f"{t} table").empty_table() for t, path in paths.items()}

    def of_table(name: str) -> Iterator[tuple[int, str, pa.Table]]:
        for year, table in tables_by_year(paths[name], "collision_year", f"{name} table"):
            summary.facts |= {k: v for k, v in facts_of(table).items() if k in ("generation", "synthetic")}
            yield year, name, table

    for year, found in groupby(heapq.merge(*map(of_table, paths), key=lambda f: f[0]), lambda f: f[0]):
        tables = none | {name: table for _, name, table in found}  # none: of a table that lacks the year
        frames = {name: _frame(name, table) for name, table in tables.items()}
        coded = {name: [f.name for f in table.schema if f.type == pa.int16()] for name, table in tables.items()}
        told = {name: summary.add(name, year, frame, coded[name]) for name, frame in frames.items() if len(frame)}
        _add_links(frames)
        for name, frame in [*told.items(), *frames.items()]:
            rows, with_error = _ask(name, frame)
            asked += [row | {"year": year} for row in rows]
            summary.with_error += with_error
    return pd.DataFrame(asked), summary


def _key(table: str) -> list[str]:
    return ["collision_index", "vehicle_reference", "casualty_reference"][: TABLES.index(table) + 1]


def _frame(name: str, table: pa.Table) -> pd.DataFrame:
    """The table with Arrow's types, which keep null apart from every value; those of the rules where they ask it."""
    asked = {c for r in rules() if r.table == name for c in r.columns if c in table.column_names}
    for column in dict.fromkeys([*_key(name), *sorted(asked)]):
        wanted, told = _TYPES.get(column, pa.int32()), "is not there"
        try:
            told = f"is {table[column].type}, not {wanted}"
            if table[column].type != pa.null() and is_text(table[column].type) != is_text(wanted):
                raise KeyError
            values = table[column].cast(wanted)
        except (KeyError, pa.ArrowException) as error:
            raise InputError(f"{name} table: column {column} {told}. Give the tables of load_stats19.") from error
        table = table.set_column(table.column_names.index(column), column, values)
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _add_links(frames: dict[str, pd.DataFrame]) -> None:
    """Add to each table how often a row's key is in it and in the others, and the worst casualty."""
    for name, frame in frames.items():
        frame["key_gaps"] = frame[_key(name)].isna().sum(axis=1)
        for other, there in frames.items():
            key = min(_key(name), _key(other), key=len)
            times = there.groupby(key).size().rename("times")
            frame[f"{other}_rows"] = frame[key].join(times, on=key)["times"].fillna(0) if len(frame) else 0
    if "casualty_severity" in frames.get("casualty", ()):
        worst = frames["casualty"].groupby("collision_index")["casualty_severity"].min()
        frames["collision"]["worst_casualty"] = frames["collision"]["collision_index"].map(worst)


def row_schema(name: str, columns: list[str]) -> Any:
    """A pandera schema of a table with these columns: their types, and a check a rule, named by what must hold."""
    from pandera.pandas import Check, Column, DataFrameSchema

    return DataFrameSchema(
        {c: Column(pd.ArrowDtype(_TYPES.get(c, pa.int32())), nullable=True)
         for r in rules() if r.table == name for c in r.columns if c in columns and not c.endswith(_COUNTED)},
        [Check(partial(_holds, r), name=r.holds, ignore_na=False, n_failure_cases=1)
         for r in rules() if r.table == name and {*r.columns} <= {*columns}],
    )  # fmt: skip


def _applies(rule: Rule, frame: pd.DataFrame) -> Any:
    """Where no column of the rule is missing, unless it asks for just that."""
    return frame[rule.columns].notna().all(axis=1) | ("null()" in rule.holds)


def _holds(rule: Rule, frame: pd.DataFrame) -> Any:
    holds: Any = frame[rule.columns].eval(rule.holds, local_dict=_FUNCTIONS)
    return holds.fillna(True).astype(bool) | ~_applies(rule, frame)


def _ask(name: str, frame: pd.DataFrame) -> tuple[list[dict[str, Any]], int]:
    """Ask a year of a table every rule that has its columns; also how many rows break one of level error."""
    from pandera.errors import SchemaErrors

    expected, broken, asked, wrong = row_schema(name, [*map(str, frame)]), {}, [], np.zeros(len(frame), bool)
    try:
        expected.validate(frame, lazy=True)
    except SchemaErrors as errors:
        broken = {e.check.name: ~e.check_output.to_numpy(bool) for e in errors.schema_errors}
    checks = {check.name for check in expected.checks}
    for rule in (r for r in rules() if r.table == name and r.holds in checks):
        bad = broken.get(rule.holds, wrong & False)
        wrong |= bad & (rule.level == "error")
        shown = [c for c in dict.fromkeys([frame.columns[0], *_key(name), *rule.columns]) if c in frame]
        few = frame.loc[bad, shown].head().astype(object).fillna("missing").itertuples(index=False)
        told = [f"{key}: " + ", ".join(map("{} {}".format, shown[1:], values)) for key, *values in few]
        counts = {"count": int(bad.sum()), "rows": int(_applies(rule, frame).sum()), "examples": told}
        asked.append(rule._asdict() | counts)
    return asked, int(wrong.sum())


def _band(age: Any) -> Any:
    bands = np.searchsorted([6, 11, 16, 21, 26, 36, 46, 56, 66, 76], age.to_numpy(float, na_value=np.nan), "right")
    return pd.Series(1 + bands, age.index)


def _nation(force: Any) -> Any:
    return force.between(60, 63).map({True: "W", False: "E"}).mask(force > 90, "S")


def _metres_apart(*columns: Any) -> Any:
    from pyproj import Transformer

    east, north, given, latitude = (c.to_numpy(float, na_value=np.nan) for c in columns)
    # The National Grid (OSGB36) to WGS84, right to about 5 m.
    longitude, found = Transformer.from_crs(27700, 4326, always_xy=True).transform(east, north)
    across = (longitude - given) * np.cos(np.radians(latitude))
    return pd.Series(111_320 * np.hypot(across, found - latitude), columns[0].index)


_FUNCTIONS = {"band": _band, "nation": _nation, "metres_apart": _metres_apart}


def by_rule(asked: pd.DataFrame, *also: str) -> pd.DataFrame:
    """A row a rule and table that some row was asked, all years (and columns) together, errors first."""
    keys = ["level", "group", "rule", "table", "explanation", "advice", *also]
    whole: Any = {"count": "sum", "rows": "sum", "examples": lambda lists: [*chain(*lists)][:5]}
    return pd.DataFrame(asked[asked["rows"] > 0].groupby(keys, as_index=False).agg(whole))


def named(whole: pd.DataFrame, words: list[str]) -> pd.DataFrame:
    """What is broken and has its rule, group or level among the words."""
    return whole[(whole["count"] > 0) & whole[["rule", "group", "level"]].isin(words).any(axis=1)]


def figures(asked: pd.DataFrame, summary: Summary) -> dict[str, float]:
    """Rows by table, broken rules by level and group, and the share of the records that break one of level error."""
    whole = by_rule(asked)
    rows = {f"rows_{table}": sum(by_year.values()) for table, by_year in summary.rows.items()}
    words = {"errors": "error", "warnings": "warning"} | {f"findings_{r.group}": r.group for r in rules()}
    found = {name: len(named(whole, [word])) for name, word in words.items()}
    return {**rows, **found, "share_with_error": summary.with_error / sum(rows.values())}


def findings_table(asked: pd.DataFrame, summary: Summary) -> pa.Table:
    """What is broken, a row a rule and year, errors first."""
    found = by_rule(asked[asked["count"] > 0], "year")
    found = found.assign(share=found["count"] / found["rows"], examples=found["examples"].str.join("; "))
    columns = ["rule", "group", "table", "year", "level", "count", "rows", "share", "examples", "explanation"]
    numbers = {"year": pa.int32(), "count": pa.int64(), "rows": pa.int64(), "share": pa.float64()}
    types = pa.schema([(c, numbers.get(c, pa.string())) for c in columns])
    table = pa.Table.from_pandas(found[columns], types, preserve_index=False)
    return with_facts(table, summary.facts | {"years": [*summary.rows["collision"]]})


def pass_gate(asked: pd.DataFrame, fail_on: list[str], report: str) -> None:
    """Print what is broken; raise InputError if ``fail_on`` names some of it. ``report`` is where the report is."""

    def told(broken: pd.DataFrame) -> list[str]:
        return [f"{f['rule']}: {f['count']:,} of {f['rows']:,} {f['table']} rows, e.g. {f['examples'][0]}"
                for f in broken.to_dict("records")]  # fmt: skip

    whole = by_rule(asked)
    for text in told(named(whole, ["error", "warning"])):
        print(f"WARNING: {text}")
    if len(stopped := named(whole, fail_on)):
        raise InputError(f"records break rules that fail_on names ({', '.join(fail_on)}). {'. '.join(told(stopped))}. "
                         f"{' '.join(dict.fromkeys(stopped['advice']))} The report is {report}.")  # fmt: skip
