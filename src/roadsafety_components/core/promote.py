"""A model made the champion: the file that predictions are made with, and that the next model is compared with."""

import shutil
from pathlib import Path

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest, replacing

MODEL, CARD = "model.skops", "model_card.md"
PREVIOUS = "previous"


def promote(
    model: str | Path, champion: str | Path, card: str | Path = "", folder: str | Path = ""
) -> dict[str, object]:
    """Copy a model to where the champion is kept, byte for byte, whole or not at all.

    Args:
        model: file of the model.
        champion: file to write.
        card: file of its model card; needed with a folder.
        folder: folder (of a mounted volume, say) that gets the pair ``model.skops`` and ``model_card.md``, too. The
            pair that it had moves to ``previous`` in it; the same model once more leaves ``previous`` as it is.

    Returns:
        What to add to the artifact's metadata: that it was promoted, and the digest of the file.

    Raises:
        InputError: no such file, a folder without a card, or a place that cannot be written to.
    """
    for name, file in (("model", model), ("card", card)):
        if file and not Path(file).is_file():
            raise InputError(f"{name}: there is no file at {file}.")
    if folder and not card:
        raise InputError(f"folder is {folder}, but there is no card: what is kept in a folder is a model and its card. "
                         "Give the card of build_model_card, or leave folder empty.")  # fmt: skip
    copies = {Path(champion): Path(model)}
    if folder:
        copies |= _earlier(Path(folder), digest(model))
        copies |= {Path(folder, MODEL): Path(model), Path(folder, CARD): Path(card)}
    with replacing(*copies) as drafts:
        for draft, source in zip(drafts, copies.values(), strict=True):
            shutil.copyfile(source, draft)
    return {"promoted": True, "sha256": digest(champion)}


def _earlier(folder: Path, coming: str) -> dict[Path, Path]:
    """Copies to make of the pair in the folder, before it is replaced."""
    kept = [folder / name for name in (MODEL, CARD) if (folder / name).is_file()]
    if len(kept) == 1:
        raise InputError(f"folder: {folder} holds {kept[0].name} without its pair; what to keep as {PREVIOUS} is not "
                         "plain. Move it away first.")  # fmt: skip
    if not kept or digest(folder / MODEL) == coming:
        return {}
    return {folder / PREVIOUS / file.name: file for file in kept}
