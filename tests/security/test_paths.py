"""Names from archives, URLs and parameters: none leads out of the folder that was meant."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from roadsafety_components.core import download, read, sources
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.fetch import safe_name
from roadsafety_components.core.files import replacing
from roadsafety_components.core.schema import TABLES

from ..core.make import csv_text
from ..core.site import File, Portal, text, tree

TRICKS = ["../evil.csv", "/tmp/roadsafety-evil.csv", "a/../../evil.csv", "..\\evil.csv", "C:\\evil.csv"]


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A server on this machine."""
    with Portal() as portal:
        yield portal


def zipped_as(name: str, content: bytes, link: bool = False) -> bytes:
    """A zip with one entry of any name, or a symbolic link."""
    file, entry = io.BytesIO(), zipfile.ZipInfo(name)
    if link:
        entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(entry, content)
    return file.getvalue()


@pytest.mark.parametrize("name", TRICKS)
def test_a_zip_that_is_loaded_writes_no_file(tmp_path: Path, name: str) -> None:
    """Its one CSV is read in memory, whatever it is called."""
    folder = tmp_path / "in" / "data"
    folder.mkdir(parents=True)
    for table in TABLES:
        (folder / f"{table}.zip").write_bytes(zipped_as(name, csv_text(table).encode()))
    before = tree(tmp_path)
    assert read.load_tables(str(folder), {})["collision"].num_rows == 1
    assert tree(tmp_path) == before
    assert not Path("/tmp/roadsafety-evil.csv").exists()


@pytest.mark.parametrize("name", TRICKS)
def test_a_zip_that_is_downloaded_is_cut_by_year_and_table_alone(portal: Portal, tmp_path: Path, name: str) -> None:
    """The names of its entries play no part in where its rows go."""
    portal.files["/collision-2024.zip"] = File(zipped_as(name, text("collision", 2024)))
    download.download(
        tmp_path / "x" / "raw", ["2024"], ["collision"], portal.url, "{table}-{release}.zip", {},
        allow_private_addresses=True,
    )  # fmt: skip
    assert list(tree(tmp_path)) == ["x/raw/2024/collision-2024.csv"]


def test_a_link_in_a_zip_is_read_as_the_text_that_it_is(tmp_path: Path) -> None:
    """It is not followed: /etc/passwd stays where it is."""
    (tmp_path / "a.zip").write_bytes(zipped_as("a.csv", b"/etc/passwd", link=True))
    assert sources.read_bytes(tmp_path / "a.zip") == b"/etc/passwd"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/..", "download"),
        ("/%2e%2e%2f%2e%2e%2fevil.csv", "_.._evil.csv"),
        ("/a/..%5Cevil.csv", "_evil.csv"),
        ("/%00evil.csv", "_evil.csv"),
        ("/.ssh", "ssh"),
        ("/" + "x" * 500 + ".csv", "x" * 146 + ".csv"),
    ],
)
def test_a_file_from_a_url_stays_in_its_folder(portal: Portal, path: str, name: str) -> None:
    """The last part of the path, made harmless; what the server calls it (Content-Disposition) is not asked."""
    portal.files = {p: File(b"a,b\n") for p in (path, "/")}
    with sources.open_sources(portal.url + path, allow_private_addresses=True) as (file,):
        assert file.name == name
        assert file.read_bytes() == b"a,b\n"


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "/", "a/b", "\0", "..\\..", "~", "-rf", "\n"])
def test_a_safe_name_is_one_part_of_a_path(tmp_path: Path, name: str) -> None:
    """And never empty, hidden, or a folder above."""
    safe = safe_name(name)
    assert safe
    assert (tmp_path / safe).parent == tmp_path
    assert not safe.startswith(".")


@pytest.mark.parametrize("release", ["../2024", "2024/../..", "/etc", "2024\n"])
def test_a_release_that_is_no_release_is_refused(tmp_path: Path, release: str) -> None:
    """Before anything is asked."""
    if release.strip() == "2024":
        assert list(download._release_names([release])) == ["2024"]
        return
    with pytest.raises(InputError, match="there can be no release"):
        download.download(tmp_path / "raw", [release], ["collision"], "http://x", "{table}-{release}.csv", {})


def test_a_table_that_is_no_table_is_refused(tmp_path: Path) -> None:
    """Tables are three names, not paths."""
    with pytest.raises(InputError, match=r"tables names \.\./evil"):
        download.download(tmp_path / "raw", ["2024"], ["../evil"], "http://x", "{table}-{release}.csv", {})


# Links that somebody else put in a shared folder


@pytest.mark.parametrize("to_folder", [False, True], ids=["to a file", "to a folder"])
def test_a_link_under_the_name_of_a_draft_is_not_followed(tmp_path: Path, to_folder: bool) -> None:
    """Output is first written to ``.<name>.partial``, a name that another user of the folder can guess."""
    victim = tmp_path / "victim"
    if to_folder:
        victim.mkdir()
        (victim / "kept").write_text("precious")
    else:
        victim.write_text("precious")
    (tmp_path / ".out.partial").symlink_to(victim)
    with replacing(tmp_path / "out") as (draft,):
        draft.write_text("mine")
    assert (tmp_path / "out").read_text() == "mine"
    assert not (tmp_path / "out").is_symlink()
    assert (victim / "kept" if to_folder else victim).read_text() == "precious"


def test_a_link_under_the_name_of_an_output_is_replaced_not_followed(tmp_path: Path) -> None:
    """As renaming does."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "out").symlink_to(tmp_path / "victim")
    with replacing(tmp_path / "out") as (draft,):
        draft.write_text("mine")
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "out").is_symlink()


def test_outputs_have_the_modes_that_the_umask_says(tmp_path: Path) -> None:
    """Nothing is made readable or writable for others on its own."""
    before = os.umask(0o077)
    try:
        with replacing(tmp_path / "out") as (draft,):
            draft.write_text("mine")
        assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
