"""Every column of a severity model is in one group, and its codes have words."""

import json
from collections import Counter

import pytest

from roadsafety_components.core import schema
from roadsafety_components.core.clean import KNOWN_AT, preprocess
from roadsafety_components.core.engineer import engineer
from roadsafety_components.core.feature_groups import grouped
from roadsafety_components.core.feature_list import FEATURES
from roadsafety_components.core.harmonise import harmonise
from roadsafety_components.core.read import load_tables
from roadsafety_components.core.sample import write_sample
from roadsafety_components.core.store import IDENTIFIER, marked
from roadsafety_components.core.words import stats19_groups, stats19_labels, stats19_meanings

GROUP_OF = {column: group for group, columns in stats19_groups().items() for column in columns}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Return a few synthetic collisions in the codes of 2024."""
    folder = tmp_path_factory.mktemp("words")
    write_sample(20, {table: folder / f"synthetic-{table}.csv" for table in schema.TABLES})
    return harmonise(load_tables(str(folder), {}))


@pytest.mark.parametrize("unit", schema.TABLES)
@pytest.mark.parametrize("known_at", KNOWN_AT)
def test_every_feature_is_in_one_group(tables, unit, known_at):
    """At every unit, whatever is known, the place included; and no group is called like a feature outside it."""
    data = preprocess(tables, unit, "ksi", known_at, keep_location=True, keep_constant=True)
    data = engineer(data, tables["collision"], tables["vehicle"], 5.0)
    features = [n for n in data.column_names if n not in marked(data, IDENTIFIER) and n != "ksi"]
    assert [n for n in features if n not in GROUP_OF] == []
    assert set(grouped(features, stats19_groups())) <= set(stats19_groups())


def test_no_column_is_in_two_groups():
    """Its importance would count twice."""
    columns = Counter(column for columns in stats19_groups().values() for column in columns)
    assert [column for column, times in columns.items() if times > 1] == []


def test_a_group_has_only_columns_that_there_are():
    """A misspelt one would be on its own in silence."""
    known = {name for table in schema.TABLES for name in schema.columns(table)} | FEATURES.keys()
    assert set(GROUP_OF) - known == {"month", "weekday", "hour"}


def test_an_engineered_feature_is_with_what_it_is_made_of():
    """As an analyst would say it."""
    named = (
        "rush_hour",
        "month_sin",
        "weekend",
        "dark",
        "young_driver",
        "other_driver_age",
        "user_and_opponent",
        "vehicles_hgv",
    )
    assert [GROUP_OF[n] for n in named] == [
        "time_of_day", "month", "day_of_week", "light", "age_of_drivers", "other_vehicle", "road_user",
        "vehicles_involved",
    ]  # fmt: skip


def test_outcomes_are_in_no_group():
    """No model has them."""
    outcome = {"target", "target_derived", "reporting_process", "identifier"}
    columns = [c for table in schema.TABLES for c in schema.columns(table).values()]
    assert {c.name for c in columns if c.availability in outcome} & GROUP_OF.keys() == set()


def test_words_of_codes():
    """By the code as text; those of another column where the codes are its."""
    labels = stats19_labels()
    assert labels["casualty_type"]["0"] == "Pedestrian"
    assert labels["month"]["12"] == "December"
    assert labels["other_driver_sex"] == labels["sex_of_driver"] == {"1": "Male", "2": "Female", "3": "Not known"}
    assert labels.keys() <= GROUP_OF.keys()
    assert [c for c in ("local_authority_district", "police_force", "collision_severity") if c in labels] == []


def test_every_group_has_a_meaning():
    """And every engineered feature."""
    assert stats19_groups().keys() | FEATURES.keys() == stats19_meanings().keys()
    assert stats19_meanings()["light"] == "light, street lighting, height of the sun"


def test_they_fit_into_a_pipeline():
    """Together they are parameters of 25 kB, each ASCII."""
    texts = [json.dumps(of()) for of in (stats19_groups, stats19_labels, stats19_meanings)]
    assert len(texts[1]) < 20_000
    assert sum(map(len, texts)) < 26_000
    assert all(
        json.dumps(of(), ensure_ascii=False).isascii() for of in (stats19_groups, stats19_labels, stats19_meanings)
    )
