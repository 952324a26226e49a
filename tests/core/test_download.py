"""Releases fetched from a server on this machine, kept for the next run, and put in a folder a year."""

import fcntl
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from roadsafety_components.components.download_stats19 import download_stats19
from roadsafety_components.core import cache, download
from roadsafety_components.core.errors import InputError

from .make import csv_text
from .site import HEADERS, Fault, File, Portal, text, tree, zipped

DFT = "dft-road-casualty-statistics-{table}-{release}.csv"


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A server with the three tables of 2023 and 2024, and of the last years."""
    with Portal() as portal:
        for table in HEADERS:
            for release, years in {"2023": [2023] * 2, "2024": [2024] * 3, "last-5-years": [2023, 2023, 2024]}.items():
                portal.files["/data/" + DFT.format(table=table, release=release)] = File(text(table, *years))
        yield portal


def path_of(table: str = "collision", release: str = "2024") -> str:
    """Where the server has a table."""
    return "/data/" + DFT.format(table=table, release=release)


def gather(portal: Portal, folder: Path, *releases: str, **how: object) -> dict:
    """Collect releases from the server, without waits."""
    usual = {"tables": ["collision"], "base_url": f"{portal.url}/data", "file_name": DFT, "table_names": {}}
    usual["allow_private_addresses"] = True  # the server is on this machine
    return download.download(
        folder, releases, **{**usual, "attempts": 2, "stall_seconds": 0.5, "wait_seconds": 0.0, **how}
    )


# What is fetched, and where it goes


def test_releases_become_a_folder_a_year(portal: Portal, tmp_path: Path) -> None:
    """The files are as published; the facts say what they are and where they are from."""
    facts = gather(portal, tmp_path / "raw", "2023-2024", tables=["collision", "vehicle", "casualty"])
    assert tree(tmp_path) == {
        f"raw/{year}/{table}-{year}.csv": text(table, *[year] * rows)
        for table in HEADERS
        for year, rows in {2023: 2, 2024: 3}.items()
    }
    downloads = facts.pop("downloads")
    assert facts == {
        "releases": ["2023", "2024"],
        "tables": ["collision", "vehicle", "casualty"],
        "years": [2023, 2024],
        "rows": {table: {"2023": 2, "2024": 3} for table in HEADERS},
    }
    assert downloads[0] == {
        "url": portal.url + path_of("collision", "2023"),
        "bytes": len(text("collision", 2023, 2023)),
        "sha256": "sha256:" + hashlib.sha256(text("collision", 2023, 2023)).hexdigest(),
        "from_cache": False,
        "last_modified": "Mon, 29 Sep 2025 09:30:00 GMT",
    }
    assert json.loads(json.dumps(facts)) == facts
    assert len(downloads) == len(portal.asked) == 6


@pytest.mark.parametrize(
    ("releases", "names"),
    [
        (["2024"], ["2024"]),
        ([2024.0], ["2024"]),
        (["2022-2024", "2023", "2019"], ["2022", "2023", "2024", "2019"]),
        (["last-5-years"], ["last-5-years"]),
        (["1979-latest"], ["1979-latest-published-year"]),
        (["provisional-2025"], ["provisional-mid-year-unvalidated-2025"]),
    ],
)
def test_releases_have_the_names_that_dft_gives_them(portal: Portal, tmp_path: Path, releases, names) -> None:
    """One file for each, none twice; the address may end with a slash."""
    for i, name in enumerate(names):
        portal.files[path_of(release=name)] = File(text("collision", 2000 + i))
    facts = gather(portal, tmp_path / "raw", *releases, base_url=f"{portal.url}/data/")
    assert [q.path for q in portal.asked] == [path_of(release=name) for name in names]
    assert facts["years"] == [2000 + i for i in range(len(names))]


def test_a_file_of_several_years_is_cut(portal: Portal, tmp_path: Path) -> None:
    """A folder a year, as if the years had been fetched one by one."""
    facts = gather(portal, tmp_path / "raw", "last-5-years")
    assert facts["rows"] == {"collision": {"2023": 2, "2024": 1}}
    assert list(tree(tmp_path / "raw")) == ["2023/collision-2023.csv", "2024/collision-2024.csv"]


def test_two_releases_with_the_same_year_are_refused(portal: Portal, tmp_path: Path) -> None:
    """Both are named, and nothing is left."""
    cache = tmp_path / "cache"
    with pytest.raises(
        InputError, match="collision-2024 is in two releases, 2024 and last-5-years; give releases that"
    ):
        gather(portal, tmp_path / "raw", "2024", "last-5-years", cache_folder=str(cache))
    assert list(tmp_path.iterdir()) == [cache]
    assert len(list(cache.iterdir())) == 4, "the files are good, and stay in the cache"


def test_two_csvs_of_one_table_and_year_are_refused(portal: Portal, tmp_path: Path) -> None:
    """In one archive, where neither is more right than the other."""
    portal.files["/data/all.zip"] = File(zipped(a=text("vehicle", 2015), b=text("vehicle", 2016, 2015)))
    with pytest.raises(InputError, match=r"b\.csv in all\.zip: there is another CSV of the vehicle table of 2015"):
        gather(portal, tmp_path / "raw", "2015-2016", file_name="all.zip")


def test_a_file_that_turns_out_bad_does_not_stay_in_the_cache(portal: Portal, tmp_path: Path) -> None:
    """The server announced less than it has, once; the next run gets the whole file."""
    body, cache = text("collision", *[2024] * 3), tmp_path / "cache"
    portal.faults[path_of()] = [Fault(headers={"Content-Length": str(len(body) - 9)}, stop_at=len(body) - 9)]
    with pytest.raises(InputError, match=r"collision-2024\.csv ends in the middle of a row, '20240': it was cut short"):
        gather(portal, tmp_path / "raw", "2024", cache_folder=str(cache))
    assert tree(tmp_path) == {}
    gather(portal, tmp_path / "raw", "2024", cache_folder=str(cache))
    assert (tmp_path / "raw/2024/collision-2024.csv").read_bytes() == body


def test_a_table_may_have_another_name_there_and_come_as_a_zip(portal: Portal, tmp_path: Path) -> None:
    """As in the releases of 2015 to 2019; the zip is known by its content alone."""
    names = {"collision": "Accidents", "casualty": "Casualties"}
    for table, name in {**names, "vehicle": "vehicle"}.items():
        portal.files[f"/data/{name}_2015.csv"] = File(zipped(anything=text(table, 2015)))
    how = {"file_name": "{table}_{release}.csv", "table_names": names, "tables": list(HEADERS)}
    gather(portal, tmp_path / "raw", "2015", **how)
    assert tree(tmp_path / "raw") == {f"2015/{t}-2015.csv": text(t, 2015) for t in sorted(HEADERS)}


def test_an_archive_of_all_tables_is_taken_apart(portal: Portal, tmp_path: Path) -> None:
    """Told by the headers; what stands before a name in the zip has no say in where it goes."""
    inside = {"a/Accidents7904": "collision", "../../../Casualty7904": "casualty", "/tmp/Vehicles7904": "vehicle"}
    archive = {name: text(table, 1979, 1980, 1979) for name, table in inside.items()}
    portal.files["/data/Stats19.zip"] = File(zipped(**archive, **{"__MACOSX/._Accidents7904": b"junk"}))
    facts = gather(portal, tmp_path / "x/raw", "1979-1980", file_name="Stats19.zip")
    assert facts["rows"] == {t: {"1979": 2, "1980": 1} for t in HEADERS}
    assert list(tree(tmp_path)) == [f"x/raw/{y}/{t}-{y}.csv" for y in (1979, 1980) for t in sorted(HEADERS)]
    assert len(portal.asked) == 1


def test_revisions_come_along_if_asked_for(portal: Portal, tmp_path: Path) -> None:
    """As published, beside the years."""
    portal.files["/data/dft-road-casualty-statistics-historical-revisions-data.csv"] = File(
        b"variable,old,new\na,1,2\n"
    )
    facts = gather(portal, tmp_path / "raw", "2024", revisions=True)
    assert (tmp_path / "raw/revisions.csv").read_bytes() == b"variable,old,new\na,1,2\n"
    assert facts["tables"] == ["collision"]
    assert len(facts["downloads"]) == 2


def test_the_licence_is_told_where_it_is_known(portal: Portal, tmp_path: Path, monkeypatch) -> None:
    """By the host of the address, here this machine."""
    assert download._LICENCES == {"data.dft.gov.uk": "Open Government Licence v3.0"}
    monkeypatch.setitem(download._LICENCES, "127.0.0.1", "free")
    assert gather(portal, tmp_path / "raw", "2024")["licence"] == "free"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"releases": ["1978"]}, r"there can be no release '1978'\. Give years from 1979 on \(2024\), ranges of them"),
        ({"releases": ["2024-2020"]}, "no release '2024-2020'"),
        ({"releases": ["1970-1980"]}, "no release '1970-1980'"),
        ({"releases": ["2024", "../2024"]}, "no release '../2024'"),
        ({"releases": ["provisional-1850"]}, "no release 'provisional-1850'"),
        ({"releases": ["last 5 years"]}, "no release 'last 5 years'"),
        ({"releases": [""]}, "no release ''"),
        ({"releases": []}, "releases is empty"),
        ({"tables": []}, "tables is empty"),
        ({"tables": ["accident"]}, "tables names accident; there are collision, vehicle, casualty"),
        ({"table_names": {"accidents": "x"}}, "table_names names accidents"),
        ({"tables": ["collision", "vehicle"], "table_names": {"vehicle": "collision"}}, "stands for two tables"),
        ({"file_name": ""}, "file_name is empty"),
        ({"base_url": "file:///etc"}, "base_url is 'file:///etc'; it begins with http:// or https://"),
        ({"base_url": "/data"}, "base_url is '/data'"),
        ({"base_url": "https:///data"}, "base_url is"),
        ({"attempts": 0}, "attempts is 0"),
        ({"stall_seconds": 0.0}, "stall_seconds 0"),
        ({"sha256": {"a.csv": "0" * 64}}, r"sha256 names a\.csv, which is not fetched; the files are dft-"),
        ({"sha256": {DFT.format(table="collision", release="2024"): "abc"}}, "a digest has 64 digits"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(portal: Portal, tmp_path: Path, how, told) -> None:
    """A slip costs no download."""
    with pytest.raises(InputError, match=told):
        gather(portal, tmp_path / "raw", *how.pop("releases", ["2024"]), **how)
    assert portal.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_not_replaced(portal: Portal, tmp_path: Path) -> None:
    """They may be somebody's only copy; an empty folder is taken, and what a killed run left goes."""
    (tmp_path / "raw").mkdir()
    (tmp_path / ".raw.partial/2020").mkdir(parents=True)
    (tmp_path / "raw/mine").touch()
    with pytest.raises(InputError, match="raw is there already, and not empty; choose another folder or remove it"):
        gather(portal, tmp_path / "raw", "2024")
    (tmp_path / "raw/mine").unlink()
    gather(portal, tmp_path / "raw", "2024")
    assert list(tree(tmp_path)) == ["raw/2024/collision-2024.csv"]


# What a server may give in place of the file


BAD = {
    "web page": (b"\xef\xbb\xbf\n <!DOCTYPE html><title>moved</title>", "gives a web page, not data"),
    "nothing": (b"", "gives an empty file"),
    "blanks": (b"\r\n \n", "gives an empty file"),
    "damaged zip": (zipped(a=text("collision", 2024) * 50)[:-30], "gives an archive that is damaged or cut short"),
    "changed zip": (
        zipped(a=bytes(9999)).replace(b"\xed", b"\x00", 1),
        "gives an archive that is damaged or cut short",
    ),
    "damaged gzip": (gzip.compress(text("collision", 2024))[:-9], "gives an archive that is damaged or cut short"),
    "message": (b'{"error": "try again later"}', "no collision_index or accident_index or acc_index is in the header"),
    "other table": (text("vehicle", 2024), "holds the vehicle table, not the collision table; see table_names"),
    "other table in a zip": (zipped(a=text("vehicle", 2024)), "holds the vehicle table, not the collision table"),
    "zip without CSV": (zipped(), r"there is no CSV in the zip; it holds \[\]"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_data_is_refused_and_not_kept(portal: Portal, tmp_path: Path, kind: str) -> None:
    """The message names the address; nothing is left in the output or in the cache."""
    body, told = BAD[kind]
    portal.files[path_of()].body = body
    with pytest.raises(InputError, match=f"{re.escape(portal.url + path_of())}.* {told}"):
        gather(portal, tmp_path / "raw", "2024", cache_folder=str(tmp_path / "cache"))
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("kind", BAD)
def test_a_good_copy_is_not_lost_to_bad_data(portal: Portal, tmp_path: Path, capsys, kind: str) -> None:
    """A log-in page on the way out, say: the copy in the cache is used, and stays."""
    cache = tmp_path / "cache"
    gather(portal, tmp_path / "raw", "2024", cache_folder=str(cache))
    kept = tree(cache)
    portal.files[path_of()] = File(BAD[kind][0], etag='"second"')
    facts = gather(portal, tmp_path / "again", "2024", cache_folder=str(cache))
    assert facts["downloads"][0]["from_cache"] is True
    assert tree(cache) == kept
    warned = rf"WARNING: dft\S+ is used as it is in the cache: .*{portal.url}.* {BAD[kind][1]}"
    assert re.search(warned, capsys.readouterr().out)


def test_another_digest_than_expected_is_refused_and_not_kept(portal: Portal, tmp_path: Path) -> None:
    """Both digests are in the message; the right one, with or without its prefix, passes."""
    name, digest = DFT.format(table="collision", release="2024"), hashlib.sha256(text("collision", *[2024] * 3))
    how = {"cache_folder": str(tmp_path / "cache")}
    told = f"{portal.url}.* has sha256:{digest.hexdigest()}, but sha256:{'0' * 64} was expected"
    with pytest.raises(InputError, match=told):
        gather(portal, tmp_path / "raw", "2024", sha256={name: "0" * 64}, **how)
    assert tree(tmp_path) == {}
    gather(portal, tmp_path / "raw", "2024", sha256={name: digest.hexdigest().upper()}, **how)
    asked = len(portal.asked)
    gather(portal, tmp_path / "again", "2024", sha256={name: f"sha256:{digest.hexdigest()}"}, **how)
    assert len(portal.asked) == asked, "a copy with the expected digest is not asked for"
    with pytest.raises(InputError, match=told):
        gather(portal, tmp_path / "third", "2024", sha256={name: "0" * 64}, **how)


@pytest.mark.parametrize("methods", ["GET HEAD", "GET"])
def test_a_release_that_is_not_there_names_those_that_are(portal: Portal, tmp_path: Path, methods: str) -> None:
    """Single years about it, whether the server knows HEAD or not; few questions, and one error."""
    for file in portal.files.values():
        file.methods = methods
    portal.files[path_of(release="2016")] = File(text("collision", 2016), times=10_000, methods=methods)
    told = f"there is no such release: {portal.url}{path_of(release='2018')} gives HTTP status 404"
    with pytest.raises(InputError, match=told + r"\. Single years that are there: 2016, 2023, 2024\.$"):
        gather(portal, tmp_path / "raw", "2018")
    assert len(portal.asked) < 40
    assert list(tmp_path.iterdir()) == []


def test_a_server_without_any_year_is_told(portal: Portal, tmp_path: Path) -> None:
    """The address is likely wrong; a store of objects says 403 for what it does not have."""
    with pytest.raises(InputError, match=r"HTTP status 404\. Nor are there the years 2019, 2020, .*: check base_url"):
        gather(portal, tmp_path / "raw", "2024", base_url=f"{portal.url}/elsewhere")
    portal.faults[path_of()] = [Fault(status=403)]
    with pytest.raises(
        InputError, match=r"release \(or no access\): .* HTTP status 403\. Single years that are there: 2023, 2024"
    ):
        gather(portal, tmp_path / "raw", "2024")


@pytest.mark.parametrize("silent", [False, True])
def test_a_server_that_cannot_say_which_years_there_are(portal: Portal, tmp_path: Path, monkeypatch, silent) -> None:
    """It fails or falls silent: the message says so, after a short while."""
    monkeypatch.setattr(download, "_PROBE_SECONDS", 0.1)
    waiting = threading.Event()
    trouble = Fault(first=lambda: waiting.wait(0.5)) if silent else Fault(status=500)
    portal.files.clear()
    portal.faults = {path_of(release=str(y)): [trouble] * 9 for y in range(1979, 2101)}
    portal.faults[path_of(release="2018")] = [Fault()]
    with pytest.raises(InputError, match=r"HTTP status 404\. The server could not say which years there are\."):
        gather(portal, tmp_path / "raw", "2018")


def test_an_archive_that_is_not_there_is_told(portal: Portal, tmp_path: Path) -> None:
    """Without {release} there are no other years to ask for; nor are there for the revisions."""
    with pytest.raises(InputError, match=r"all\.zip gives HTTP status 404\. Check base_url and file_name\."):
        gather(portal, tmp_path / "raw", "1979-2004", file_name="all.zip")
    with pytest.raises(InputError, match=r"could not fetch .*historical-revisions-data\.csv: HTTP status 404"):
        gather(portal, tmp_path / "raw", "2024", revisions=True)


# The cache


def test_what_is_in_the_cache_is_not_sent_again(portal: Portal, tmp_path: Path, capsys) -> None:
    """The second run only asks whether the server has another file (304); each file has its card beside it."""
    how = {"cache_folder": str(tmp_path / "cache"), "tables": list(HEADERS)}
    first = gather(portal, tmp_path / "one", "2024", **how)
    del portal.asked[:]
    second = gather(portal, tmp_path / "two", "2024", **how)
    assert portal.statuses() == [304, 304, 304]
    assert {q.headers["If-None-Match"] for q in portal.asked} == {'"first"'}
    assert {q.headers["If-Modified-Since"] for q in portal.asked} == {"Mon, 29 Sep 2025 09:30:00 GMT"}
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert second == first | {"downloads": [d | {"from_cache": True} for d in first["downloads"]]}
    names = [DFT.format(table=table, release="2024") for table in sorted(HEADERS)]
    assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == sorted([*names, *[f"{n}.json" for n in names]])
    card = json.loads((tmp_path / "cache" / f"{names[1]}.json").read_text())
    assert card == {
        "url": portal.url + path_of(),
        "bytes": len(text("collision", *[2024] * 3)),
        "sha256": first["downloads"][0]["sha256"],
        "etag": '"first"',
        "last_modified": "Mon, 29 Sep 2025 09:30:00 GMT",
    }
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"dft\S+-collision-2024\.csv: 0\.0 MB in \d\.\d s", lines[0])
    assert re.fullmatch(r"dft\S+-collision-2024\.csv: 0\.0 MB from the cache, unchanged on the server", lines[6])


def test_a_file_that_changed_on_the_server_is_fetched_again(portal: Portal, tmp_path: Path) -> None:
    """And takes the old one's place."""
    how = {"cache_folder": str(tmp_path / "cache")}
    gather(portal, tmp_path / "one", "last-5-years", **how)
    portal.files[path_of(release="last-5-years")] = File(text("collision", 2025), etag='"second"', modified="")
    facts = gather(portal, tmp_path / "two", "last-5-years", **how)
    assert (facts["years"], facts["downloads"][0]["from_cache"]) == ([2025], False)
    assert gather(portal, tmp_path / "three", "last-5-years", **how)["years"] == [2025]
    assert portal.statuses() == [200, 200, 304]


def test_the_cache_serves_where_there_is_no_server(portal: Portal, tmp_path: Path, capsys) -> None:
    """One try, a warning, the same output; without the file in the cache it is an error."""
    how = {"cache_folder": str(tmp_path / "cache")}
    gather(portal, tmp_path / "one", "2024", **how)
    portal.__exit__()
    facts = gather(portal, tmp_path / "two", "2024", **how)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert facts["downloads"][0]["from_cache"] is True
    out = capsys.readouterr().out
    assert re.search(r"WARNING: dft\S+ is used as it is in the cache: could not fetch http.*: ConnectError", out)
    assert "failed" not in out
    with pytest.raises(InputError, match=r"could not fetch .*collision-2023\.csv: ConnectError"):
        gather(portal, tmp_path / "three", "2023", **how)


@pytest.mark.parametrize("content", [b"collision_index,a\n2024,1\n", text("collision", 2024, 2024, 2023)])
def test_a_file_that_is_not_what_its_card_says_is_fetched_again(portal, tmp_path, capsys, content: bytes) -> None:
    """Of another size or, of the same size, with another digest; with a warning."""
    how = {"cache_folder": str(tmp_path / "cache")}
    gather(portal, tmp_path / "one", "2024", **how)
    file = tmp_path / "cache" / DFT.format(table="collision", release="2024")
    file.write_bytes(content)
    gather(portal, tmp_path / "two", "2024", **how)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert file.read_bytes() == text("collision", *[2024] * 3)
    assert re.search(r"WARNING: \S+ is not what dft\S+\.json says; it is fetched again", capsys.readouterr().out)
    assert portal.statuses() == [200, 200]


@pytest.mark.parametrize("card", ["", "{}", "[]", "null", '{"url": 1}'])
def test_a_file_without_a_good_card_is_fetched_again(portal: Portal, tmp_path: Path, card: str) -> None:
    """Nobody knows what it is."""
    how = {"cache_folder": str(tmp_path / "cache")}
    gather(portal, tmp_path / "one", "2024", **how)
    (tmp_path / "cache" / (DFT.format(table="collision", release="2024") + ".json")).write_text(card)
    gather(portal, tmp_path / "two", "2024", **how)
    assert portal.statuses() == [200, 200]


def test_the_same_name_from_another_address_is_another_file(portal: Portal, tmp_path: Path) -> None:
    """Two servers may use DfT's names."""
    how = {"cache_folder": str(tmp_path / "cache")}
    portal.files["/mirror/" + DFT.format(table="collision", release="2024")] = File(text("collision", 2024))
    gather(portal, tmp_path / "one", "2024", **how)
    facts = gather(portal, tmp_path / "two", "2024", base_url=f"{portal.url}/mirror", **how)
    assert facts["rows"] == {"collision": {"2024": 1}}


def test_a_run_that_broke_off_is_continued_by_the_next(portal: Portal, tmp_path: Path, capsys) -> None:
    """The part that came stays in the cache; only the rest is sent then."""
    portal.files[path_of()] = File(text("collision", *[2024] * 50_000))
    portal.faults[path_of()] = [Fault(stop_at=600_000)]
    how = {"cache_folder": str(tmp_path / "cache"), "attempts": 1}
    with pytest.raises(InputError, match=r"could not fetch .*: RemoteProtocolError"):
        gather(portal, tmp_path / "raw", "2024", **how)
    assert [p.name for p in tmp_path.iterdir()] == ["cache"]
    facts = gather(portal, tmp_path / "raw", "2024", **how)
    assert (tmp_path / "raw/2024/collision-2024.csv").read_bytes() == portal.files[path_of()].body
    assert portal.asked[1].headers["Range"] == "bytes=600000-"
    assert facts["downloads"][0]["sha256"] == "sha256:" + hashlib.sha256(portal.files[path_of()].body).hexdigest()
    assert re.search(r"0\.\d MB in \d\.\d s, resumed at 0\.6 MB", capsys.readouterr().out)
    name = DFT.format(table="collision", release="2024")
    assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == [name, f"{name}.json"]


def test_queries_of_base_url_have_their_own_places_in_the_cache(portal: Portal, tmp_path: Path) -> None:
    """The file's name and what is shown of the URL are the same for both releases; the files are not."""
    files = {"2023": text("collision", 2023), "2024": text("collision", 2024, 2024)}
    how = {"file_name": "c.csv", "cache_folder": str(tmp_path / "cache")}
    for release, body in files.items():
        portal.files = {f"/get?release={release}&file=/c.csv": File(body, etag="")}
        base = f"{portal.url}/get?release={release}&file="
        facts = gather(portal, tmp_path / release, release, base_url=base, **how)
        assert facts["downloads"][0]["url"] == f"{portal.url}/get?release=***&file=***"
        assert facts["downloads"][0]["from_cache"] is False
        assert tree(tmp_path / release) == {f"{release}/collision-{release}.csv": body}
    assert len(tree(tmp_path / "cache")) == 4


@pytest.mark.parametrize(
    ("file_name", "kept"),
    [
        ("../../{table}-{release}.csv", "_.._collision-2024.csv"),
        ("{release}/{table}.csv", "2024_collision.csv"),
        ("get?table={table}&year={release}", "fdc39bbb-get"),
        (".{table}", "collision"),
        ("Road Safety {table}.csv", "Road Safety collision.csv"),
    ],
)
def test_no_name_leads_out_of_the_cache(portal: Portal, tmp_path: Path, file_name: str, kept: str) -> None:
    """What stands in a path is part of the name there."""
    body = File(text("collision", 2024))
    wanted = {"/collision-2024.csv", "/data/2024/collision.csv", "/data/get?table=collision&year=2024",
              "/data/.collision", "/data/Road%20Safety%20collision.csv", "/data/../../collision-2024.csv"}  # fmt: skip
    portal.files = dict.fromkeys(wanted, body)
    gather(portal, tmp_path / "x/raw", "2024", file_name=file_name, cache_folder=str(tmp_path / "x/cache"))
    assert sorted(tree(tmp_path)) == [f"x/cache/{kept}", f"x/cache/{kept}.json", "x/raw/2024/collision-2024.csv"]


def test_a_table_name_leads_nowhere_either(portal: Portal, tmp_path: Path) -> None:
    """Names of the output are made of the table and the year alone."""
    portal.files["/etc/2024"] = portal.files["/data/../etc/2024"] = File(text("collision", 2024))
    how = {"table_names": {"collision": "../etc"}, "file_name": "{table}/{release}"}
    gather(portal, tmp_path / "x/raw", "2024", **how)
    assert list(tree(tmp_path)) == ["x/raw/2024/collision-2024.csv"]


# Several runs


def run(portal: Portal, folder: Path) -> "subprocess.Popen[str]":
    """Another process that collects 2024 into ``folder``, with a cache beside it."""
    script = f"""
        from roadsafety_components.core.download import download
        download({str(folder)!r}, ["2024"], ["collision"], "{portal.url}/data", {DFT!r}, {{}},
                cache_folder={str(folder.parent / "cache")!r}, allow_private_addresses=True)
        """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)


def test_of_two_runs_at_once_one_waits_for_the_other(portal: Portal, tmp_path: Path) -> None:
    """Two processes, one cache: the file is sent once, and both outputs are whole."""
    asked, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        asked.set()
        go_on.wait(20)

    portal.faults[path_of()] = [Fault(first=hold)]
    with run(portal, tmp_path / "one") as one:
        assert asked.wait(20)
        with run(portal, tmp_path / "two") as two:
            assert two.stdout.readline().startswith("waiting for another run that fetches dft-")
            go_on.set()
            two.communicate()
            one.communicate()
    assert (one.returncode, two.returncode) == (0, 0)
    assert portal.statuses() == [200, 304]
    assert (
        tree(tmp_path / "one") == tree(tmp_path / "two") == {"2024/collision-2024.csv": text("collision", *[2024] * 3)}
    )
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_run_that_was_killed_is_no_hindrance(portal: Portal, tmp_path: Path) -> None:
    """Its lock is gone with it, its part is continued, and nothing of it is left at the end."""
    portal.files[path_of()] = File(text("collision", *[2024] * 50_000))
    portal.faults[path_of()] = [Fault(stop_at=600_000, silent=True)]
    draft = tmp_path / "cache" / f".{DFT.format(table='collision', release='2024')}.partial"
    with run(portal, tmp_path / "raw") as killed:
        while not (draft.exists() and draft.stat().st_size > 500_000):
            assert killed.poll() is None
        killed.kill()
    assert not (tmp_path / "raw").exists()
    gather(portal, tmp_path / "raw", "2024", cache_folder=str(tmp_path / "cache"))
    assert portal.statuses() == [200, 206]
    assert list(tree(tmp_path / "raw")) == ["2024/collision-2024.csv"]
    assert len(list((tmp_path / "cache").iterdir())) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "raw"]


def test_a_volume_without_locks_serves_too(portal: Portal, tmp_path: Path, monkeypatch) -> None:
    """Each run then writes a draft of its own, and leaves none."""

    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    gather(portal, tmp_path / "raw", "2024", cache_folder=str(tmp_path / "cache"))
    assert len(tree(tmp_path / "cache")) == 2
    portal.files[path_of()] = File(text("collision", *[2024] * 50_000), etag='"second"')
    portal.faults[path_of()] = [Fault(stop_at=600_000)] * 2
    gather(portal, tmp_path / "again", "2024", cache_folder=str(tmp_path / "cache"), attempts=1)  # with the old copy
    assert len(tree(tmp_path / "cache")) == 2
    facts = gather(portal, tmp_path / "third", "2024", cache_folder=str(tmp_path / "cache"))
    assert facts["rows"] == {"collision": {"2024": 50_000}}
    assert portal.statuses() == [200, 200, 200, 206]
    assert len(tree(tmp_path / "cache")) == 2


def test_a_lock_on_a_file_that_is_gone_is_none(tmp_path: Path, monkeypatch) -> None:
    """Who held the lock removes its file; whoever gets hold of that file then must lock the next one."""
    path, lock = tmp_path / ".a.lock", fcntl.flock

    def late(opened: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        path.unlink()  # as the other run does between our opening and our locking
        lock(opened, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with cache._locked(path) as held:
        assert held
        assert path.exists()
    assert not path.exists()


def test_a_lock_that_is_never_released_is_not_waited_for_forever(portal: Portal, tmp_path: Path, monkeypatch) -> None:
    """The run goes on with a draft of its own; the other's lock and draft are not touched."""
    monkeypatch.setattr("roadsafety_components.core.cache._LONGEST_LOCK", 0.3)
    cache, name = tmp_path / "cache", DFT.format(table="collision", release="2024")
    cache.mkdir()
    (cache / f".{name}.partial").write_bytes(b"theirs")
    held = os.open(cache / f".{name}.lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        gather(portal, tmp_path / "raw", "2024", cache_folder=str(cache))
    finally:
        os.close(held)
    assert sorted(tree(cache)) == sorted([f".{name}.lock", f".{name}.partial", name, f"{name}.json"])
    assert (cache / f".{name}.partial").read_bytes() == b"theirs"


def test_a_cache_that_cannot_be_is_told(portal: Portal, tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "cache").touch()
    with pytest.raises(InputError, match=r"cannot write .*cache.*Choose a folder that is writable"):
        gather(portal, tmp_path / "raw", "2024", cache_folder=str(tmp_path / "cache"))
    assert [p.name for p in tmp_path.iterdir()] == ["cache"]


# The step, and real records


def artifact(folder: Path) -> SimpleNamespace:
    """What the step needs of its output."""
    return SimpleNamespace(path=str(folder), metadata={})


def test_the_step_writes_the_folder_and_the_facts(portal: Portal, tmp_path: Path) -> None:
    """Numbers may come as floats, as KFP hands them on in lists."""
    for table in HEADERS:
        portal.files[f"/{table}-2024.csv"] = File(csv_text(table).encode())
    raw = artifact(tmp_path / "raw")
    download_stats19.python_func(
        raw, releases=[2024.0], base_url=portal.url, file_name="{table}-{release}.csv", attempts=1.0,
        allow_private_addresses=True,
    )  # fmt: skip
    assert tree(tmp_path / "raw") == {f"2024/{t}-2024.csv": csv_text(t).encode() for t in sorted(HEADERS)}
    assert raw.metadata["rows"] == {t: {"2024": 1} for t in HEADERS}
    assert "licence" not in raw.metadata


@pytest.mark.real_data
def test_great_britain_2015_comes_out_as_published(great_britain: Path, tmp_path: Path) -> None:
    """The zips of 2016, served and cut: every byte of the CSVs in them."""
    names = {"collision": "Accidents", "vehicle": "Vehicles", "casualty": "Casualties"}
    raw = artifact(tmp_path / "raw")
    with Portal() as portal:
        for name in names.values():
            zipped_file = great_britain / f"RoadSafetyData_{name}_2015.zip"
            portal.files[f"/data/{zipped_file.name}"] = File(zipped_file.read_bytes())
        download_stats19.python_func(
            raw,
            releases=["2015"],
            base_url=f"{portal.url}/data/",
            file_name="RoadSafetyData_{table}_{release}.zip",
            table_names=names,
            allow_private_addresses=True,
        )
    assert raw.metadata["rows"] == {
        "collision": {"2015": 140056},
        "vehicle": {"2015": 257845},
        "casualty": {"2015": 186189},
    }
    for table, name in names.items():
        with zipfile.ZipFile(great_britain / f"RoadSafetyData_{name}_2015.zip") as archive:
            assert (tmp_path / f"raw/2015/{table}-2015.csv").read_bytes() == archive.read(f"{name}_2015.csv")


@pytest.mark.real_data
def test_west_yorkshire_2024_comes_out_as_published(west_yorkshire: Path, tmp_path: Path) -> None:
    """By the names that DfT gives the files today."""
    raw = artifact(tmp_path / "raw")
    with Portal() as portal:
        for file in west_yorkshire.glob("*.csv"):
            portal.files[f"/{file.name}"] = File(file.read_bytes())
        download_stats19.python_func(raw, base_url=portal.url, allow_private_addresses=True)
    assert raw.metadata["rows"] == {"collision": {"2024": 4060}, "vehicle": {"2024": 7355}, "casualty": {"2024": 5240}}
    for table in HEADERS:
        published = west_yorkshire / DFT.format(table=table, release="2024")
        assert (tmp_path / f"raw/2024/{table}-2024.csv").read_bytes() == published.read_bytes()
