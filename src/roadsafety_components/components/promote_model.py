"""Step: a model made the champion."""

from kfp import dsl
from kfp.dsl import Input, Markdown, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE


@carries_core
@dsl.component(base_image=BASE_IMAGE)
def promote_model(
    model: Input[Model],
    champion: Output[Model],
    card: Input[Markdown] = None,
    folder: str = "",
):
    """Make a model the champion: the branch behind the decision promote of compare_classifiers.

    The champion is the same file, byte for byte. Its URI is what the next run compares its model with.

    Args:
        model: Model to promote, e.g. the challenger of compare_classifiers.
        card: Model card from build_model_card; needed with a folder.
        folder: Folder that gets model.skops and model_card.md too, e.g. of a mounted volume; the pair that it had is
            kept in its folder previous. Empty for none.

    Returns:
        champion: The model, with its metadata, promoted and the digest of the file.
    """
    from roadsafety_components.core.promote import promote

    found = promote(model.path, champion.path, card.path if card else "", folder)
    champion.metadata.update(model.metadata | found)
