"""From STATS19 records to a model one may trust: tuned, calibrated, judged, explained, compared, with its card.

kfp dsl compile --py pipelines/severity_training_pipeline.py --output severity_training_pipeline.yaml
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Dict, List

from kfp import dsl
from kfp.dsl import Model
from road_safety_pipeline import PUBLISHED, harmonised_tables
from tune_classifier_pipeline import tuning

from roadsafety_components import components
from roadsafety_components.core.words import stats19_groups, stats19_labels, stats19_meanings

LABELS = stats19_labels()
# Two rungs, not three: a pipeline of so many steps is near the size that a cluster stores.
nested = SimpleNamespace(tune=tuning(components, shares=[1 / 3, 1.0]))


def read(source: str, unknown_codes: str, allow_private_addresses: bool) -> dict[str, Any]:
    """The three tables of a source in one code list."""
    loaded = components.load_stats19(
        source=source, unknown_codes=unknown_codes, allow_private_addresses=allow_private_addresses
    )
    loaded.set_caching_options(False)  # the same source may hold other files tomorrow
    return harmonised_tables(components, loaded)


def engineer(
    tables: dict[str, Any], unit: str, target: str, known_at: str, report_columns: List[str],
    after: Sequence[dsl.PipelineTask] = (),
) -> Any:  # fmt: skip
    """Rows of the unit with all features: the same columns for every year."""
    preprocessed = components.preprocess_collisions(
        unit=unit, target=target, known_at=known_at, keep_constant=True, report_columns=report_columns, **tables
    ).after(*after)
    return components.engineer_features(
        data=preprocessed.outputs["clean_data"], collisions=tables["collisions"], vehicles=tables["vehicles"]
    ).outputs["features"]


@dsl.pipeline(
    name="severity-training",
    description="A model of injury severity: validate, engineer, split, tune, calibrate, judge, explain, decide.",
)
def severity_training_pipeline(
    source: str = PUBLISHED,
    unknown_codes: str = "null",
    fail_on: List[str] = ["keys", "links"],
    unit: str = "casualty",
    target: str = "ksi",
    known_at: str = "involved",
    exclude_columns: List[str] = ["first_road_number", "second_road_number"],
    split_method: str = "year",
    test_share: float = 0.3,
    test_from_year: int = 0,
    candidates: int = 9,
    folds: int = 5,
    class_weight: str = "none",
    ordered_classes: List[str] = [],
    monotonic: Dict[str, int] = {},
    calibration: str = "sigmoid",
    target_recall: float = 0.0,
    miss_cost: float = 0.0,
    report_columns: List[str] = ["police_force"],
    subgroup_columns: List[str] = [
        "road_user", "age_band_of_casualty", "sex_of_casualty", "urban_or_rural_area", "casualty_imd_decile",
        "police_force",
    ],
    champion: str = "",
    champion_folder: str = "",
    seed: int = 0,
    allow_private_addresses: bool = False,
):  # fmt: skip
    """Every figure is of rows that nothing was fitted or chosen on; collisions stay whole throughout.

    Args:
        source: Folder or URLs of the STATS19 tables, several years of any generation, see load_stats19.
        unknown_codes: What to do with a code that is in no code list, error or null (missing, and counted).
        fail_on: Findings that stop the run, see validate_stats19.
        unit: One row a vehicle, collision or casualty.
        target: ksi or severity.
        known_at: What the model may know, before, involved or impact.
        exclude_columns: Columns that are not to be features; by default the numbers of the roads, which are names of
            places.
        split_method: year (the last ones are the test) or group (a share of the collisions).
        test_share: Share of the collisions for the test with split_method group.
        test_from_year: First year of the test with split_method year; 0 for the last year.
        candidates: Number of settings that the search tries, the defaults among them.
        folds: Number of folds for search, training and calibration.
        class_weight: none or balanced.
        ordered_classes: With target severity, slight, serious, fatal for a model that knows their order.
        monotonic: 1 or -1 by feature, see train_classifier.
        calibration: none, sigmoid or isotonic.
        target_recall: Share of the positives that the threshold has to find; 0 for no such threshold.
        miss_cost: What a missed positive costs in false alarms, to choose the threshold by; 0 for no such threshold.
        report_columns: Columns for subgroups that the model may not know.
        subgroup_columns: Columns whose values are judged apart.
        champion: URI of the model in use, which the new one has to beat; empty for the logistic regression.
        champion_folder: Folder that keeps the model in use; empty for none.
        seed: Seed of split, search and model.
        allow_private_addresses: Whether a URL in source may be in a private network, see load_stats19.
    """
    tables = read(source, unknown_codes, allow_private_addresses)
    valid = components.validate_stats19(fail_on=fail_on, **tables)
    features = engineer(tables, unit, target, known_at, report_columns, after=[valid])
    parts = components.split_dataset(
        data=features,
        target_column=target,
        group_column="collision_index",
        method=split_method,
        test_share=test_share,
        test_from_year=test_from_year,
        seed=seed,
    )
    train_data, test_data = parts.outputs["train_data"], parts.outputs["test_data"]
    baseline = components.train_classifier(
        train_data=train_data,
        target_column=target,
        algorithm="logistic_regression",
        exclude_columns=exclude_columns,
        folds=0,
        seed=seed,
    )
    tuned = nested.tune(
        train_data=train_data,
        target_column=target,
        candidates=candidates,
        class_weight=class_weight,
        exclude_columns=exclude_columns,
        folds=folds,
        seed=seed,
    )
    trained = components.train_classifier(
        train_data=train_data,
        target_column=target,
        class_weight=class_weight,
        exclude_columns=exclude_columns,
        parameters=tuned.outputs["best"],
        folds=folds,
        ordered_classes=ordered_classes,
        monotonic=monotonic,
        seed=seed,
    )
    calibrated = components.calibrate_classifier(
        model=trained.outputs["model"],
        out_of_fold=trained.outputs["out_of_fold"],
        calibration=calibration,
        target_recall=target_recall,
        miss_cost=miss_cost,
    )
    model = calibrated.outputs["calibrated_model"]
    evaluated = components.evaluate_classifier(model=model, test_data=test_data, baseline=baseline.outputs["model"])
    subgroups = components.evaluate_subgroups(
        model=model, test_data=test_data, subgroup_columns=subgroup_columns, labels=LABELS
    )
    explained = components.explain_classifier(
        model=model, data=test_data, groups=stats19_groups(), labels=LABELS, meanings=stats19_meanings(), seed=seed
    )
    to_beat = components.choose_champion(otherwise=baseline.outputs["model"], champion=champion)
    stored = dsl.importer(artifact_uri=to_beat.outputs["uri"], artifact_class=Model)
    compared = components.compare_classifiers(champion=stored.output, challenger=model, test_data=test_data)
    card = components.build_model_card(
        model=model,
        results=evaluated.outputs["results"],
        subgroup_results=subgroups.outputs["results"],
        importance=explained.outputs["importance"],
        decision_record=compared.outputs["record"],
        intended_use="Severity of the injuries of casualties in police-recorded collisions, to plan and to compare.",
    )
    with dsl.If(compared.outputs["decision"] == "promote"):
        components.promote_model(model=model, card=card.outputs["card"], folder=champion_folder)
