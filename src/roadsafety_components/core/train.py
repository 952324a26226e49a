"""A classifier for any table and any target column."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.features import choose_features, to_frame
from roadsafety_components.core.store import CATEGORY, Facts, facts_of, is_text, marked

ALGORITHMS = ("random_forest", "hist_gradient_boosting")
CLASS_WEIGHTS = ("none", "balanced")
# Histogram boosting has 255 bins, one of them for missing; rarer categories share the last.
_MOST_CATEGORIES = 254
# Facts of the training data that a reader of the model should know.
_KEPT_FACTS = ("unit", "target", "known_at", "years", "generation", "synthetic", "split", "target_shares",
               "columns_left_out")  # fmt: skip


def train_classifier(
    table: pa.Table,
    target_column: str,
    algorithm: str = "random_forest",
    class_weight: str = "none",
    exclude_columns: Sequence[str] = (),
    n_estimators: int = 100,
    min_samples_leaf: int = 1,
    max_depth: int = 0,
    learning_rate: float = 0.1,
    seed: int = 0,
) -> tuple[Pipeline, Facts]:
    """Fit a classifier on every column that is a feature.

    Args:
        table: training rows. Features are all columns of numbers, booleans or text but the target, those marked
            IDENTIFIER in the file and ``exclude_columns``. Missing values are allowed in features.
        target_column: the classes; text, booleans or whole numbers.
        algorithm: ``random_forest`` or ``hist_gradient_boosting`` (categories handled natively).
        class_weight: ``none``, or ``balanced``: rows weigh inversely to their class's frequency.
        n_estimators: trees, or boosting rounds.
        min_samples_leaf: fewest rows in a leaf.
        max_depth: of a tree; 0 is no limit.
        learning_rate: of the boosting; the forest does not use it.
        seed: of the algorithm.

    Returns:
        A fitted scikit-learn Pipeline (steps ``encode`` and ``classify``) that takes ``to_frame(table, features)``,
        and its facts: features, classes, class counts, parameters, library versions, digest of the training data.

    Raises:
        InputError: a parameter out of range, the target missing, empty in places or with one class, no feature, an
            infinite number.
    """
    _check_parameters(algorithm, class_weight, n_estimators, min_samples_leaf, max_depth, learning_rate, seed)
    classes = check_target(table, target_column)
    features, left_out = choose_features(table, target_column, exclude_columns)
    x = to_frame(table, features)
    y = table[target_column].cast(pa.string()).to_pandas().to_numpy(dtype=object)
    text = [n for n in features if is_text(table.schema.field(n).type)]
    marks = set(marked(table, CATEGORY))
    model = _pipeline(
        features, text, [n for n in features if n in marks and n not in text], algorithm,
        None if class_weight == "none" else class_weight,
        int(n_estimators), int(min_samples_leaf), int(max_depth) or None, float(learning_rate), int(seed),
    )  # fmt: skip
    counts = table[target_column].cast(pa.string()).value_counts().to_pylist()
    model.fit(x, y)
    facts = {k: v for k, v in facts_of(table).items() if k in _KEPT_FACTS}
    facts |= {
        "algorithm": algorithm,
        "parameters": {
            "class_weight": class_weight, "n_estimators": int(n_estimators),
            "min_samples_leaf": int(min_samples_leaf), "max_depth": int(max_depth), "seed": int(seed),
        } | ({"learning_rate": float(learning_rate)} if algorithm == "hist_gradient_boosting" else {}),
        "features": features,
        "text_features": text,
        "features_left_out": left_out,
        "target_column": target_column,
        "classes": classes,
        "class_counts": {c["values"]: c["counts"] for c in sorted(counts, key=lambda c: c["values"])},
        "training_rows": table.num_rows,
        "training_data": facts_of(table).get("sha256", ""),
        "versions": {"scikit-learn": sklearn.__version__, "pyarrow": pa.__version__},
    }  # fmt: skip
    return model, facts


def check_target(table: pa.Table, target_column: str) -> list[str]:
    """The classes of the target, sorted.

    Raises:
        InputError: no such column, values missing, not classes, or only one.
    """
    if target_column not in table.column_names:
        raise InputError(f"there is no target column {target_column!r}.{nearest(target_column, table.column_names)} "
                         f"The table has {', '.join(table.column_names)}.")  # fmt: skip
    values = table[target_column]
    if values.null_count:
        raise InputError(f"target column {target_column} is missing in {values.null_count} of {len(values)} rows; drop "
                         "or label them first.")  # fmt: skip
    if pa.types.is_floating(values.type) or pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        raise InputError(f"target column {target_column} is of type {values.type}; a classifier needs classes "
                         "as text, booleans or whole numbers.")  # fmt: skip
    classes = sorted(pc.unique(values.cast(pa.string())).to_pylist())
    if len(classes) < 2:
        held = f"one class only ({classes[0]})" if classes else "no rows"
        raise InputError(f"target column {target_column} has {held}; there is nothing to learn.")
    if len(classes) > 100:
        raise InputError(f"target column {target_column} has {len(classes)} classes; is it an identifier?")
    return classes


def _check_parameters(
    algorithm: str,
    class_weight: str,
    n_estimators: int,
    min_samples_leaf: int,
    max_depth: int,
    learning_rate: float,
    seed: int,
) -> None:
    if algorithm not in ALGORITHMS:
        raise InputError(f"algorithm is {algorithm!r}; it can be {', '.join(ALGORITHMS)}.")
    if class_weight not in CLASS_WEIGHTS:
        raise InputError(f"class_weight is {class_weight!r}; it can be {', '.join(CLASS_WEIGHTS)}.")
    for name, value, least in (
        ("n_estimators", n_estimators, 1),
        ("min_samples_leaf", min_samples_leaf, 1),
        ("max_depth", max_depth, 0),
        ("seed", seed, 0),
    ):
        if value < least or value != int(value):
            raise InputError(f"{name} is {value}; it is a whole number, {least} or more.")
    if seed >= 1 << 32:
        raise InputError(f"seed is {seed}; it is at most 4294967295.")
    if not 0 < learning_rate <= 1:
        raise InputError(f"learning_rate is {learning_rate}; it is above 0 and at most 1.")


def _pipeline(
    features: list[str],
    text: list[str],
    categories: list[str],
    algorithm: str,
    class_weight: str | None,
    n_estimators: int,
    min_samples_leaf: int,
    max_depth: int | None,
    learning_rate: float,
    seed: int,
) -> Pipeline:
    # A forest orders codes as well as it needs to; boosting has a way of its own for categories.
    forest = algorithm == "random_forest"
    encoded = text if forest else text + categories
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=float("nan"),
        encoded_missing_value=float("nan"),
        max_categories=_MOST_CATEGORIES,
        dtype="float32",
    )
    plain = [n for n in features if n not in encoded]
    encode = ColumnTransformer(
        [("categories", encoder, encoded), ("numbers", "passthrough", plain)], verbose_feature_names_out=False
    )
    classify: RandomForestClassifier | HistGradientBoostingClassifier
    if forest:
        classify = RandomForestClassifier(
            n_estimators=n_estimators, min_samples_leaf=min_samples_leaf, max_depth=max_depth,
            class_weight=class_weight, random_state=seed, n_jobs=-1,
        )  # fmt: skip
    else:
        classify = HistGradientBoostingClassifier(
            max_iter=n_estimators, min_samples_leaf=min_samples_leaf, max_depth=max_depth, learning_rate=learning_rate,
            class_weight=class_weight, random_state=seed, categorical_features=list(range(len(encoded))) or None,
            early_stopping=False,  # it would set rows aside without regard to groups
        )  # fmt: skip
    return Pipeline([("encode", encode), ("classify", classify)])
