"""A model in use meets the records of a new year: score them, tell what drifted, train a challenger if need be.

kfp dsl compile --py pipelines/severity_monitoring_pipeline.py --output severity_monitoring_pipeline.yaml
"""

from typing import Dict, List

from kfp import dsl
from kfp.dsl import Dataset, Model
from road_safety_pipeline import PUBLISHED
from severity_training_pipeline import engineer, read

from roadsafety_components import components
from roadsafety_components.core.words import stats19_labels


@dsl.pipeline(
    name="severity-monitoring",
    description="Score a new year with a model of injury severity, measure drift, decide whether to train again.",
)
def severity_monitoring_pipeline(
    model: str,
    reference: str,
    source: str = PUBLISHED,
    unknown_codes: str = "null",
    unit: str = "casualty",
    target: str = "ksi",
    known_at: str = "involved",
    report_columns: List[str] = ["police_force"],
    class_shares: Dict[str, float] = {},
    estimate_shares: bool = False,
    max_psi: float = 0.25,
    max_drifted_share: float = 0.2,
    exclude_columns: List[str] = ["first_road_number", "second_road_number"],
    class_weight: str = "none",
    ordered_classes: List[str] = [],
    calibration: str = "sigmoid",
    target_recall: float = 0.0,
    miss_cost: float = 0.0,
    test_share: float = 0.3,
    seed: int = 0,
    allow_private_addresses: bool = False,
):
    """The new rows are made as those of severity_training_pipeline; unit, target and known_at are to be its own.

    A challenger that is promoted is the output champion of promote_model; severity_training_pipeline, run on old and
    new years with champion set, searches its settings, writes its card and fills the champion's folder.

    Args:
        model: URI of the model in use.
        reference: URI of the rows that it was judged on (test_data of the run that made it), Parquet. What it was
            trained on will do, but then scores are not compared: a model knows its own rows.
        source: Folder or URLs of the new STATS19 tables, see load_stats19.
        unknown_codes: What to do with a code that is in no code list, error or null (missing, and counted).
        unit: One row a vehicle, collision or casualty.
        target: ksi or severity; none where the new records have no severity yet.
        known_at: What the model may know, before, involved or impact.
        report_columns: Columns for reports that the model may not know.
        class_shares: Shares of the classes to expect in the new year, to correct the probabilities.
        estimate_shares: Whether to estimate those shares from the new rows.
        max_psi: Population stability index of a feature from which it counts as drifted.
        max_drifted_share: Share of the features that may drift before the model is trained again.
        exclude_columns: Columns that are not to be features of a new model.
        class_weight: Of a new model, none or balanced.
        ordered_classes: Of a new model, see train_classifier.
        calibration: Of a new model, none, sigmoid or isotonic.
        target_recall: Of a new model, see calibrate_classifier; as for the model in use.
        miss_cost: Of a new model, see calibrate_classifier; as for the model in use.
        test_share: Share of the new collisions that champion and challenger are compared on.
        seed: Seed of split and model.
        allow_private_addresses: Whether a URL in source may be in a private network, see load_stats19.
    """
    champion = dsl.importer(artifact_uri=model, artifact_class=Model)
    judged_on = dsl.importer(artifact_uri=reference, artifact_class=Dataset)
    tables = read(source, unknown_codes, allow_private_addresses)
    new = engineer(tables, unit, target, known_at, report_columns)
    before = components.predict_batch(model=champion.output, data=judged_on.output)
    # As the model answers, to compare: shares that were corrected would move all scores. Then those for use.
    now = components.predict_batch(model=champion.output, data=new)
    components.predict_batch(
        model=champion.output, data=new, class_shares=class_shares, estimate_shares=estimate_shares
    )
    drifted = components.detect_drift(
        reference=judged_on.output,
        current=new,
        model=champion.output,
        reference_predictions=before.outputs["predictions"],
        current_predictions=now.outputs["predictions"],
        max_psi=max_psi,
        max_drifted_share=max_drifted_share,
        labels=stats19_labels(),
    )
    with dsl.If(drifted.outputs["decision"] == "retrain"), dsl.If(target != "none"):
        # The new year alone: what the model in use learned from is no longer what happens.
        parts = components.split_dataset(
            data=new, target_column=target, group_column="collision_index", test_share=test_share, seed=seed
        )
        trained = components.train_classifier(
            train_data=parts.outputs["train_data"],
            target_column=target,
            class_weight=class_weight,
            exclude_columns=exclude_columns,
            ordered_classes=ordered_classes,
            seed=seed,
        )
        challenger = components.calibrate_classifier(
            model=trained.outputs["model"],
            out_of_fold=trained.outputs["out_of_fold"],
            calibration=calibration,
            target_recall=target_recall,
            miss_cost=miss_cost,
        ).outputs["calibrated_model"]
        compared = components.compare_classifiers(
            champion=champion.output, challenger=challenger, test_data=parts.outputs["test_data"]
        )
        with dsl.If(compared.outputs["decision"] == "promote"):
            components.promote_model(model=challenger)
