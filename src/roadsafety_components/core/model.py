"""Reading models: skops files of known types only, which run no code when they are loaded, with the model's facts."""

import hashlib
import io
import json
import warnings
import zipfile
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import sklearn
import skops.io

from roadsafety_components.core import calibrated, ordinal
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.store import MODEL_FACTS, Facts

# What models of train.py and calibrate.py are made of beyond the types that skops trusts itself. The partial is how
# histogram boosting keeps its check_array; skops holds the function inside a partial against the same lists.
TRUSTED_TYPES = """functools.partial numpy.dtype
roadsafety_components.core.calibrated.CalibratedClassifier roadsafety_components.core.ordinal.OrdinalClassifier
sklearn._loss.link.Interval sklearn._loss.link.LogitLink sklearn._loss.link.MultinomialLogit
sklearn._loss.loss.HalfBinomialLoss sklearn._loss.loss.HalfMultinomialLoss
sklearn._loss._loss.CyHalfBinomialLoss sklearn._loss._loss.CyHalfMultinomialLoss
sklearn.compose._column_transformer._RemainderColsList sklearn.ensemble._hist_gradient_boosting.binning._BinMapper
sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor sklearn.tree._tree.Tree
sklearn.utils.validation.check_array""".split()  # noqa: SIM905 (as a text, because it travels in every step that reads a model)
# And of those that it trusts, these: it trusts all estimators of scikit-learn, one of which reads the files that its
# input names.
_KNOWN = """bool dict float float32 float64 int int64 list ndarray slice str tuple uint64 Generator ColumnTransformer
DecisionTreeClassifier FunctionTransformer HistGradientBoostingClassifier IsotonicRegression LabelEncoder
LogisticRegression MissingIndicator OneHotEncoder OrdinalEncoder Pipeline RandomForestClassifier SimpleImputer
StandardScaler TargetEncoder""".split()  # noqa: SIM905


def read_model(path: str | Path) -> tuple[Any, Facts]:
    """Load a model that ``model_writer.write_model`` stored; a file that is anything else runs nothing.

    Returns:
        The model, and its facts with ``sha256`` of the file. A model of another scikit-learn minor version is
        loaded with a warning.

    Raises:
        InputError: not a skops file, a damaged one, no facts in it, a type in it that is not trusted, a tree that
            leads out of itself, or one that unpacks to over 100 times its size.
    """
    if not Path(path).is_file():
        raise InputError(f"model: there is no file at {path}.")
    content = io.BytesIO(Path(path).read_bytes())  # what is looked at is what is loaded
    if not zipfile.is_zipfile(content) or "schema.json" not in zipfile.ZipFile(content).namelist():
        raise InputError(f"model: {path} is not a skops file. Models are read as skops only: pickle and joblib files "
                         "run any code.")  # fmt: skip
    try:
        model, facts = _load(path, zipfile.ZipFile(content), content)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"model: {path} cannot be loaded; it is damaged or of another version ({error}). Train it "
                         "again with train_classifier.") from error  # fmt: skip
    return model, facts | {"sha256": "sha256:" + hashlib.sha256(content.getbuffer()).hexdigest()}


def _load(path: str | Path, archive: zipfile.ZipFile, content: io.BytesIO) -> tuple[Any, Facts]:
    if sum(e.file_size for e in archive.infolist()) > 100 * len(content.getbuffer()):
        raise ValueError("it unpacks to over 100 times its size")
    types: list[str] = []

    def see(node: dict[str, Any]) -> None:
        if "__loader__" in node:
            types.append(f"{node['__module__']}.{node['__class__']}")

    json.loads(archive.read("schema.json"), object_hook=see)
    if foreign := sorted({t for t in types if t.rpartition(".")[2] not in _KNOWN}.difference(TRUSTED_TYPES)):
        raise InputError(f"model: {path} holds types that are not trusted: {', '.join(foreign[:5])}. It was not "
                         "loaded; train it again with train_classifier.")  # fmt: skip
    if MODEL_FACTS not in archive.namelist():
        raise InputError(f"model: {path} has no facts about its features and classes (entry {MODEL_FACTS}); store it "
                         "with train_classifier.")  # fmt: skip
    facts = json.loads(archive.read(MODEL_FACTS))
    _ = facts["features"], facts["classes"], facts["target_column"]  # a file without them was not made by train.py
    trained_with = facts["versions"]["scikit-learn"]
    if trained_with.split(".")[:2] != sklearn.__version__.split(".")[:2]:
        print(f"WARNING: the model was trained with scikit-learn {trained_with}; this is {sklearn.__version__}. Its "
              "scores may differ; train it again.")  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's own version warning: said above, once
        model = skops.io.load(content, trusted=TRUSTED_TYPES)
        if "text_features" not in facts:  # version 1.1 and before: only the encoder knew
            _, encoder, names = model["encode"].transformers_[0]
            known = zip(names, getattr(encoder, "categories_", ()), strict=False)
            facts["text_features"] = [n for n, c in known if c.dtype == object]
        _check_trees(model, facts)
    if list(model.classes_) != facts["classes"]:
        raise InputError(f"model: {path} answers other classes than its facts tell.")
    return model, facts


def _check_trees(model: Any, facts: Facts) -> None:
    """Raise ValueError for a tree that leads back or out of itself, or asks for columns that are not there.

    scikit-learn checks neither: it would go in circles, or read beyond its memory. Since a file may give one object in
    several places, each place has to hold what our models have there: elsewhere a tree would be asked with other
    columns than here, or without having been looked at.
    """
    texts = facts["text_features"]
    row = pa.table({n: pa.nulls(1, pa.string() if n in texts else pa.float32()) for n in facts["features"]})
    if isinstance(model, calibrated.CalibratedClassifier):
        _only("IsotonicRegression LogisticRegression", model.calibrators)
        model = model.estimator
    _only("Pipeline", [model])
    (_, encoder), (_, last) = model.steps
    x = encoder.transform(to_frame(row, facts["features"]))
    parts = last.estimators if isinstance(last, ordinal.OrdinalClassifier) else [last]
    _only("HistGradientBoostingClassifier LogisticRegression RandomForestClassifier", parts)
    sound = True
    for part in parts:
        forest = getattr(part, "estimators_", ())
        _only("DecisionTreeClassifier", forest)
        for tree in (e.tree_ for e in forest):
            _only("Tree", [tree])
            left = tree.children_left
            sound &= _sound(left != -1, left, tree.children_right, tree.feature, x.shape[1])
        trees = [*chain(*getattr(part, "_predictors", ()))]
        _only("TreePredictor", trees)
        width = part._preprocess_X(x, reset=False).shape[1] if trees else 0
        for tree in trees:
            nodes, sets = tree.nodes, tree.raw_left_cat_bitsets
            coded = nodes[nodes["is_categorical"] != 0]
            sound &= (
                _sound(nodes["is_leaf"] == 0, nodes["left"], nodes["right"], nodes["feature_idx"], width)
                and sets.shape[1] == 8
                and all(coded["bitset_idx"] < len(sets))
                and all(part._bin_mapper.is_categorical_[coded["feature_idx"]])
            )
    if not sound:
        raise ValueError("a tree in it leads out of itself")


def _only(kinds: str, parts: Any) -> None:
    if strange := {type(part).__name__ for part in parts}.difference(kinds.split()):
        raise ValueError(f"{strange}, not {kinds}")


def _sound(inner: Any, left: Any, right: Any, feature: Any, width: int) -> bool:
    at = np.flatnonzero(inner)
    kept = [(at < child[at]) & (child[at] < len(inner)) for child in (left, right)]
    return len(inner) > 0 and bool(np.all([*kept, (feature[at] >= 0) & (feature[at] < width)]))
