"""Known vulnerabilities, from entries in the OSV schema."""

import json
import zipfile

import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.packaging import osv

ENTRY = {
    "id": "PYSEC-2030-1",
    "modified": "2030-02-03T00:00:00Z",
    "aliases": ["CVE-2030-1"],
    "summary": "Roads end too soon.",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Road_Works"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.4"},
                                                        {"introduced": "2.0"}, {"last_affected": "2.1"}]}],
            "versions": ["0.5-old"],
        }
    ],
}  # fmt: skip


def _folder(tmp_path, *entries):
    for entry in entries:
        (tmp_path / f"{entry['id']}.json").write_text(json.dumps(entry))
    return tmp_path


@pytest.mark.parametrize(
    ("version", "hit"),
    [("0.9", False), ("1.0", True), ("1.3.9", True), ("1.4rc1", True), ("1.4", False), ("1.10", False), ("2.0", True),
     ("2.1", True), ("2.1.1", False), ("3", False)],
)  # fmt: skip
def test_a_version_is_within_a_range_or_not(tmp_path, version, hit):
    """Introduced counts, fixed does not any more, last affected does; versions are ordered as versions."""
    found = osv.audit({"road-works": version}, _folder(tmp_path, ENTRY)).found
    assert [f.package for f in found] == ["road-works"] * hit


def test_what_is_told(tmp_path):
    """Identifiers with aliases, versions without it, the summary; age and size of the database."""
    told = osv.audit({"ROAD.works": "1.2", "other": "1.2"}, _folder(tmp_path, ENTRY))
    assert told.found == (
        osv.Vulnerability("road-works", "1.2", ("PYSEC-2030-1", "CVE-2030-1"), ("1.4",), "Roads end too soon."),
    )
    assert (told.entries, told.newest) == (1, "2030-02-03T00:00:00Z")


def test_listed_versions_withdrawn_entries_and_other_ecosystems(tmp_path):
    """A list counts beside ranges; what was withdrawn or is of npm does not."""
    listed = {**ENTRY, "affected": [{**ENTRY["affected"][0], "ranges": [], "versions": ["1.2"]}]}
    npm = {"package": {"ecosystem": "npm", "name": "road-works"}, "versions": ["1.2"]}
    for entry, count in (
        (listed, 1),
        ({**ENTRY, "withdrawn": "2030-03-01T00:00:00Z"}, 0),
        ({**ENTRY, "affected": [npm]}, 0),
    ):
        assert len(osv.audit({"road-works": "1.2"}, _folder(tmp_path, entry)).found) == count


def test_aliases_are_one_thing_and_a_zip_is_read(tmp_path):
    """GHSA's and PYSEC's entry of one CVE are named once."""
    twin = {**ENTRY, "id": "GHSA-xxxx", "aliases": ["CVE-2030-1", "PYSEC-2030-1"]}
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for entry in (ENTRY, twin):
            archive.writestr(f"{entry['id']}.json", json.dumps(entry))
    told = osv.audit({"road-works": "1.2"}, path)
    assert [f.ids[0] for f in told.found] == ["GHSA-xxxx"]
    assert told.entries == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "a zip or folder with the OSV database was expected"), ("{}", "is not an entry of the OSV database"),
     ("", "no entry of the OSV database is in it")],
)  # fmt: skip
def test_a_database_that_is_none_is_refused(tmp_path, content, message):
    """A wrong path must not look like a clean result."""
    if content:
        (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match=message):
        osv.audit({"road-works": "1.2"}, tmp_path if content is not None else tmp_path / "nowhere.zip")


def test_a_version_that_cannot_be_compared_is_refused(tmp_path):
    """It would pass any range."""
    with pytest.raises(InputError, match="road-works latest: that is no version"):
        osv.audit({"road-works": "latest"}, _folder(tmp_path, ENTRY))
