"""Step: probabilities that come true, and a threshold, for a classifier."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Markdown, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn", "skops"))
def calibrate_classifier(
    model: Input[Model],
    out_of_fold: Input[Dataset],
    calibrated_model: Output[Model],
    report: Output[Markdown],
    calibration: str = "sigmoid",
    positive_class: str = "",
    miss_cost: float = 0.0,
    target_recall: float = 0.0,
):
    """Correct the probabilities of a classifier, and choose the threshold from which a row counts as positive.

    Both are learned from the rows out of fold of train_classifier, which were judged by models that had not seen their
    group: no row serves twice, and none has to be set aside.

    Args:
        model: Model from train_classifier.
        out_of_fold: Rows out of fold from the same run of train_classifier.
        calibration: none, sigmoid (for a shift or a slope) or isotonic (any rising curve; some thousands of rows).
        positive_class: Of two classes the one that the threshold is about; empty for the rarer one.
        miss_cost: What a missed positive costs in false alarms, to choose the threshold by; 0 for no such choice.
        target_recall: Share of the positives that the threshold has to find; 0 for no such choice.

    Returns:
        calibrated_model: The model with corrected probabilities and the threshold, as a skops file.
        report: Figures before and after, and what the threshold finds.
    """
    from roadsafety_components.core import calibrate, store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.model import read_model
    from roadsafety_components.core.model_writer import write_model

    held = read_dataset(out_of_fold.path, "out_of_fold")
    fitted, facts = calibrate.calibrate_classifier(
        *read_model(model.path), held, calibration, positive_class, miss_cost, target_recall
    )
    calibrated_model.metadata.update(write_model(fitted, facts, calibrated_model.path))
    store.write_text(calibrate.calibration_report(facts), report.path)
