"""Step: the best candidates of a search, and the settings to train with."""

from typing import List

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("matplotlib", "pyarrow"))
def select_best(
    scores: Input[List[Dataset]],
    survivors: dsl.OutputPath(list),
    best: dsl.OutputPath(dict),
    table: Output[Dataset],
    report: Output[HTML],
    earlier: Input[Dataset] = None,
    keep_one_in: int = 3,
):
    """Rank candidates by their cross-validated figure and keep the best of them: one rung of successive halving.

    Args:
        scores: Scores from score_candidate, of one loop with dsl.Collected.
        earlier: Table of the select_best before, whose survivors these are; none in the first rung.
        keep_one_in: One candidate in so many goes on, to the nearest whole number; the defaults always go on, to tell
            what the search has gained. A failed one does not.

    Returns:
        survivors: The candidates that go on, best first, to loop over; never empty.
        best: Settings of the best candidate, for the input parameters of train_classifier.
        table: One row a candidate and rung: rank, figure by fold, settings, whether it went on, Parquet.
        report: Self-contained page with pictures.
    """
    import json

    from roadsafety_components.core import halving, store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.files import replacing
    from roadsafety_components.core.search_report import search_report

    tables = [read_dataset(score.path, "scores") for score in scores]
    before = read_dataset(earlier.path, "earlier") if earlier else None
    chosen = halving.select_candidates(tables, keep_one_in, before)
    with replacing(survivors, best, table.path, report.path) as (following, settings, rows, page):
        store.write_text(json.dumps(chosen.survivors), following)
        store.write_text(json.dumps(dict(chosen.best.parameters)), settings)
        table.metadata.update(store.write_dataset(chosen.table(), rows))
        store.write_text(search_report(chosen), page)
    halving.log_selection(chosen)
