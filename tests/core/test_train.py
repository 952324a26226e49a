"""A classifier for any table: features, targets, parameters, and what the facts say."""

import decimal
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sklearn
from sklearn.pipeline import Pipeline

from roadsafety_components.core import store
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.features import choose_features
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.train import train_classifier
from roadsafety_components.core.training_report import training_report
from roadsafety_components.core.training_rows import check_target

from .make import small_model

ALGORITHMS = ("random_forest", "hist_gradient_boosting")  # logistic regression: see test_estimators.py
ROWS = 120


def records(classes: int = 2) -> pa.Table:
    """Numbers, fractions, booleans, text, categories, gaps; ``severity`` follows from speed and place."""
    speed = [(20, 30, 60)[i % 3] for i in range(ROWS)]
    place = [("town", None, "village", "town")[i // 3 % 4] for i in range(ROWS)]
    late = [s == 60 for s in speed]
    names = ("fatal", "serious", "slight")[3 - classes :]
    severity = [names[0] if f else names[1 + (i // 3 % 4 == 0 and classes == 3)] for i, f in enumerate(late)]
    table = pa.table(
        {
            "key": [f"2024{i // 2:04}" for i in range(ROWS)],
            "speed_limit": pa.array(speed, pa.int32()),
            "age": [None if i % 7 == 0 else float(i % 80) for i in range(ROWS)],
            "urban": [i % 2 == 0 for i in range(ROWS)],
            "place": place,
            "road_type": pa.array([None if i % 11 == 0 else (1, 3, 6, 9)[i % 4] for i in range(ROWS)], pa.int16()),
            "severity": severity,
        }
    )
    return store.mark_columns(table, {"key": store.IDENTIFIER, "road_type": store.CATEGORY})


def train(table: pa.Table, **how: object) -> tuple[Pipeline, store.Facts]:
    """With few trees."""
    return small_model(table, **{"target_column": "severity", **how})


def answers(model: Pipeline, facts: store.Facts, table: pa.Table) -> list[str]:
    """The model's classes for a table."""
    return model.predict(to_frame(table, facts["features"])).tolist()


def chances(model: Pipeline, facts: store.Facts, table: pa.Table) -> np.ndarray:
    """The model's probabilities for a table."""
    return model.predict_proba(to_frame(table, facts["features"]))


def with_column(table: pa.Table, name: str, values: object) -> pa.Table:
    """With one column in place of another or at the end; marks stay."""
    field = pa.field(name, values.type if hasattr(values, "type") else pa.array(values).type)
    column = values if hasattr(values, "type") else pa.array(values)
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), field, column)
    return table.append_column(field, column)


# Features


def test_features_are_all_columns_but_identifiers_target_and_excluded() -> None:
    """The facts name every other column with the reason."""
    _, facts = train(records(), exclude_columns=["age"])
    assert facts["features"] == ["speed_limit", "urban", "place", "road_type"]
    assert facts["features_left_out"] == {"key": "an identifier", "age": "excluded by parameter"}


def test_columns_that_are_neither_number_nor_text_are_left_out() -> None:
    """Dates, lists, decimals, columns of type null, and columns empty in every row."""
    table = records().select(["speed_limit", "severity"])
    table = with_column(table, "date", [date(2024, 1, 1)] * ROWS)
    table = with_column(table, "list", [[1]] * ROWS)
    table = with_column(table, "money", [decimal.Decimal("1.5")] * ROWS)
    table = with_column(table, "nothing", pa.nulls(ROWS))
    table = with_column(table, "empty", pa.nulls(ROWS, pa.int16()))
    for algorithm in ALGORITHMS:
        _, facts = train(table, algorithm=algorithm)
        assert facts["features"] == ["speed_limit"]
        assert facts["features_left_out"] == {
            "date": "of type date32[day]: neither number nor text",
            "list": "of type list<item: int64>: neither number nor text",
            "money": "of type decimal128(2, 1): neither number nor text",
            "nothing": "of type null: neither number nor text",
            "empty": "empty in every training row",
        }


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 2, 3, None], pa.int8()),
        pa.array([1, 2, 3, None], pa.uint64()),
        pa.array([0.5, None, -1.0, 2.0], pa.float32()),
        pa.array([0.5, None, -1.0, 2.0], pa.float16()),
        pa.array([True, True, None, False]),
        pa.array(["a", None, "b", ""]),
        pa.array(["a", None, "b", "c"], pa.large_string()),
        pa.array(["a", None, "b", "c"]).dictionary_encode(),
    ],
    ids=lambda v: str(v.type),
)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_feature_may_be_of_any_kind_with_gaps(algorithm: str, values: pa.Array) -> None:
    """Numbers of every width, booleans, text of every kind; each is learned from and answered on."""
    table = pa.table({"x": pa.concat_arrays([values] * 10), "severity": ["a", "a", "b", "b"] * 10})
    model, facts = train(table, algorithm=algorithm, min_samples_leaf=1)
    assert facts["features"] == ["x"]
    assert answers(model, facts, table) == table["severity"].to_pylist()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_text_never_seen_before_is_answered(algorithm: str) -> None:
    """As if it were missing."""
    model, facts = train(records(), algorithm=algorithm)
    strange, missing = (with_column(records(), "place", pa.array([v] * ROWS, pa.string())) for v in ("sea", None))
    assert answers(model, facts, strange) == answers(model, facts, missing)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_gaps_where_training_had_none_are_answered(algorithm: str) -> None:
    """A feature may be missing in the test alone."""
    model, facts = train(records(), algorithm=algorithm)
    gaps = with_column(records(), "speed_limit", pa.nulls(ROWS, pa.int32()))
    assert set(answers(model, facts, gaps)) <= {"serious", "slight"}


def test_boosting_takes_text_and_marked_codes_as_categories() -> None:
    """And numbers as numbers; the encoder puts the categories first."""
    model, _ = train(records(), algorithm="hist_gradient_boosting")
    assert model["encode"].transformers_[0][2] == ["place", "road_type"]
    assert model["classify"].is_categorical_.tolist() == [True, True, False, False, False]


def test_a_forest_takes_codes_as_numbers() -> None:
    """Only text is encoded."""
    model, _ = train(records())
    assert model["encode"].transformers_[0][2] == ["place"]


@pytest.mark.parametrize("kind", ["text", "code"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_more_categories_than_boosting_has_bins_are_learned(algorithm: str, kind: str) -> None:
    """600 makes and models; the commonest are told apart."""
    number = [i % 600 if i % 2 else 0 for i in range(3000)]
    values = pa.array(number, pa.int16()) if kind == "code" else pa.array([f"make {n}" for n in number])
    table = store.mark_columns(
        pa.table({"x": values, "severity": ["other" if n else "common" for n in number]}), {"x": store.CATEGORY}
    )
    model, facts = train(table, algorithm=algorithm)
    assert answers(model, facts, table.slice(0, 2)) == ["common", "other"]


def test_no_feature_at_all_is_told() -> None:
    """With what became of each column."""
    table = records().select(["key", "age", "severity"])
    with pytest.raises(InputError, match=r"no feature column is left: .*'key': 'an identifier'.*excluded by parameter"):
        train(table, exclude_columns=["age"])


def test_an_excluded_column_must_be_there() -> None:
    """A slip would let in what was to be left out."""
    with pytest.raises(InputError, match="exclude_columns names colour, sped_limit, which the table does not have"):
        choose_features(records(), "severity", ["sped_limit", "age", "colour"])


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e300])
def test_an_infinite_feature_is_told(value: float) -> None:
    """Also a number that float32 has no room for; the message names the column."""
    table = with_column(records(), "age", [value, *([1.0] * (ROWS - 1))])
    with pytest.raises(InputError, match="feature age holds infinite numbers"):
        train(table)


# Learning


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_follows_from_the_features_is_learned(algorithm: str, class_weight: str, classes: int) -> None:
    """Two and three classes, weighted or not."""
    table = records(classes)
    model, facts = train(table, algorithm=algorithm, class_weight=class_weight, n_estimators=20)
    right = np.mean(np.array(answers(model, facts, table)) == np.array(table["severity"].to_pylist()))
    assert right > 0.95
    assert len(facts["classes"]) == classes
    assert model.classes_.tolist() == facts["classes"] == sorted(set(table["severity"].to_pylist()))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_balanced_weights_find_more_of_the_rare_class(algorithm: str) -> None:
    """Where the features tell little, unweighted models answer the common class."""
    rng = np.random.default_rng(0)
    rare = rng.random(2000) < 0.1
    table = pa.table({"x": rng.normal(size=2000) + rare, "severity": np.where(rare, "ksi", "slight")})
    found = {}
    for weight in ("none", "balanced"):
        model, facts = train(table, algorithm=algorithm, class_weight=weight, max_depth=3, min_samples_leaf=20)
        found[weight] = answers(model, facts, table).count("ksi")
    assert found["balanced"] > 5 * found["none"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("target", "classes"),
    [
        (pa.array([i % 3 == 2 for i in range(ROWS)]), ["false", "true"]),
        (pa.array([int(i % 3 == 2) for i in range(ROWS)], pa.int8()), ["0", "1"]),
        (pa.array([10 if i % 3 == 2 else 9 for i in range(ROWS)]), ["10", "9"]),
        (pa.array([("a", "b", "c")[i % 3] for i in range(ROWS)]).dictionary_encode(), ["a", "b", "c"]),
        (pa.array([("a", "b", "c")[i % 3] for i in range(ROWS)], pa.large_string()), ["a", "b", "c"]),
    ],
    ids=["bool", "int8", "int64", "dictionary", "large"],
)
def test_the_target_may_be_text_booleans_or_whole_numbers(algorithm: str, target: pa.Array, classes: list[str]) -> None:
    """Its classes are text in the facts, in the counts and in the model's answers, alike."""
    model, facts = train(with_column(records(), "severity", target), algorithm=algorithm)
    assert facts["classes"] == classes
    assert model.classes_.tolist() == classes
    assert list(facts["class_counts"]) == classes
    assert sum(facts["class_counts"].values()) == ROWS
    assert set(answers(model, facts, records())) <= set(classes)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_seed_decides(algorithm: str) -> None:
    """The same seed gives the same probabilities to the last bit."""
    table = records()
    first, same = (chances(*train(table, algorithm=algorithm, seed=3), table) for _ in range(2))
    assert np.array_equal(first, same)
    if algorithm == "random_forest":
        assert not np.array_equal(first, chances(*train(table, seed=4), table))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_class_with_a_single_row_is_no_trouble(algorithm: str) -> None:
    """Also beyond 10,000 rows, where boosting would set a tenth of each class aside."""
    rows = 10_100
    target = ["fatal"] + ["serious", "slight"] * ((rows - 1) // 2) + ["slight"]
    model, facts = train(pa.table({"x": np.arange(rows) % 7, "severity": target}), algorithm=algorithm, n_estimators=2)
    assert facts["class_counts"] == {"fatal": 1, "serious": 5049, "slight": 5050}
    assert model.classes_.tolist() == ["fatal", "serious", "slight"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_parameters_reach_the_model(algorithm: str) -> None:
    """As many trees as asked for, no deeper, no leaf smaller."""
    how = {"n_estimators": 7, "max_depth": 2, "min_samples_leaf": 9, "learning_rate": 0.3, "seed": 5}
    model, _ = train(records(), algorithm=algorithm, class_weight="balanced", **how)
    fitted = model["classify"]
    assert (fitted.max_depth, fitted.min_samples_leaf, fitted.random_state, fitted.class_weight) == (
        2,
        9,
        5,
        "balanced",
    )
    if algorithm == "random_forest":
        assert [t.get_depth() <= 2 for t in fitted.estimators_] == [True] * 7
    else:
        assert (fitted.n_iter_, fitted.learning_rate) == (7, 0.3)


def test_whole_numbers_may_come_as_floats() -> None:
    """Some runners hand every number over so."""
    model, facts = train(records(), n_estimators=3.0, max_depth=0.0, min_samples_leaf=2.0, seed=1.0)
    assert len(model["classify"].estimators_) == 3
    whole = {"n_estimators": 3, "min_samples_leaf": 2, "max_depth": 0, "seed": 1}
    assert {n: facts["parameters"][n] for n in whole} == whole
    assert all(isinstance(facts["parameters"][n], int) for n in whole)


# What is chosen on held-out rows


def noisy(rows: int = 600) -> pa.Table:
    """Pairs of rows of one collision; ``ksi`` in about a quarter, likelier at speed."""
    rng = np.random.default_rng(0)
    speed = rng.choice([20, 30, 60], rows)
    ksi = rng.random(rows) < speed / 150
    table = pa.table(
        {
            "collision_index": [f"c{i // 2}" for i in range(rows)],
            "speed_limit": speed,
            "age": rng.normal(size=rows),
            "weight": 1.0 + np.arange(rows) % 3,
            "ksi": np.where(ksi, "ksi", "slight"),
        }
    )
    table = store.mark_columns(table, {"collision_index": store.IDENTIFIER})
    return store.with_facts(table, {"group_column": "collision_index"})


def test_by_default_boosting_stops_early_on_folds_by_collision() -> None:
    """The group is the one that the data name; far fewer rounds than the most are best on so few rows."""
    table = noisy()
    model, facts, held = train_classifier(table, "ksi")
    assert facts["algorithm"] == "hist_gradient_boosting"
    assert facts["group_column"] == "collision_index"
    assert 1 <= facts["parameters"]["n_estimators"] == model["classify"].n_iter_ < 60
    assert facts["out_of_fold"].keys() == {
        "roc_auc", "average_precision", "brier", "log_loss", "folds",
    }  # fmt: skip
    assert facts["out_of_fold"]["folds"] == 5
    assert 0.5 < facts["out_of_fold"]["roc_auc"] < 0.8
    assert held.column_names == ["collision_index", "ksi", "fold", "probability_ksi", "probability_slight"]
    assert held["collision_index"].equals(table["collision_index"])
    assert pc.min_max(held["fold"]).as_py() == {"min": 0, "max": 4}
    assert np.allclose(held["probability_ksi"].to_numpy() + held["probability_slight"].to_numpy(), 1)


def test_without_folds_there_are_all_rounds_and_no_row_out_of_fold() -> None:
    """Its table has the columns and no rows."""
    model, facts, held = train_classifier(noisy(), "ksi", Settings(n_estimators=7), folds=0)
    assert model["classify"].n_iter_ == facts["parameters"]["n_estimators"] == 7
    assert facts["out_of_fold"] == {}
    assert held.num_rows == 0
    assert held.column_names == ["collision_index", "ksi", "fold", "probability_ksi", "probability_slight"]


def test_three_severities_in_their_order() -> None:
    """The sorted classes stay the model's; the order is among its parameters."""
    order = ["slight", "serious", "fatal"]
    model, facts = train(records(3), algorithm="hist_gradient_boosting", ordered_classes=order)
    assert model.classes_.tolist() == facts["classes"] == ["fatal", "serious", "slight"]
    assert facts["parameters"]["ordered_classes"] == order
    given = chances(model, facts, records(3))
    assert np.allclose(given.sum(axis=1), 1)
    assert answers(model, facts, records(3)) == records(3)["severity"].to_pylist()


def test_the_weights_are_no_feature() -> None:
    """Nor is the column that names the groups."""
    _, facts = train(noisy().drop_columns(["age"]), target_column="ksi", weight_column="weight")
    assert facts["features"] == ["speed_limit"]
    assert facts["features_left_out"]["weight"] == "excluded by parameter"


def test_monotonic_is_about_the_positive_class() -> None:
    """Also where it is the first of the two in the alphabet, as ksi is."""
    table = noisy().drop_columns(["weight"])
    ladder = table.slice(0, 3).set_column(1, "speed_limit", pa.array([20, 30, 60]))
    ladder = ladder.set_column(2, "age", pa.array([0.0, 0.0, 0.0]))
    how = {"target_column": "ksi", "algorithm": "hist_gradient_boosting", "n_estimators": 60}
    rising, falling = (
        chances(*train(table, **how, monotonic={"speed_limit": sign}), ladder)[:, 0] for sign in (1, -1.0)
    )
    assert rising[0] <= rising[1] < rising[2]
    assert falling[0] >= falling[1] >= falling[2]


def test_groups_may_be_a_dictionary() -> None:
    """As pandas writes a categorical."""
    table = noisy()
    coded = with_column(table, "collision_index", table["collision_index"].combine_chunks().dictionary_encode())
    how = {"target_column": "ksi", "folds": 3, "group_column": "collision_index"}
    assert train(coded, **how)[1]["out_of_fold"] == train(table, **how)[1]["out_of_fold"]


def test_balanced_classes_choose_rounds_by_a_balanced_loss() -> None:
    """The natural shares would ask for rounds that unlearn the weights: far more of them."""
    how = {"target_column": "ksi", "algorithm": "hist_gradient_boosting", "folds": 3, "n_estimators": 120}
    balanced = train(noisy(), **how, class_weight="balanced")[1]["parameters"]["n_estimators"]
    assert balanced < 40


def test_names_that_rows_out_of_fold_need_are_told() -> None:
    """A target called fold would stand there twice."""
    table = noisy().rename_columns(["collision_index", "speed_limit", "age", "weight", "fold"])
    with pytest.raises(InputError, match="column fold has a name that the rows out of fold need; rename it"):
        train(table, target_column="fold")


def test_a_class_without_weight_is_told() -> None:
    """Nothing could be learned of it."""
    table = noisy()
    weights = [0.0 if k == "ksi" else 1.0 for k in table["ksi"].to_pylist()]
    with pytest.raises(InputError, match="weight_column weight is 0 in every row of class ksi"):
        train(with_column(table, "weight", weights), target_column="ksi", weight_column="weight")


def test_a_category_of_many_values_needs_several_groups() -> None:
    """Its shares come from other groups."""
    table = pa.table({"cell": [f"c{i % 150}" for i in range(300)], "one": ["g"] * 300, "ksi": ["a", "b", "b"] * 100})
    with pytest.raises(InputError, match="all rows are of one group, so that cell, which has many values"):
        train(table, target_column="ksi", group_column="one")


def test_a_leak_under_an_innocent_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """In the log, in the facts and in the report; the honest features are not."""
    table = noisy()
    hidden = [{"ksi": 4.0, "slight": 2.0}[k] for k in table["ksi"].to_pylist()]
    _, facts = train(with_column(table, "junction_width", hidden), target_column="ksi")
    assert facts["suspected_leaks"] == {"junction_width": 1.0}
    told = "POSSIBLE LEAK: junction_width alone tells the class (ROC-AUC 1.000)."
    assert f"WARNING: {told}" in capsys.readouterr().out
    assert f"> {told}" in training_report(facts)
    _, facts = train(table, target_column="ksi")
    assert "LEAK" not in training_report(facts)


def test_the_report_says_what_was_chosen() -> None:
    """And is the same for the same facts."""
    _, facts = train(noisy(), target_column="ksi", folds=5)
    text = training_report(facts)
    assert text == training_report(facts)
    assert text.startswith("# Training: ksi by random forest\n")
    for told in ("| folds | 5 |", "a model that had not seen its collision_index", "| average precision |",
                 "| n estimators | 10 |", "| collision_index | an identifier |"):  # fmt: skip
        assert told in text


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"group_column": "collision"}, "there is no group_column 'collision'"),
        ({"weight_column": "wait"}, "there is no weight_column 'wait'. Nearest name: weight."),
        ({"weight_column": "collision_index"}, "weight_column collision_index is string; a weight is a number."),
        ({"weight_column": "ksi"}, "weight_column is ksi, which is the target."),
        ({"group_column": "ksi"}, "group_column is ksi, which is the target."),
        ({"group_column": "age"}, "group_column age is double; groups are named by text, whole numbers or dates."),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'; it is a number."),
        ({"exclude_columns": [["age"]]}, "exclude_columns holds ['age']; it is a list of column names."),
        ({"weight_column": "age"}, "weight_column age is missing, negative or infinite, or 0 throughout, in "),
        (
            {"ordered_classes": ["slight", "serious"]},
            "ordered_classes is slight, serious; it names each class once: ksi",
        ),
        ({"monotonic": {"speed": 1}}, "monotonic names 'speed', which is no feature with an order of its values."),
        ({"monotonic": {"age": 2}}, "monotonic of age is 2; it is 1 (rises) or -1 (falls)."),
        ({"monotonic": {"age": 1}, "algorithm": "random_forest"}, "monotonic is for hist_gradient_boosting, of two"),
        ({"folds": 400}, "class ksi occurs in "),
        ({"folds": 1}, "folds is 1; it is a whole number, 2 or more."),
    ],
)
def test_a_choice_that_cannot_be_is_told(how: dict, told: str) -> None:
    """Before anything is fitted."""
    with pytest.raises(InputError) as error:
        train(noisy(), **{"target_column": "ksi", "algorithm": "hist_gradient_boosting", **how})
    assert str(error.value).startswith(told)


# Facts


def test_facts_say_what_the_model_is() -> None:
    """With the training data's own facts that a reader needs, its digest, and the versions of the libraries."""
    told = {"unit": "vehicle", "target": "severity", "known_at": "involved", "years": [2024], "synthetic": False,
            "generation": "2024", "split": {"method": "group"}, "target_shares": {"slight": 0.6}, "part": "train",
            "columns_left_out": {"date": "why"}, "sha256": "sha256:abc", "rows": 5}  # fmt: skip
    _, facts = train(store.with_facts(records(3), told), algorithm="hist_gradient_boosting", max_depth=4)
    alone = facts.pop("single_feature_auc")
    assert next(iter(alone)) == "speed_limit"
    assert alone["speed_limit"] == 1.0  # fatal wherever it is 60
    assert sorted(alone) == ["age", "place", "road_type", "speed_limit", "urban"]
    assert facts == {
        "unit": "vehicle",
        "target": "severity",
        "known_at": "involved",
        "years": [2024],
        "synthetic": False,
        "generation": "2024",
        "split": {"method": "group"},
        "target_shares": {"slight": 0.6},
        "columns_left_out": {"date": "why"},
        "algorithm": "hist_gradient_boosting",
        "parameters": {
            "class_weight": "none",
            "n_estimators": 10,
            "min_samples_leaf": 1,
            "max_depth": 4,
            "learning_rate": 0.1,
            "max_leaf_nodes": 31,
            "l2_regularization": 0.0,
            "max_features": 0.0,
            "seed": 0,
            "ordered_classes": [],
            "monotonic": {},
            "weight_column": "",
        },
        "features": ["speed_limit", "age", "urban", "place", "road_type"],
        "text_features": ["place"],
        "share_features": [],
        "features_left_out": {"key": "an identifier"},
        "target_column": "severity",
        "group_column": "",
        "classes": ["fatal", "serious", "slight"],
        "class_counts": {"fatal": 40, "serious": 60, "slight": 20},
        "out_of_fold": {},
        "suspected_leaks": {"speed_limit": 1.0},
        "training_rows": 120,
        "training_data": "sha256:abc",
        "versions": {"scikit-learn": sklearn.__version__, "pyarrow": pa.__version__},
    }


# What is refused


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (
            {"algorithm": "svm"},
            "algorithm is 'svm'; it can be hist_gradient_boosting, random_forest, logistic_regression.",
        ),
        ({"class_weight": "heavy"}, "class_weight is 'heavy'; it can be none, balanced."),
        ({"n_estimators": 0}, "n_estimators is 0; it is a whole number, 1 to 100000."),
        ({"n_estimators": 2.5}, "n_estimators is 2.5; it is a whole number, 1 to 100000."),
        ({"min_samples_leaf": 0}, "min_samples_leaf is 0; it is a whole number, 1 or more."),
        ({"max_depth": -1}, "max_depth is -1; it is a whole number, 0 or more."),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; it is a number, 0.001 to 1."),
        ({"learning_rate": 1.5}, "learning_rate is 1.5; it is a number, 0.001 to 1."),
        ({"learning_rate": float("nan")}, "learning_rate is nan; it is a number, 0.001 to 1."),
        ({"seed": -1}, "seed is -1; it is a whole number, 0 to 4294967295."),
        ({"seed": 2**32}, "seed is 4294967296; it is a whole number, 0 to 4294967295."),
    ],
)
def test_a_parameter_out_of_range_is_told(how: dict, told: str) -> None:
    """With its value and what it can be."""
    with pytest.raises(InputError) as error:
        train(records(), **how)
    assert str(error.value) == told


def test_a_target_that_is_not_there_is_told() -> None:
    """With the nearest name and all names."""
    with pytest.raises(InputError, match=r"no target column 'sevrity'.*severity.* key, speed_limit, .*severity\."):
        train(records(), target_column="sevrity")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (["slight"] * ROWS, r"target column severity has one class only \(slight\); there is nothing to learn"),
        ([True] * ROWS, r"has one class only \(true\)"),
        ([None, *(["a", "b"] * 60)][:ROWS], "target column severity is missing in 1 of 120 rows"),
        ([None] * ROWS, "is missing in 120 of 120 rows"),
        ([0.5, 1.5] * 60, "is of type double; a classifier needs classes"),
        ([f"k{i}" for i in range(ROWS)], "has 120 classes; is it an identifier"),
    ],
)
def test_a_target_that_is_no_classes_is_told(target: list, told: str) -> None:
    """One class, gaps, fractions, identifiers."""
    with pytest.raises(InputError, match=told):
        train(with_column(records(), "severity", target))


def test_a_table_without_rows_is_told() -> None:
    """There is nothing to learn."""
    with pytest.raises(InputError, match="target column severity has no rows; there is nothing to learn"):
        train(records().slice(0, 0))


def test_a_hundred_classes_are_the_most() -> None:
    """The limit itself is allowed."""
    assert len(check_target(pa.table({"y": [f"{i:03}" for i in range(100)]}), "y")) == 100
    with pytest.raises(InputError, match="101 classes"):
        check_target(pa.table({"y": [f"{i:03}" for i in range(101)]}), "y")
