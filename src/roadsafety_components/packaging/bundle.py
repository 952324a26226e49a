"""One folder that a person carries to a cluster without the internet: specs, images, wheels, checksums."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from roadsafety_components._version import __version__
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest, replacing
from roadsafety_components.packaging import archives
from roadsafety_components.packaging.images import IMAGE, SERVING_IMAGE
from roadsafety_components.packaging.paths import pipelines_folder, specs_folder
from roadsafety_components.packaging.relocate import Needs, Places, write_relocated
from roadsafety_components.packaging.wheelhouse import Target, write_wheelhouse

SUMS = "SHA256SUMS"
# What is done, for a screen: a block that lasts as long as the work.
Stage = Callable[[str], AbstractContextManager[object]]


def write_bundle(
    output: Path,
    places: Places,
    targets: Sequence[Target],
    images: bool = True,
    wheels: bool = True,
    serving: bool = True,
    stage: Stage = nullcontext,
) -> None:
    """Write the bundle, whole or not at all; from the same inputs the same bytes.

    Args:
        output: the folder; it is not there, is empty, or is an earlier bundle with nothing added.
        places: the cluster's registry and index; without an index the container packaging alone is bundled.
        targets: Pythons to bring wheels for; the images are for the first one's platform.
        images: bring the images that the specs name.
        wheels: bring what the lightweight steps and a laptop install.
        serving: bring the container specs and the image of the serving steps.
        stage: told what is being done.

    Raises:
        InputError: not run in a checkout; the folder holds something else; an image or a wheel that cannot be had.
    """
    pipelines = pipelines_folder()
    if pipelines is None:
        raise InputError("a bundle is made in a checkout of the project, where its image and its wheel are built: git "
                         "clone it, then `make image` and `roadsafety bundle` there.")  # fmt: skip
    if wheels and not places.index:
        raise InputError("--index is needed: the URL at which the cluster's pods will find the wheels. (--no-wheels: "
                         "the container packaging alone, which installs nothing.)")  # fmt: skip
    checkout, output = pipelines.parent, output.resolve()
    _refuse_foreign(output)
    with replacing(output) as [draft]:
        draft.mkdir()
        with stage("specs"):
            needs = write_relocated(specs_folder(), draft / "specs", places, lambda i: not serving and _is_serving(i))
        if images:
            _write_images(draft, needs, places, targets[0].platform, stage)
        if wheels:
            with stage(f"wheels for Python {', '.join(t.python for t in targets)}"):
                write_wheelhouse(draft / "wheelhouse", needs.packages, targets, checkout)
        (draft / "requirements").mkdir()
        for lock in sorted((checkout / "requirements").glob("*.txt")):
            shutil.copyfile(lock, draft / "requirements" / lock.name)
        (draft / "README.md").write_text(_readme(draft, needs, places), encoding="utf-8")
        with stage("checksums"):
            files = sorted(p.relative_to(draft).as_posix() for p in draft.rglob("*") if p.is_file())
            lines = [f"{digest(draft / name).removeprefix('sha256:')}  {name}\n" for name in files]
            (draft / SUMS).write_text("".join(lines), encoding="utf-8")
        if output.exists():  # an earlier one: its sums first, so that the rest never looks whole
            (output / SUMS).unlink(missing_ok=True)
            shutil.rmtree(output)


def _refuse_foreign(output: Path) -> None:
    """Refuse a folder that holds anything but a bundle."""
    if not output.exists():
        return
    if not output.is_dir():
        raise InputError(f"--output {output} is a file; choose a folder.")
    there = {p.relative_to(output).as_posix() for p in output.rglob("*") if not p.is_dir()}
    listed = set[str]()
    if (output / SUMS).is_file() and (output / "specs/catalog.json").is_file():  # other folders have such sums too
        listed = {SUMS, *(line[66:] for line in (output / SUMS).read_text(encoding="utf-8").splitlines())}
    if foreign := sorted(there - listed):
        raise InputError(f"--output {output} is not empty: it holds {foreign[0]}. Choose another folder, or empty it.")


def _is_serving(image: str) -> bool:
    return image.endswith(SERVING_IMAGE.removeprefix(IMAGE))


def _write_images(draft: Path, needs: Needs, places: Places, platform: str, stage: Stage) -> None:
    """Save the images, list them with their ids, and the bills of materials of those that are the project's."""
    ids = {image: archives.image_id(image, platform) for image in sorted(needs.images)}
    for folder in ("images", "sbom"):
        (draft / folder).mkdir()
    with stage("what the images hold"):
        for image in sorted({image for image, _, _ in needs.code}):
            code = {(step, code) for named, step, code in needs.code if named == image}
            for name, text in archives.check_inside(image, code).items():
                (draft / "sbom" / f"{_file_name(image)}.{name.partition('.')[2]}").write_text(text, encoding="utf-8")
    for image in ids:
        with stage(f"image {image}"):
            archives.save(image, places.image(image), draft / "images" / f"{_file_name(image)}.tar.gz")
    lines = [f"{places.image(image)} {identity}\n" for image, identity in ids.items()]
    (draft / "images/images.txt").write_text("".join(lines), encoding="utf-8")


def _file_name(image: str) -> str:
    return image.rpartition("/")[2].replace(":", "-")


def _readme(draft: Path, needs: Needs, places: Places) -> str:
    """How to load what is in the bundle: three commands."""
    names = "\n".join(f"- `{places.image(image)}`" for image in sorted(needs.images))
    text = _CHECK.format(version=__version__, sums=SUMS)
    text += (_LOAD if (draft / "images").is_dir() else _NO_IMAGES).format(names=names)
    if (draft / "wheelhouse").is_dir():
        text += _SERVE.format(index=places.index, options=places.pip_options.strip(), version=__version__)
    elif places.index:
        packages = "\n".join(f"- `{package}`" for package in sorted(needs.packages))
        text += _NO_WHEELS.format(index=places.index, packages=packages)
    else:
        text += _CONTAINERS_ALONE
    return text + _USE.format(pipeline="road_safety_pipeline" if places.index else "road_safety_container_pipeline")


_CHECK = """# roadsafety-components {version}, for a cluster without the internet

Run these in this folder, on a machine inside that reaches the cluster's registry.

## 1. Check

```
sha256sum --check --quiet {sums}
```

Silence means that every file is as it was written. Who carried it could have changed the sums too: compare
`sha256sum {sums}` with what `roadsafety bundle` printed outside.
"""
_LOAD = """
## 2. Load and push the images

```
for archive in images/*.tar.gz; do docker load --input "$archive"; done
cut -d' ' -f1 images/images.txt | xargs -n1 docker push
```

They are named already as the specs name them:

{names}

`images/images.txt` has each one's id (`docker image inspect --format '{{{{.Id}}}}' NAME`). Without a Docker engine:
`skopeo copy docker-archive:images/FILE.tar.gz docker://NAME`.
"""
_NO_IMAGES = """
## 2. Images

None are in this bundle. The specs name these, which the registry must have:

{names}
"""
_SERVE = """
## 3. Serve the wheels

```
python3 -m http.server 8000 --directory wheelhouse
```

That is a package index, `http://THIS-MACHINE:8000/simple`. The specs look for it at `{index}`: serve the folder
`wheelhouse/simple` there by any web server, or publish the files to an index that there is
(`twine upload --repository-url URL wheelhouse/simple/*/*.whl`).

On a laptop inside, in a virtual environment:

```
pip install {options} 'roadsafety-components=={version}'
```
"""
_NO_WHEELS = """
## 3. Wheels

None are in this bundle. `{index}` must have these, and what they need:

{packages}
"""
_CONTAINERS_ALONE = """
## 3. Wheels

None: these are the specs of the container packaging alone, which installs nothing.
"""
_USE = """
## Then

Upload a file of `specs/pipelines/` in the KFP user interface; or from a shell:

```
roadsafety upload --all-pipelines --specs specs --host http://KFP
roadsafety submit specs/pipelines/{pipeline}.yaml --host http://KFP --wait \\
    --param source='http://FILES/dft-road-casualty-statistics-{{table}}-2024.csv' --param allow_private_addresses=true
```

Always the files of `specs/`: those inside the Python package name the public registry and index. The records are not in
this bundle: FILES is a server inside that has them.
"""
