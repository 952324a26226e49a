"""A model's probabilities and answers for any number of rows, written a batch at a time."""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from roadsafety_components.core import class_shares as cs
from roadsafety_components.core.batches import count_rows, fields_of, read_batches
from roadsafety_components.core.datasets import dataset_schema
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.files import digest, replacing
from roadsafety_components.core.predict import check_features, probabilities
from roadsafety_components.core.store import (
    FOLDER_FACTS,
    IDENTIFIER,
    Facts,
    facts_of,
    is_text,
    marked,
    plain_type,
    with_facts,
)

# Facts in which the data must be as the training data were, where both tell them.
_SAME = ("unit", "known_at", "codes", "cell_km", "target")
_KEPT_FACTS = ("unit", "known_at", "codes", "generation", "years", "synthetic", "group_column", "schema_version")
_SAMPLE = 200_000  # rows from which class shares are estimated


class _Metrics(Protocol):
    def log_metric(self, metric: str, value: float, /) -> None: ...


@dataclass
class _Counts:
    """What is counted while batches pass: rows and sums by class, rows by feature."""

    predicted: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]
    missing: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    rows_unseen: int = 0


def predict_batch(
    model: Any,
    facts: Facts,
    source: str | Path,
    destination: str | Path,
    keep_columns: Sequence[str] = (),
    class_shares: Mapping[str, float] | None = None,
    estimate_shares: bool = False,
    batch_rows: int = 100_000,
) -> Facts:
    """Write a model's predictions for a dataset as Parquet, whole or not at all; memory does not grow with the data.

    A row's prediction is that of its features alone: it does not depend on the other rows, nor on ``batch_rows``.
    Only shares that are estimated are of all rows.

    Args:
        model: from ``read_model``.
        facts: the model's.
        source: a Parquet file, or a folder of them by year, with all features of the model; a target is not needed.
        destination: the file to write.
        keep_columns: columns of the data to keep beside those marked IDENTIFIER.
        class_shares: the share of every class to expect, by which probabilities are corrected (``class_shares.py``);
            none for those that the model learned.
        estimate_shares: estimate them from the data instead, of a random 200,000 rows where there are more. It takes
            a pass of its own.
        batch_rows: rows at a time.

    Returns:
        Facts of the file. Its columns: those kept, ``probability_<class>`` (float64) of every class, ``prediction``
        (text).

    Raises:
        InputError: the data are no dataset, or not as the training data were (``check_contract``); a column to keep
            that there is not, or that has the name of a prediction; shares that are none.
    """
    if batch_rows < 1 or batch_rows != int(batch_rows):
        raise InputError(f"batch_rows is {batch_rows}; it is a whole number, 1 or more.")
    if class_shares and estimate_shares:
        raise InputError("give class_shares or estimate_shares, not both: each decides the shares.")
    schema, classes = dataset_schema(source, "data"), facts["classes"]
    check_contract(facts, schema, "data")
    names = probability_columns(classes)
    kept = _kept(schema, keep_columns, [*names, "prediction"])
    rows = count_rows(source, "data")
    shift = None
    if class_shares:
        shift = cs.Shift(cs.learned_shares(facts), cs.check_shares(class_shares, classes), "given")
    if estimate_shares:
        shift = _estimated(model, facts, read_batches(source, "data", facts["features"], int(batch_rows)), rows)
    known, counts = categories(model, facts), _Counts(np.zeros(len(classes), np.int64), np.zeros(len(classes)))
    numbers = [pa.field(n, pa.float64()) for n in names]
    written = pa.schema([*fields_of(schema, kept), *numbers, pa.field("prediction", pa.string())])
    repeating = [f.name for f in written if not pa.types.is_floating(f.type)]
    with (
        replacing(destination) as (draft,),
        pq.ParquetWriter(draft, written, compression="zstd", use_dictionary=repeating, store_schema=False) as writer,
    ):
        for batch in read_batches(source, "data", {*kept, *facts["features"]}, int(batch_rows)):
            given = probabilities(model, facts, batch)
            right = cs.corrected(given, shift.learned, shift.expected) if shift else given
            answered = cs.shifted_answers(given, right, facts)
            _count(batch, facts["features"], known, right, answered, counts)
            answer = pa.array(classes, pa.string()).take(pa.array(answered))
            writer.write_table(pa.table([*(batch[n] for n in kept), *right.T, answer], schema=written))
        told = _facts(facts, schema, rows, len(written), dict(zip(names, classes, strict=True)), counts)
        told["made_from"] = {"data": _digest(source), "model": facts.get("sha256", "")}
        told |= shift.told(facts) if shift else {}
        # Facts stand in Arrow's own copy of the schema, which a writer stores first, and here they are known last.
        final = with_facts(written.empty_table(), told).schema
        writer.add_key_value_metadata(final.metadata | {b"ARROW:schema": b64encode(final.serialize().to_pybytes())})
    return told


def log_predictions(facts: Facts, metrics: _Metrics) -> None:
    """Log what ``predict_batch`` counted, by class and in all; print answers, class shares and values never seen."""
    rows = facts["rows"]
    found = {"rows": rows, "rows_with_unseen_categories": facts["rows_with_unseen_categories"]}
    for column, name in facts["probability_columns"].items():
        end = column.removeprefix("probability_")
        found[f"share_predicted_{end}"] = facts["predicted"][name] / rows
        found[f"mean_probability_{end}"] = facts["mean_probability"][name]
    for name, value in found.items():
        metrics.log_metric(name, float(value))
    print(f"{rows} rows: {', '.join(f'{number} {name}' for name, number in facts['predicted'].items())}")
    shares = facts.get("class_shares", {"expected": {}})
    for name, expected in shares["expected"].items():
        print(f"class {name}: share {shares['learned'][name]:.4f} learned, {expected:.4f} {shares['origin']}")
    for name, number in facts["unseen_categories"].items():
        print(f"feature {name}: a value never seen in training in {number} of {rows} rows")


def check_contract(facts: Facts, schema: pa.Schema, name: str) -> None:
    """Hold the facts and columns of data against what a model was trained on.

    Args:
        facts: the model's.
        schema: the data's, with its facts. The target ``none`` (rows that nobody has judged) goes with any.
        name: what to call the data in a message.

    Raises:
        InputError: a fact that both tell differs, a feature was left out, or as ``check_features``.
    """
    data = facts_of(schema)
    for fact in _SAME:
        ours, theirs = facts.get(fact), data.get(fact)
        if None not in (ours, theirs) and ours != theirs and (fact, theirs) != ("target", "none"):
            raise InputError(f"{name}: {fact} is {theirs}; the model was trained with {fact} {ours}. Make the data as "
                             "the training data were made, or take a model that was trained on such data.")  # fmt: skip
    left_out: dict[str, str] = data.get("columns_left_out", {})
    if lost := [n for n in facts["features"] if n not in schema.names and n in left_out]:
        raise InputError(f"{name}: no feature {', '.join(lost)}; the step that made it left {lost[0]} out because "
                         f"{left_out[lost[0]]}. A constant column stays with keep_constant=True.")  # fmt: skip
    check_features(facts, schema, name)


def probability_columns(classes: Sequence[str]) -> list[str]:
    """A column name for the probability of each class, of ASCII letters, digits and underscores; no two are alike."""
    names: list[str] = []
    for name in classes:
        column = "probability_" + re.sub(r"\W", "_", name, flags=re.ASCII)
        while column in names:
            column += "_"
        names.append(column)
    return names


def categories(model: Any, facts: Facts) -> dict[str, pa.Array]:
    """The values by feature that a model has codes for: text, or float32 where they are numbers.

    They are the model's fact ``categories`` (feature: list), or else what its encoders hold.
    """
    found: dict[str, Sequence[Any]] = facts.get("categories", {})
    if "categories" not in facts:
        while hasattr(model, "estimator"):  # calibration wraps
            model = model.estimator
        found = {
            name: values
            for _, encoder, names in model["encode"].transformers_
            for name, values in zip(names, getattr(encoder, "categories_", ()), strict=False)
        }
    kinds = {name: pa.string() if name in facts["text_features"] else pa.float32() for name in found}
    return {name: pa.array(np.asarray(values), kinds[name], from_pandas=True) for name, values in found.items()}


def _kept(schema: pa.Schema, keep_columns: Sequence[str], made: Sequence[str]) -> list[str]:
    """Columns to keep, in the order of the data."""
    for name in keep_columns:
        if name not in schema.names:
            raise InputError(f"keep_columns has {name!r}, which the data do not have."
                             f"{nearest(str(name), schema.names)}")  # fmt: skip
    kept = [n for n in schema.names if n in {*marked(schema, IDENTIFIER), *keep_columns}]
    if there := [n for n in kept if n in made]:
        raise InputError(f"data: {there[0]} is the name of a prediction; rename the column, or do not keep it.")
    return kept


def _estimated(model: Any, facts: Facts, batches: Iterator[pa.Table], rows: int) -> cs.Shift:
    """Class shares from a random share of the rows, the same rows in batches of any size."""
    rng = np.random.default_rng(0)
    chosen = (batch.filter(pa.array(rng.random(batch.num_rows) < _SAMPLE / rows)) for batch in batches)
    given = np.concatenate([probabilities(model, facts, batch) for batch in chosen if batch.num_rows])
    learned = cs.learned_shares(facts)
    print("WARNING: class shares are estimated. They are right only if rows of a class are as they were in training; "
          "hold them against a share that somebody has counted.")  # fmt: skip
    return cs.Shift(learned, cs.estimated_shares(given, learned), f"estimated from {len(given)} rows")


def _count(
    batch: pa.Table,
    features: Sequence[str],
    known: Mapping[str, pa.Array],
    right: cs.Probabilities,
    answered: npt.NDArray[np.int64],
    counts: _Counts,
) -> None:
    counts.predicted += np.bincount(answered, minlength=right.shape[1])
    counts.probability += right.sum(axis=0)
    strange = np.zeros(batch.num_rows, np.bool_)
    for name in features:
        missing = pc.is_null(batch[name], nan_is_null=True)
        counts.missing[name] += pc.sum(missing).as_py()
        if name in known:
            unseen = pc.invert(pc.or_(missing, pc.is_in(_plain(batch[name], known[name].type), value_set=known[name])))
            counts.unseen[name] += pc.sum(unseen).as_py()
            strange |= unseen.to_numpy()
    counts.rows_unseen += int(strange.sum())


def _plain(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """A column of text, or of numbers as the model gets them."""
    column = column.cast(plain_type(column.type))
    return column.cast(kind) if is_text(kind) else column.cast(kind, safe=False)


def _facts(
    model: Facts, schema: pa.Schema, rows: int, columns: int, by_column: dict[str, str], counts: _Counts
) -> Facts:
    data = facts_of(schema)
    means = (counts.probability / rows).round(9).tolist()  # the last digits depend on how rows came in batches
    return {k: data[k] for k in _KEPT_FACTS if k in data} | {
        "rows": rows,
        "columns": columns,
        "target_column": model["target_column"],
        "classes": model["classes"],
        "probability_columns": by_column,
        "threshold": model.get("threshold") or {},
        "predicted": dict(zip(model["classes"], counts.predicted.tolist(), strict=True)),
        "mean_probability": dict(zip(model["classes"], means, strict=True)),
        "unseen_categories": {n: number for n, number in counts.unseen.most_common() if number},
        "rows_with_unseen_categories": counts.rows_unseen,
        "missing_shares": {n: round(number / rows, 6) for n, number in counts.missing.items() if number},
        "algorithm": model["algorithm"],
        "training_data": model["training_data"],
    }


def _digest(source: str | Path) -> str:
    """Of the file that stands for the whole; a folder's has the digest of each part in it."""
    return digest(Path(source, FOLDER_FACTS) if Path(source).is_dir() else source)
