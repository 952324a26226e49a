"""Kubeflow Pipelines steps for road-safety machine learning.

``from roadsafety_components import train_classifier`` gives a lightweight step;
``from roadsafety_components.containers import train_classifier`` the same step on the project's image.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from roadsafety_components._version import __version__

if TYPE_CHECKING:
    from roadsafety_components.components import (
        build_model_card,
        calibrate_classifier,
        choose_champion,
        compare_classifiers,
        deploy_kserve,
        detect_drift,
        download_stats19,
        engineer_features,
        evaluate_classifier,
        evaluate_subgroups,
        explain_classifier,
        explain_predictions,
        export_model,
        generate_stats19_sample,
        harmonise_stats19,
        inspect_answers,
        label_stats19,
        load_stats19,
        merge_datasets,
        predict_batch,
        preprocess_collisions,
        profile_changes,
        promote_model,
        register_model,
        sample_candidates,
        score_candidate,
        select_best,
        split_dataset,
        train_classifier,
        validate_stats19,
    )
    from roadsafety_components.packaging.paths import spec_path

__all__ = [
    "__version__",
    "build_model_card",
    "calibrate_classifier",
    "choose_champion",
    "compare_classifiers",
    "deploy_kserve",
    "detect_drift",
    "download_stats19",
    "engineer_features",
    "evaluate_classifier",
    "evaluate_subgroups",
    "explain_classifier",
    "explain_predictions",
    "export_model",
    "generate_stats19_sample",
    "harmonise_stats19",
    "inspect_answers",
    "label_stats19",
    "load_stats19",
    "merge_datasets",
    "predict_batch",
    "preprocess_collisions",
    "profile_changes",
    "promote_model",
    "register_model",
    "sample_candidates",
    "score_candidate",
    "select_best",
    "spec_path",
    "split_dataset",
    "train_classifier",
    "validate_stats19",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: core must be usable without kfp."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "packaging.paths" if name == "spec_path" else "components"
    return getattr(import_module(f"{__name__}.{home}"), name)
