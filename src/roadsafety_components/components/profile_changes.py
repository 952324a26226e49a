"""Step: what changed between two datasets, and whether that is a reason to refuse the newer one."""

from typing import List

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Metrics, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("matplotlib", "pandas", "pyarrow"))
def profile_changes(
    reference: Input[Dataset],
    current: Input[Dataset],
    changes: Output[Dataset],
    metrics: Output[Metrics],
    report: Output[HTML],
    decision: dsl.OutputPath(str),
    max_psi: float = 0.25,
    max_missing_rise: float = 0.1,
    max_rows_ratio: float = 1.5,
    refuse_on: List[str] = ["rows", "schema_version", "unit", "target", "synthetic", "same_records", "repeated_keys",
                            "removed_column", "type", "empty", "constant", "missing_rose", "new_code", "distribution"],
    ignore_columns: List[str] = [],
):  # fmt: skip
    """Compare two tables, e.g. the releases of two years, and say whether to accept the newer one.

    The step succeeds either way: the pipeline decides by its output. What counts is the size of a change, no test's
    p-value, and what chance alone does in small samples is no reason to refuse.

    Args:
        reference: Table to hold the other against, Parquet or a folder of it by year.
        current: Table to accept or refuse, the same.
        max_psi: Largest population stability index of a column, beyond chance, to accept.
        max_missing_rise: Largest rise of the share of missing values of a column to accept.
        max_rows_ratio: Most rows of the larger table for each of the smaller to accept, 1 or more.
        refuse_on: Kinds of change that refuse; all others are noted. Beside these there are generation, added_column,
            missing_fell, gone_code and mean.
        ignore_columns: Columns that are not compared.

    Returns:
        changes: One row a column and kind of change, Parquet; no rows if nothing changed.
        metrics: Rows, columns, refusals and the largest population stability index.
        report: Self-contained page with pictures.
        decision: accept or refuse.
    """
    from roadsafety_components.core import store
    from roadsafety_components.core.changes import Limits, compare_datasets, log_comparison
    from roadsafety_components.core.changes_report import changes_report
    from roadsafety_components.core.files import replacing

    limits = Limits(max_psi, max_missing_rise, max_rows_ratio, refuse_on, ignore_columns)
    comparison = compare_datasets(reference.path, current.path, limits)
    with replacing(changes.path, report.path, decision) as (table, page, answer):
        changes.metadata.update(store.write_dataset(comparison.table(), table))
        store.write_text(changes_report(comparison), page)
        store.write_text(comparison.decision, answer)
    log_comparison(comparison, metrics)
