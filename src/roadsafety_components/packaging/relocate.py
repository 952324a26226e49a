"""The specs for a cluster without the internet: the same steps, other places to take images and packages from."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kfp.dsl.component_factory import make_index_url_options, make_pip_install_command

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest
from roadsafety_components.packaging.compiled import containers, parse, readable, step_in
from roadsafety_components.packaging.specs import catalog_text

# How KFP begins each install of a lightweight step; the options of an index follow it.
_INSTALL = make_pip_install_command([], "")
# A container's command is a list of words, and pip's line in it goes through a shell: no character that one acts on.
_HOST = r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?"
_INDEX = re.compile(rf"https?://{_HOST}(?:/[A-Za-z0-9._~%+/-]*)?")
_REGISTRY = re.compile(rf"{_HOST}(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")


@dataclass(frozen=True)
class Places:
    """Where a cluster takes images and packages from.

    Attributes:
        registry: of the images, with the folder in it if there is one: ``registry.example:5000/road-safety``.
        index: URL of the packages' index (PEP 503), ``http://packages.example:8000/simple``; empty for none.
        trusted: take packages from an https index whose certificate pip cannot check.

    Raises:
        InputError: not a registry, not a URL.
    """

    registry: str
    index: str = ""
    trusted: bool = False

    def __post_init__(self) -> None:
        if "://" in self.registry:
            raise InputError(f"--registry {self.registry}: write it without {self.registry.partition('://')[0]}://, as "
                             "images are named: registry.example:5000/folder.")  # fmt: skip
        if not _REGISTRY.fullmatch(self.registry):
            raise InputError(f"--registry {self.registry!r} is no registry: write HOST:PORT, or HOST:PORT/folder in "
                             "small letters, without a / at the end.")  # fmt: skip
        host = self.registry.partition("/")[0]
        if host != "localhost" and not set(".:") & set(host):
            raise InputError(f"--registry {self.registry}: a host with neither a dot nor a port is a folder of Docker "
                             f"Hub to container engines; write {host}:443, or its full name.")  # fmt: skip
        if not self.index:
            return
        if "@" in urlsplit(self.index).netloc:
            raise InputError("--index holds a user name: everyone who reads a spec would see the password; put it in "
                             "the pods' pip.conf or .netrc instead.")  # fmt: skip
        if not _INDEX.fullmatch(self.index):
            raise InputError(f"--index {self.index!r} is no URL of a package index: write it as "
                             "http://packages.example:8000/simple.")  # fmt: skip

    def image(self, name: str) -> str:
        """An image's name in the registry."""
        return f"{self.registry}/{name.rpartition('/')[2]}"

    @property
    def pip_options(self) -> str:
        """What pip is told of the index, in KFP's words; pip itself refuses a plain http index that is not trusted."""
        if not self.index:
            return ""
        url = urlsplit(self.index)
        return str(make_index_url_options([self.index], [url.netloc] if self.trusted or url.scheme == "http" else []))


def relocated(text: str, places: Places) -> str:
    """A spec's text with its images in the registry and its installs from the index.

    The same as KFP compiles from a step with that ``base_image`` (``image``) and those ``pip_index_urls``.
    """
    comments, documents = parse(text)
    for container in containers(documents[0]).values():
        container["image"] = places.image(container["image"])
        if _installs(container):
            container["command"][2] = container["command"][2].replace(_INSTALL, _INSTALL + places.pip_options)
    return readable(comments, documents)


@dataclass(frozen=True)
class Needs:
    """What specs need of a cluster.

    Attributes:
        images: names.
        packages: requirements that lightweight steps install, as pip takes them.
        code: digests of the code that an image must hold, by image and step.
    """

    images: frozenset[str]
    packages: frozenset[str]
    code: frozenset[tuple[str, str, str]]


def needs(text: str) -> Needs:
    """What one spec needs."""
    _, (pipeline, *_) = parse(text)
    found = containers(pipeline).values()
    installs = [c["command"][2] for c in found if _installs(c)]
    code = set()
    for container in found:
        words = [*container["command"], *container.get("args", [])]
        if "--code" in words:
            code.add((container["image"], step_in(words), words[words.index("--code") + 1]))
    return Needs(
        images=frozenset(c["image"] for c in found),
        packages=frozenset(w for line in installs for w in re.findall(r"'([^']+)'", line) if not w.startswith("--")),
        code=frozenset(code),
    )


def write_relocated(source: Path, target: Path, places: Places, left_out: Callable[[str], bool]) -> Needs:
    """Write the specs of a folder for other places, with their catalogue; without an index those of containers alone.

    Args:
        source: folder as ``roadsafety specs write`` makes it.
        target: folder for the relocated ones.
        places: the cluster's.
        left_out: whether the specs that need an image, by its name in ``source``, are left out.

    Returns:
        What the written specs need, by the names of ``source``.
    """
    catalog = json.loads((source / "catalog.json").read_text(encoding="utf-8"))
    found = []
    for kind in ("steps", "pipelines"):
        kept = []
        for entry in catalog[kind]:
            text = (source / entry["spec"]).read_text(encoding="utf-8")
            need = needs(text)
            if (need.packages and not places.index) or any(map(left_out, need.images)):
                continue
            found.append(need)
            path = target / entry["spec"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(relocated(text, places), encoding="utf-8")
            image = {"image": places.image(entry["image"])} if "image" in entry else {}
            kept.append(entry | {"digest": digest(path)} | image)
        catalog[kind] = kept
    (target / "catalog.json").write_text(catalog_text(catalog), encoding="utf-8")
    return Needs(
        images=frozenset().union(*(n.images for n in found)),
        packages=frozenset().union(*(n.packages for n in found)),
        code=frozenset().union(*(n.code for n in found)),
    )


def _installs(container: dict[str, Any]) -> bool:
    command = container["command"]
    return command[:2] == ["sh", "-c"] and _INSTALL in command[2]
