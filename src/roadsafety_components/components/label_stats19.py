"""Step: STATS19 codes to labels, and back."""

from typing import List

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow"))
def label_stats19(
    data: Input[Dataset],
    labelled_data: Output[Dataset],
    direction: str = "labels",
    columns: List[str] = [],
):
    """Put DfT's labels in the place of STATS19 codes, or bring the codes back without loss.

    Labels become categories in code order, ordered where the codes have a rank (severity, age band, deprivation
    decile). A code without a label is counted and stays as "code 19". All other columns stay as they are.

    Args:
        data: Table with STATS19 columns, Parquet, such as an output of load_stats19 or preprocess_collisions.
        direction: labels (codes to labels) or codes (back; takes labels as plain text too).
        columns: Only these columns; empty for all that have labels.

    Returns:
        labelled_data: The same rows and columns with labels, or codes, in the place of the other, Parquet.
    """
    from roadsafety_components.core import labels, store
    from roadsafety_components.core.datasets import read_dataset

    table = labels.label(read_dataset(data.path, "data"), direction, columns)
    labelled_data.metadata.update(store.write_dataset(table, labelled_data.path))
