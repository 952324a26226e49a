"""Write docs/licences.md: the licence of every package that is installed with this one. Run it when pins change."""

import importlib.metadata
import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "licences.md"
# What packages write, where it is no SPDX expression already.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Where the metadata is vague: read in the licence file that the package ships.
READ = {
    "cycler": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "nest-asyncio2": "BSD-2-Clause",
    "pyasn1-modules": "BSD-2-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "requests-oauthlib": "ISC",
    "scipy": "BSD-3-Clause",
    "skops": "MIT",
}
# Permissive, or as MPL-2.0 with duties for the package's own files only.
ACCEPTED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0",
    "PSF-2.0", "Zlib",
}  # fmt: skip
HEAD = """# Licences

The licence of every package that comes with this one, from its metadata. Written by `tests/docs/licences.py`; a test
fails on a licence that is none of {accepted}.

**where**: in the [image](images.md); in the image of the serving steps only; or only where pipelines are compiled, run
and submitted. The wheels of NumPy and SciPy bring OpenBLAS (BSD-3-Clause) and the runtime library of GNU Fortran
(GPL-3.0 with the GCC Runtime Library Exception, which permits this use). The text of each licence is beside the
installed package, in its `dist-info` folder.

| package | licence | where |
| --- | --- | --- |
"""


def page() -> str:
    """The page's text."""
    rows = "".join(f"| {name} | {licence} | {where} |\n" for name, licence, where in rows_of_page())
    return HEAD.format(accepted=", ".join(sorted(ACCEPTED))) + rows


def rows_of_page() -> list[tuple[str, str, str]]:
    """Name, licence and place of every package, by name."""
    image, serving = (_pinned(name) for name in ("image", "serving"))
    names = _installed_with("roadsafety-components", ("docker", "serving")) | image | serving
    places = ((image, "image"), (serving, "serving image"), (names, "command line"))
    return [
        (name, licence_of(name), next(where for group, where in places if name in group))
        for name in sorted(names - {"roadsafety-components"})
    ]


def licence_of(name: str) -> str:
    """A package's licence as an SPDX expression.

    Raises:
        ValueError: its metadata say nothing that is known here; read its licence and add it above.
    """
    if name in READ:
        return READ[name]
    about = importlib.metadata.metadata(name)
    if expression := about.get("License-Expression"):
        return str(expression)
    classes = [c.split(" :: ")[-1] for c in about.get_all("Classifier", []) if c.startswith("License :: ")]
    said = (about.get("License") or "").strip().partition("\n")[0]
    for text in (*classes, said):
        if (licence := SPDX.get(text, text)) in ACCEPTED:
            return licence
    raise ValueError(f"{name}: its metadata say {classes} and {said!r}.")


def _pinned(file: str) -> set[str]:
    text = (CHECKOUT / "requirements" / f"{file}.txt").read_text(encoding="utf-8")
    return {canonicalize_name(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, flags=re.M)}


def _installed_with(name: str, extras: tuple[str, ...] = ()) -> set[str]:
    """A package and what it needs, and what those need."""
    found: set[str] = set()
    waiting = [(name, extras)]
    while waiting:
        name, extras = waiting.pop()
        if (name := canonicalize_name(name)) in found:
            continue
        found.add(name)
        needs = [Requirement(text) for text in importlib.metadata.requires(name) or []]
        waiting += [
            (need.name, tuple(need.extras))
            for need in needs
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
        ]
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
