"""Where the specs are: beside the source in a checkout, inside the package in an installed wheel."""

from pathlib import Path

PACKAGINGS = ("lightweight", "container")

_PACKAGE = Path(__file__).parents[1]
_CHECKOUT = _PACKAGE.parents[1]


def specs_folder() -> Path:
    """The specs: inside an installed wheel, or in the checkout."""
    packaged = _PACKAGE / "_specs"
    return packaged if packaged.is_dir() else _CHECKOUT / "component_specs"


def pipelines_folder() -> Path | None:
    """The pipelines' Python files; None where the package was installed from a wheel."""
    folder = _CHECKOUT / "pipelines"
    return folder if folder.is_dir() and not (_PACKAGE / "_specs").is_dir() else None


def spec_path(name: str, packaging: str = "lightweight") -> Path:
    """Path of a step's YAML, for ``kfp.components.load_component_from_file``.

    Args:
        name: a step, e.g. ``train_classifier``; or a pipeline, e.g. ``road_safety_pipeline``.
        packaging: ``lightweight`` or ``container``; a pipeline's name tells its own.

    Raises:
        ValueError: no such step or packaging.
    """
    folder = specs_folder()
    if packaging not in PACKAGINGS:
        raise ValueError(f"packaging is {packaging!r}; it can be {' or '.join(PACKAGINGS)}.")
    places = [folder / "container"] if packaging == "container" else [folder, folder / "pipelines"]
    for place in places:
        if (path := place / f"{name}.yaml").is_file():
            return path
    there = sorted(p.stem for place in places for p in place.glob("*.yaml"))
    raise ValueError(f"there is no {packaging} spec {name!r}; there are {', '.join(there)}.")
