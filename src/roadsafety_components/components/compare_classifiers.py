"""Step: champion and challenger on the same test rows, and whether to replace the one by the other."""

from typing import Dict

from kfp import dsl
from kfp.dsl import Dataset, Input, Markdown, Metrics, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn", "skops"))
def compare_classifiers(
    champion: Input[Model],
    challenger: Input[Model],
    test_data: Input[Dataset],
    record: Output[Markdown],
    metrics: Output[Metrics],
    decision: dsl.OutputPath(str),
    target_column: str = "",
    positive_class: str = "",
    group_column: str = "",
    figure: str = "average_precision",
    min_gain: float = 0.0,
    max_losses: Dict[str, float] = {"brier": 0.0, "roc_auc": 0.0},
    resamples: int = 500,
    seed: int = 0,
):
    """Decide whether a new model replaces the one in use: on the same rows, and beyond chance.

    The challenger is promoted if the lower limit of the 95 % interval of its gain exceeds min_gain and no guarded
    figure is worse beyond chance. The step succeeds either way: the pipeline decides by its output.

    Args:
        champion: Model in use, from train_classifier or promote_model.
        challenger: Model that may replace it; its features may differ, its classes may not.
        test_data: Rows that neither has seen, with the features of both, Parquet.
        target_column: Column with the true classes; empty for the models' own.
        positive_class: Of two classes the one that the figures are about; empty for the rarer in the test.
        group_column: Rows that share its value are drawn together; empty for that of the data, if it names one.
        figure: average_precision, roc_auc, balanced_accuracy, macro_f1, recall, precision, accuracy (higher is
            better), log_loss, brier, calibration_error (lower) or calibration_slope (nearer to 1).
        min_gain: What the lower limit of the gain in the figure has to exceed.
        max_losses: Figures guarded, and the loss in each that is let pass.
        resamples: Draws of the bootstrap, 100 or more.
        seed: Seed of the draws.

    Returns:
        record: The decision, its reason, what would change it, the figures, the models and the test.
        metrics: Figures of both models, the gains and their limits.
        decision: promote or keep.
    """
    from roadsafety_components.core import compare, store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.decision_record import decision_record
    from roadsafety_components.core.files import replacing
    from roadsafety_components.core.model import read_model

    rules = compare.Rules(figure, float(min_gain), max_losses)
    models = read_model(champion.path), read_model(challenger.path)
    table = read_dataset(test_data.path, "test_data")
    found = compare.compare_classifiers(
        *models, table, rules, target_column, positive_class, group_column, resamples, seed
    )
    with replacing(record.path, decision) as (text, answer):
        store.write_text(decision_record(found), text)
        store.write_text(found.decision, answer)
    compare.log_comparison(found, metrics)
