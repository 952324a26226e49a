"""Step: the card of a model, for those who decide about its use."""

from typing import List

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Markdown, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn", "skops"))
def build_model_card(
    model: Input[Model],
    results: Input[Dataset],
    card: Output[Markdown],
    page: Output[HTML],
    subgroup_results: Input[Dataset] = None,
    importance: Input[Dataset] = None,
    decision_record: Input[Markdown] = None,
    title: str = "",
    intended_use: str = "",
    not_for: List[str] = [],
    limits: List[str] = [],
    data_licence: str = "",
    model_licence: str = "",
    contact: str = "",
):
    """Write a model's card (Mitchell et al. 2019) from its facts and its figures, as Markdown and as a page.

    What the facts do not tell is left out. Where they say that the data are STATS19, the card names the limits that
    come with them: under-reporting, changes of how severity is recorded, uses that the data do not carry.

    Args:
        model: Model from train_classifier.
        results: Figures table of evaluate_classifier, of this model.
        subgroup_results: Figures table of evaluate_subgroups.
        importance: Importance table of explain_classifier.
        decision_record: Record of compare_classifiers.
        title: Title of the card; empty for target and algorithm.
        intended_use: What the model is for, and for whom.
        not_for: Uses that it is not for.
        limits: Further limits that a reader has to know.
        data_licence: Licence of the training data; empty for the Open Government Licence of STATS19 records.
        model_licence: Licence of the model.
        contact: Who answers for the model.

    Returns:
        card: The card as Markdown.
        page: The same as a self-contained page.
    """
    from pathlib import Path

    from roadsafety_components.core import store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.files import replacing
    from roadsafety_components.core.model import read_model
    from roadsafety_components.core.model_card import Said, model_card

    said = Said(title, intended_use, not_for, limits, data_licence, model_licence, contact)
    given = {"results": results, "subgroups": subgroup_results, "importance": importance}
    tables = {name: read_dataset(data.path, name) for name, data in given.items() if data}
    record = Path(decision_record.path).read_text("utf-8") if decision_record else ""
    written = model_card(read_model(model.path)[1], said=said, decision_record=record, **tables)
    with replacing(card.path, page.path) as drafts:
        for text, draft in zip(written, drafts, strict=True):
            store.write_text(text, draft)
