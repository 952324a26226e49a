"""The one place for image names and for the exact versions that steps install."""

import os

from roadsafety_components._version import __version__

# What a lightweight step runs on: stock Python, nothing published or built beforehand.
BASE_IMAGE = "python:3.11-slim"
# What a container step runs on; the tag follows the package, a tag is never used twice. The name has no registry: the
# image is built where it is used, and `roadsafety specs write --image` (it sets the variable) names yours.
IMAGE_VARIABLE = "ROADSAFETY_IMAGE"
IMAGE = os.environ.get(IMAGE_VARIABLE) or f"roadsafety-components:{__version__}"
# The same with what the serving steps need besides (the extra `serving`): the other steps stay without it.
SERVING_IMAGE = f"{IMAGE}-serving"

# Equal to constraints.txt (a test compares them); here too because a wheel has no constraints.txt beside it.
_PINS = {
    "httpx": "0.28.1",
    "kubernetes": "30.1.0",
    "matplotlib": "3.11.2",
    "model-registry": "0.3.18",
    "numpy": "2.4.6",
    "onnx": "1.23.2",
    "onnxruntime": "1.32.0",
    "pandas": "3.1.1",
    "pandera": "0.35.0",
    "pyarrow": "26.0.1",
    "pyproj": "3.7.2",
    "scikit-learn": "1.9.1",
    "skops": "0.16.0",
    "tenacity": "9.2.1",
}


def pinned(*packages: str) -> list[str]:
    """Requirements with exact versions, for ``packages_to_install``.

    Raises:
        KeyError: a package that has no pin here.
    """
    return [f"{package}=={_PINS[package]}" for package in packages]
