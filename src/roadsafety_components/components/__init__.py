"""The steps as lightweight components: stock Python image, their own source carried, nothing to build."""

from roadsafety_components.components.build_model_card import build_model_card
from roadsafety_components.components.calibrate_classifier import calibrate_classifier
from roadsafety_components.components.choose_champion import choose_champion
from roadsafety_components.components.compare_classifiers import compare_classifiers
from roadsafety_components.components.deploy_kserve import deploy_kserve
from roadsafety_components.components.detect_drift import detect_drift
from roadsafety_components.components.download_stats19 import download_stats19
from roadsafety_components.components.engineer_features import engineer_features
from roadsafety_components.components.evaluate_classifier import evaluate_classifier
from roadsafety_components.components.evaluate_subgroups import evaluate_subgroups
from roadsafety_components.components.explain_classifier import explain_classifier
from roadsafety_components.components.explain_predictions import explain_predictions
from roadsafety_components.components.export_model import export_model
from roadsafety_components.components.generate_stats19_sample import generate_stats19_sample
from roadsafety_components.components.harmonise_stats19 import harmonise_stats19
from roadsafety_components.components.inspect_answers import inspect_answers
from roadsafety_components.components.label_stats19 import label_stats19
from roadsafety_components.components.load_stats19 import load_stats19
from roadsafety_components.components.merge_datasets import merge_datasets
from roadsafety_components.components.predict_batch import predict_batch
from roadsafety_components.components.preprocess_collisions import preprocess_collisions
from roadsafety_components.components.profile_changes import profile_changes
from roadsafety_components.components.promote_model import promote_model
from roadsafety_components.components.register_model import register_model
from roadsafety_components.components.sample_candidates import sample_candidates
from roadsafety_components.components.score_candidate import score_candidate
from roadsafety_components.components.select_best import select_best
from roadsafety_components.components.split_dataset import split_dataset
from roadsafety_components.components.train_classifier import train_classifier
from roadsafety_components.components.validate_stats19 import validate_stats19

# In the order in which the data meet them.
STEPS = {
    "generate_stats19_sample": generate_stats19_sample,
    "download_stats19": download_stats19,
    "load_stats19": load_stats19,
    "harmonise_stats19": harmonise_stats19,
    "validate_stats19": validate_stats19,
    "merge_datasets": merge_datasets,
    "profile_changes": profile_changes,
    "label_stats19": label_stats19,
    "preprocess_collisions": preprocess_collisions,
    "engineer_features": engineer_features,
    "split_dataset": split_dataset,
    "sample_candidates": sample_candidates,
    "score_candidate": score_candidate,
    "select_best": select_best,
    "train_classifier": train_classifier,
    "calibrate_classifier": calibrate_classifier,
    "evaluate_classifier": evaluate_classifier,
    "evaluate_subgroups": evaluate_subgroups,
    "inspect_answers": inspect_answers,
    "explain_classifier": explain_classifier,
    "explain_predictions": explain_predictions,
    "choose_champion": choose_champion,
    "compare_classifiers": compare_classifiers,
    "build_model_card": build_model_card,
    "promote_model": promote_model,
    "predict_batch": predict_batch,
    "detect_drift": detect_drift,
    "export_model": export_model,
    "register_model": register_model,
    "deploy_kserve": deploy_kserve,
}
# How far a step's interface may be relied on: "stable" changes only with a new major version, "beta" may still grow.
_BETA = (
    "engineer_features",
    "sample_candidates",
    "score_candidate",
    "select_best",
    "calibrate_classifier",
    "evaluate_subgroups",
    "inspect_answers",
    "explain_classifier",
    "explain_predictions",
    "choose_champion",
    "compare_classifiers",
    "build_model_card",
    "promote_model",
    "predict_batch",
    "detect_drift",
    "export_model",
    "register_model",
    "deploy_kserve",
)
STABILITY = dict.fromkeys(STEPS, "stable") | dict.fromkeys(_BETA, "beta")
