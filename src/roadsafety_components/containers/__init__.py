"""The same steps as container components on the project's image: no pip at run time, for production and air gaps."""

from roadsafety_components import components
from roadsafety_components.packaging.container import as_container
from roadsafety_components.packaging.images import SERVING_IMAGE

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
sample_candidates = as_container(components.sample_candidates)
score_candidate = as_container(components.score_candidate)
select_best = as_container(components.select_best)
train_classifier = as_container(components.train_classifier)
calibrate_classifier = as_container(components.calibrate_classifier)
evaluate_classifier = as_container(components.evaluate_classifier)
evaluate_subgroups = as_container(components.evaluate_subgroups)
inspect_answers = as_container(components.inspect_answers)
explain_classifier = as_container(components.explain_classifier)
explain_predictions = as_container(components.explain_predictions)
choose_champion = as_container(components.choose_champion)
compare_classifiers = as_container(components.compare_classifiers)
build_model_card = as_container(components.build_model_card)
promote_model = as_container(components.promote_model)
predict_batch = as_container(components.predict_batch)
detect_drift = as_container(components.detect_drift)
export_model = as_container(components.export_model, SERVING_IMAGE)
register_model = as_container(components.register_model, SERVING_IMAGE)
deploy_kserve = as_container(components.deploy_kserve, SERVING_IMAGE)

STEPS = {name: globals()[name] for name in components.STEPS}
