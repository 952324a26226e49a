"""Writing models: skops files with the model's facts in them, the same bytes for the same model."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import skops.io

from roadsafety_components.core.files import replacing
from roadsafety_components.core.store import MODEL_FACTS, Facts


def write_model(model: Any, facts: Facts, path: str | Path) -> Facts:
    """Store a model and its facts in one skops file, whole or not at all; equal models give equal bytes.

    Any skops can load the file; the facts are one more entry (``roadsafety.json``) in it.

    Returns:
        The facts, to show as the artifact's metadata.
    """
    with replacing(path) as (draft,):
        stored = io.BytesIO()
        skops.io.dump(model, stored)
        with zipfile.ZipFile(stored) as made, zipfile.ZipFile(draft, "w") as archive:
            # skops names entries by addresses in memory; numbered as they come they are the same in every run.
            schema, names = _numbered(made.read("schema.json").decode())
            for name in made.namelist():
                if name != "schema.json":
                    number, dot, kind = name.partition(".")
                    _add(archive, names[number] + dot + kind, made.read(name))
            _add(archive, "schema.json", schema.encode())
            _add(archive, MODEL_FACTS, json.dumps(facts, sort_keys=True).encode())
    return facts


def _numbered(schema: str) -> tuple[str, dict[str, str]]:
    """The schema of a skops file with its ids numbered from 0, and the number of each id."""
    ids = re.findall(r'"__id__": (\d+)|"file": "(\d+)\.', schema)
    number = {old: str(new) for new, old in enumerate(dict.fromkeys(a or b for a, b in ids))}
    schema = re.sub(r'("__id__": )(\d+)', lambda m: m[1] + number[m[2]], schema)
    return re.sub(r'("file": ")(\d+)(?=\.)', lambda m: m[1] + number[m[2]], schema), number


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name)  # of 1980: the time of writing is no part of the model
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=1)
