"""What a classifier is made of: its settings, the encoding of columns, the algorithms."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from roadsafety_components.core.errors import InputError, nearest

ALGORITHMS = ("hist_gradient_boosting", "random_forest", "logistic_regression")
CLASS_WEIGHTS = ("none", "balanced")
Folds = Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]  # rows to fit on, rows to hold out
_ANY = 1e300
_RANGES = {
    "n_estimators": (1, 100_000), "min_samples_leaf": (1, _ANY), "max_depth": (0, _ANY), "max_leaf_nodes": (2, _ANY),
    "seed": (0, 2**32 - 1), "learning_rate": (0.001, 1), "l2_regularization": (0, _ANY), "max_features": (0, 1),
}  # fmt: skip
_FEWEST_ROWS = 20  # of a category with a column of its own; rarer ones share one


@dataclass(frozen=True)
class Settings:
    """Parameters of an algorithm; ``train_classifier`` explains them.

    Raises:
        InputError: a value that is none of the choices, or out of range.
    """

    algorithm: str = "hist_gradient_boosting"
    class_weight: str = "none"
    n_estimators: int = 500
    min_samples_leaf: int = 20
    max_depth: int = 0
    learning_rate: float = 0.04
    max_leaf_nodes: int = 31
    l2_regularization: float = 0.0
    max_features: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (("algorithm", ALGORITHMS), ("class_weight", CLASS_WEIGHTS)):
            if getattr(self, name) not in choices:
                raise InputError(f"{name} is {getattr(self, name)!r}; it can be {', '.join(choices)}.")
        for name, (least, most) in _RANGES.items():
            value, whole = getattr(self, name), isinstance(getattr(Settings, name), int)
            if not isinstance(value, (int, float)):
                raise InputError(f"{name} is {value!r}; it is a number.")
            if not least <= value <= most or (whole and value != int(value)):
                upto = f"{least} to {most}" if most < _ANY else f"{least} or more"
                raise InputError(f"{name} is {value}; it is a {'whole ' * whole}number, {upto}.")
            object.__setattr__(self, name, int(value) if whole else float(value))

    def replaced(self, parameters: Mapping[str, Any]) -> "Settings":
        """These settings with others in their place, by name; raises InputError for a name that is none."""
        names = list(asdict(self))
        if unknown := [n for n in parameters if n not in names]:
            raise InputError(f"parameters has {unknown[0]!r}, which is no setting.{nearest(str(unknown[0]), names)} "
                             f"There are {', '.join(names)}.")  # fmt: skip
        return replace(self, **parameters)

    def told(self) -> dict[str, Any]:
        """The settings that the algorithm uses, for the model's facts."""
        unused = ["algorithm"]
        if self.algorithm != "hist_gradient_boosting":
            unused += ["learning_rate", "max_leaf_nodes", "l2_regularization"]
        if self.algorithm == "logistic_regression":
            unused += ["n_estimators", "min_samples_leaf", "max_depth", "max_features"]
        return {name: value for name, value in asdict(self).items() if name not in unused}


@dataclass(frozen=True)
class Columns:
    """Features, by what they hold.

    Attributes:
        features: all of them, in the order of the table.
        text: those that are text.
        categories: text, and numbers that stand for names.
        many: categories of too many values for one code each, given as the class shares of their rows.
        monotonic: 1 or -1 by feature: with it the probability of the second class (of two), or of a class further on
            (in an order), may only rise, or only fall.
    """

    features: list[str]
    text: list[str]
    categories: list[str]
    many: list[str]
    monotonic: Mapping[str, int] = field(default_factory=dict)

    def only(self, kept: Collection[str]) -> "Columns":
        """Those of the features that are ``kept``."""
        features, text, categories, many = (
            [n for n in names if n in kept] for names in (self.features, self.text, self.categories, self.many)
        )
        return Columns(features, text, categories, many, self.monotonic)


def build(settings: Settings, columns: Columns, order: Sequence[str] = (), inner: Folds = ()) -> Pipeline:
    """An unfitted pipeline (steps ``encode`` and ``classify``) for the frames of ``features.to_frame``.

    Args:
        settings: of the algorithm.
        columns: what the features hold.
        order: the classes from the least to the most: the pipeline is then for one step of it; empty for no order.
        inner: folds of the rows that it will be fitted on, which keep groups whole. A row's class shares (``many``)
            come from the other folds, so that no row is told its own class.
    """
    coded = [n for n in columns.categories if n not in columns.many]
    if settings.algorithm == "random_forest":
        coded = [n for n in coded if n in columns.text]  # a forest orders codes as well as it needs to
    plain = [n for n in columns.features if n not in coded and n not in columns.many]
    weight = None if settings.class_weight == "none" else settings.class_weight
    shared = {"class_weight": weight, "random_state": settings.seed}
    trees = shared | {"min_samples_leaf": settings.min_samples_leaf, "max_depth": settings.max_depth or None}
    classify: Any
    if settings.algorithm == "logistic_regression":
        classify = LogisticRegression(max_iter=1000, **shared)
    elif settings.algorithm == "random_forest":
        share = settings.max_features or "sqrt"
        classify = RandomForestClassifier(settings.n_estimators, max_features=share, n_jobs=-1, **trees)
    else:
        signs = [0] * len(coded) + [columns.monotonic.get(n, 0) for n in plain]
        signs += [0] * len(columns.many) * (len(order) if len(order) > 2 else 1)
        classify = HistGradientBoostingClassifier(
            max_iter=settings.n_estimators, learning_rate=settings.learning_rate,
            max_leaf_nodes=settings.max_leaf_nodes, l2_regularization=settings.l2_regularization,
            max_features=settings.max_features or _own_share(columns),
            categorical_features=list(range(len(coded))) or None,
            monotonic_cst=signs if any(signs) else None,
            early_stopping=False,  # it would set rows aside without regard to groups; see folds.py
            **trees,
        )  # fmt: skip
    return Pipeline([
        ("encode", _encoding(settings.algorithm, coded, plain, columns.many, inner)),
        ("classify", classify),
    ])  # fmt: skip


def _own_share(columns: Columns) -> float:
    """Features tried at a split of boosting: a third, at least five; fewer make trees differ, which averages better."""
    return min(1.0, max(1 / 3, 5 / len(columns.features)))


def _encoding(algorithm: str, coded: list[str], plain: list[str], many: list[str], inner: Folds) -> ColumnTransformer:
    categories: Any = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan, dtype="float32"
    )
    numbers: Any = "passthrough"
    if algorithm == "logistic_regression":
        categories = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=_FEWEST_ROWS)
        fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        numbers = make_pipeline(fill, StandardScaler())
    parts = [("categories", categories, coded), ("numbers", numbers, plain)]
    if many:
        parts.append(("shares", TargetEncoder(cv=list(inner) or 5), many))
    return ColumnTransformer(parts, verbose_feature_names_out=False)
