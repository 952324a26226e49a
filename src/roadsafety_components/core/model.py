"""Reading models: skops files, which run no code when they are loaded, with the model's facts beside it."""

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import sklearn
import skops.io

from roadsafety_components.core import calibrated, ordinal  # noqa: F401 (what models may be made of, to be carried)
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest
from roadsafety_components.core.store import MODEL_FACTS, Facts

# Types beyond skops' own list that models of train.py and calibrate.py are made of. Nothing else is loaded. The partial
# is how histogram boosting keeps its check_array; skops checks the function inside a partial against the same lists.
TRUSTED_TYPES = (
    "functools.partial",
    "numpy.dtype",
    "roadsafety_components.core.calibrated.CalibratedClassifier",
    "roadsafety_components.core.ordinal.OrdinalClassifier",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn._loss._loss.CyHalfMultinomialLoss",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)


def read_model(path: str | Path) -> tuple[Any, Facts]:
    """Load a model that ``model_writer.write_model`` stored.

    Returns:
        The model, and its facts with ``sha256`` of the file. A model of another scikit-learn minor version is
        loaded with a warning.

    Raises:
        InputError: not a skops file, a damaged one, no facts in it, or a type in it that is not trusted.
    """
    if not Path(path).is_file():
        raise InputError(f"model: there is no file at {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        names = []
    if "schema.json" not in names:
        raise InputError(f"model: {path} is not a skops file. Models are read as skops only: pickle and joblib files "
                         "can run any code when they are opened.")  # fmt: skip
    try:
        model, facts = _load(path, names)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"model: {path} cannot be loaded; it is damaged or of another version ({error}). Train it "
                         "again with train_classifier.") from error  # fmt: skip
    return model, facts | {"sha256": digest(path)}


def _load(path: str | Path, names: list[str]) -> tuple[Any, Facts]:
    if foreign := sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED_TYPES)):
        raise InputError(f"model: {path} holds types that are not trusted: {', '.join(foreign[:5])}. It was not "
                         "loaded; train it again with train_classifier.")  # fmt: skip
    if MODEL_FACTS not in names:
        raise InputError(f"model: {path} has no facts about its features and classes (entry {MODEL_FACTS}); store it "
                         "with train_classifier.")  # fmt: skip
    with zipfile.ZipFile(path) as archive:
        facts = json.loads(archive.read(MODEL_FACTS))
    _ = facts["features"], facts["classes"], facts["target_column"]  # a file without them was not made by train.py
    trained_with = facts["versions"]["scikit-learn"]
    if trained_with.split(".")[:2] != sklearn.__version__.split(".")[:2]:
        print(f"WARNING: the model was trained with scikit-learn {trained_with}; this is {sklearn.__version__}. Its "
              "scores may differ; train it again to be sure.")  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's own version warning: said above, once
        model = skops.io.load(path, trusted=list(TRUSTED_TYPES))
    if "text_features" not in facts:  # version 1.1 and before: only the encoder knew
        _, encoder, names = model["encode"].transformers_[0]
        known = zip(names, getattr(encoder, "categories_", ()), strict=False)
        facts["text_features"] = [n for n, c in known if c.dtype == object]
    if list(model.classes_) != facts["classes"]:
        raise InputError(f"model: {path} answers other classes than its facts tell.")
    return model, facts
