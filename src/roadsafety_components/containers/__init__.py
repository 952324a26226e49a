"""The same steps as container components on the project's image: no pip at run time, for production and air gaps."""

from roadsafety_components import components
from roadsafety_components.packaging.container import as_container

generate_stats19_sample = as_container(components.generate_stats19_sample)
download_stats19 = as_container(components.download_stats19)
load_stats19 = as_container(components.load_stats19)
harmonise_stats19 = as_container(components.harmonise_stats19)
validate_stats19 = as_container(components.validate_stats19)
merge_datasets = as_container(components.merge_datasets)
profile_changes = as_container(components.profile_changes)
label_stats19 = as_container(components.label_stats19)
preprocess_collisions = as_container(components.preprocess_collisions)
engineer_features = as_container(components.engineer_features)
split_dataset = as_container(components.split_dataset)
train_classifier = as_container(components.train_classifier)
evaluate_classifier = as_container(components.evaluate_classifier)

STEPS = {name: globals()[name] for name in components.STEPS}
