"""The steps as lightweight components: stock Python image, their own source carried, nothing to build."""

from roadsafety_components.components.download_stats19 import download_stats19
from roadsafety_components.components.engineer_features import engineer_features
from roadsafety_components.components.evaluate_classifier import evaluate_classifier
from roadsafety_components.components.generate_stats19_sample import generate_stats19_sample
from roadsafety_components.components.harmonise_stats19 import harmonise_stats19
from roadsafety_components.components.label_stats19 import label_stats19
from roadsafety_components.components.load_stats19 import load_stats19
from roadsafety_components.components.merge_datasets import merge_datasets
from roadsafety_components.components.preprocess_collisions import preprocess_collisions
from roadsafety_components.components.profile_changes import profile_changes
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
    "train_classifier": train_classifier,
    "evaluate_classifier": evaluate_classifier,
}
# How far a step's interface may be relied on: "stable" changes only with a new major version, "beta" may still grow.
STABILITY = dict.fromkeys(STEPS, "stable") | {"engineer_features": "beta"}
