"""Step: the model that a new one has to beat."""

from kfp import dsl
from kfp.dsl import Input, Model

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE


@carries_core
@dsl.component(base_image=BASE_IMAGE)
def choose_champion(
    otherwise: Input[Model],
    uri: dsl.OutputPath(str),
    champion: str = "",
):
    """Say where the model is that a new one has to beat: the one in use, or another while there is none.

    dsl.importer takes the answer as its artifact_uri, so that a pipeline needs no branch for its first run.

    Args:
        otherwise: Model to beat while none is in use, e.g. a logistic regression.
        champion: URI of the model in use; empty while there is none.

    Returns:
        uri: URI of the model to beat.
    """
    from roadsafety_components.core.files import replacing

    with replacing(uri) as (draft,):
        draft.write_text(champion.strip() or otherwise.uri)
