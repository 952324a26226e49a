"""Passwords and tokens: sent to the server that they are for, and told to nobody else."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from roadsafety_components.cli.access import Access, check_access
from roadsafety_components.core import download, read
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.fetch import fetch, shown

from ..core.make import csv_text
from ..core.site import Fault, File, Portal, text, tree

SECRET = "s3cret"


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A server on this machine."""
    with Portal() as portal:
        yield portal


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://host/a.csv", "https://host/a.csv"),
        ("https://user:s3cret@host:8080/a.csv", "https://host:8080/a.csv"),
        ("https://s3cret@host/a.csv", "https://host/a.csv"),
        ("https://user:s3c/r?et@host/a.csv", "https://host/a.csv"),
        ("https://user:s3c:r@t@host/a.csv", "https://host/a.csv"),
        ("https://host/a.csv?sv=2024&sig=s3cret%3D", "https://host/a.csv?sv=***&sig=***"),
        ("https://host/a.csv?s3cret", "https://host/a.csv?***"),
        ("https://host/a.csv?a=1&s3cret", "https://host/a.csv?a=***&***"),
        ("https://host/a.csv?s3cret==", "https://host/a.csv?s3cret=***"),
        ("https://host/a.csv#s3cret", "https://host/a.csv"),
        ("s3://key:s3cret@bucket/a.csv", "s3://bucket/a.csv"),
        ("http://user:s3cret@[::1/a.csv", "http://[::1/a.csv"),
        ("collision-2024.csv?sig=s3cret", "collision-2024.csv?sig=***"),
        ("http://user:12/s3cret@host/f", "http://host/f"),  # the password's beginning could be a port
        ("http://user:1#s3cret@host/f", "http://host/f"),
        ("http://user:1?s3cret=2@host/f", "http://host/f"),
        ("http://user:s3@cr/et@host/f", "http://host/f"),
        ("user:s3cret@proxy:3128", "proxy:3128"),
        ("https://host/a@b.csv?mail=a@b", "https://host/a@b.csv?mail=***"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, told: str) -> None:
    """User, password, the values of the query, the fragment; names in a query are no secrets."""
    assert shown(url) == told


def test_the_command_shows_addresses_in_the_same_way() -> None:
    """One function decides what of an address is told."""
    with pytest.raises(InputError, match=r"^--host http://host/f: no user and password in the address") as caught:
        check_access(Access(host="http://user:12/s3cret@host/f"))
    assert "12" not in str(caught.value)


def test_what_is_no_url_is_refused_without_telling_the_secrets_in_it(tmp_path: Path) -> None:
    """The reason that httpx gives quotes a part of the password."""
    with pytest.raises(InputError, match=r"could not fetch http://host/f: it, or .* proxy, is not a URL") as caught:
        fetch("http://user:s3cret/x@host/f", tmp_path / "f", attempts=1)
    assert SECRET not in str(caught.value)


def test_errors_and_tries_do_not_tell_the_secrets_of_a_url(portal: Portal, tmp_path: Path, capsys) -> None:
    """Of a server that fails."""
    url = f"{portal.url}/a.csv?sig={SECRET}".replace("://", f"://user:{SECRET}@")
    portal.files[f"/a.csv?sig={SECRET}"] = File(b"a,b\n")
    portal.faults[f"/a.csv?sig={SECRET}"] = [Fault(status=503)] * 3
    with pytest.raises(InputError, match=r"could not fetch http://127\.0\.0\.1:\d+/a\.csv\?sig=\*\*\*: HTTP") as caught:
        fetch(url, tmp_path / "a.csv", attempts=3, wait_seconds=0.0, allow_private_addresses=True)
    out = capsys.readouterr().out
    assert out.count("failed") == 3
    assert SECRET not in out + str(caught.value)


@pytest.mark.parametrize(
    "source",
    ["s3://key:s3cret@bucket/{table}.csv", "http://user:s3cret@[::1/a.csv", "https://user:s3cret@", "ftp://s3cret@h/a"],
)
def test_a_url_that_cannot_be_used_is_told_without_its_secrets(source: str) -> None:
    """A slip of the hand is no reason to print a password."""
    with pytest.raises(InputError) as caught:
        read.load_tables(source, {})
    assert SECRET not in str(caught.value)


def test_a_table_loaded_from_a_url_does_not_remember_its_secrets(portal: Portal, capsys) -> None:
    """Neither in the facts that become the artifact's metadata, nor in the log."""
    for table in ("collision", "vehicle", "casualty"):
        portal.files[f"/{table}.csv?sig={SECRET}"] = File(csv_text(table).encode())
    source = f"{portal.url}/{{table}}.csv?sig={SECRET}".replace("://", f"://user:{SECRET}@")
    tables = read.load_tables(source, {}, allow_private_addresses=True)
    told = str({name: table.schema.metadata for name, table in tables.items()})
    assert "collision.csv" in told
    assert SECRET not in told + capsys.readouterr().out
    assert {q.headers["Authorization"] for q in portal.asked} == {"Basic dXNlcjpzM2NyZXQ="}


def test_a_file_is_not_named_after_a_password(portal: Portal) -> None:
    """Of a URL without a path the file has the name of the host."""
    portal.files["/"] = File(b"not a table\n1\n")
    with pytest.raises(InputError, match="no collision and no vehicle and no casualty table") as caught:
        read.load_tables(portal.url.replace("://", f"://user:{SECRET}@"), {}, allow_private_addresses=True)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("fails", [False, True], ids=["good", "not there"])
def test_a_download_leaves_no_secret_behind(portal: Portal, tmp_path: Path, capsys, fails: bool) -> None:
    """In the folder, in the cache and its cards, in the facts, in the log, in the error."""
    if not fails:
        portal.files[f"/data/collision-2024.csv?sig={SECRET}"] = File(text("collision", 2024))
    how = {"cache_folder": str(tmp_path / "cache"), "attempts": 2, "wait_seconds": 0.0, "allow_private_addresses": True}
    base = f"{portal.url}/data".replace("://", f"://user:{SECRET}@")
    told = ""
    try:
        facts = download.download(
            tmp_path / "raw", ["2024"], ["collision"], base, f"{{table}}-{{release}}.csv?sig={SECRET}", {}, **how
        )
        assert facts["downloads"][0]["url"] == f"{portal.url}/data/collision-2024.csv?sig=***"
        told = json.dumps(facts)
    except InputError as error:
        assert fails
        told = str(error)
        assert "collision-2024.csv?sig=***" in told
    kept = tree(tmp_path)
    assert bool(kept) != fails
    assert SECRET not in told + capsys.readouterr().out + " ".join(kept)
    assert SECRET.encode() not in b" ".join(kept.values())
    assert all(SECRET in q.path for q in portal.asked)


def test_a_token_that_is_renewed_does_not_pass_for_another_file(portal: Portal, tmp_path: Path) -> None:
    """Two queries are two files in the cache: what one gave is never used for the other."""
    for release, sig in (("2024", "a"), ("2023", "b")):
        portal.files[f"/get?sig={sig}"] = File(text("collision", int(release)))
        facts = download.download(
            tmp_path / release, [release], ["collision"], portal.url, f"get?sig={sig}", {},
            cache_folder=str(tmp_path / "cache"), allow_private_addresses=True,
        )  # fmt: skip
        assert facts["years"] == [int(release)]


def test_a_download_that_broke_off_keeps_no_secret_beside_the_draft(portal: Portal, tmp_path: Path) -> None:
    """What the next run continues from."""
    path = f"/data/collision-2024.csv?sig={SECRET}"
    portal.files[path] = File(text("collision", 2024) * 1000)
    portal.faults[path] = [Fault(stop_at=100)] * 2
    with pytest.raises(InputError):
        download.download(
            tmp_path / "raw", ["2024"], ["collision"], f"{portal.url}/data", f"{{table}}-{{release}}.csv?sig={SECRET}",
            {}, cache_folder=str(tmp_path / "cache"), attempts=2, wait_seconds=0.0, allow_private_addresses=True,
        )  # fmt: skip
    kept = tree(tmp_path / "cache")
    assert "sig=***" in str(kept)
    assert SECRET not in str(kept)


def test_httpx_does_not_log_urls_where_everything_is_logged(portal: Portal, tmp_path: Path, caplog) -> None:
    """KFP sets the log to INFO, at which httpx writes the whole of every URL."""
    portal.files[f"/a.csv?sig={SECRET}"] = File(b"a,b\n")
    logging.getLogger("httpx").setLevel(logging.NOTSET)
    with caplog.at_level(logging.INFO):
        fetch(f"{portal.url}/a.csv?sig={SECRET}", tmp_path / "a.csv", allow_private_addresses=True)
    assert SECRET not in caplog.text


# A password that is in no URL


def test_a_netrc_file_gives_the_password_to_its_host_alone(portal: Portal, tmp_path: Path, monkeypatch, capsys) -> None:
    """Where NETRC names one; a redirect to another host does not get it."""
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login user password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    portal.files["/a.csv"] = File(b"a,b\n")
    fetch(f"{portal.url}/a.csv", tmp_path / "a.csv", allow_private_addresses=True)
    assert portal.asked[-1].headers["Authorization"] == "Basic dXNlcjpzM2NyZXQ="
    with Portal() as other:
        other.files["/b.csv"] = File(b"a,b\n")
        portal.faults["/a.csv"] = [Fault(status=302, headers={"Location": f"{other.url}/b.csv"})]
        fetch(f"{portal.url}/a.csv", tmp_path / "b.csv", allow_private_addresses=True)
        assert "Authorization" not in other.asked[-1].headers
    assert SECRET not in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, f"machine host login user passwort {SECRET}\n"], ids=["none", "slip"])
def test_a_netrc_file_that_cannot_be_read_is_told_without_its_words(tmp_path, monkeypatch, content) -> None:
    """Python's own message would quote the word that it stumbled on."""
    if content:
        (tmp_path / "netrc").write_text(content)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(InputError, match=r"netrc, which the variable NETRC names, cannot be read") as caught:
        fetch("http://data.example/a.csv", tmp_path / "a.csv")
    assert SECRET not in str(caught.value)


def test_tracebacks_of_the_command_show_no_values() -> None:
    """Of typer: its pretty ones print the local variables, and among them tokens."""
    from roadsafety_components import cli
    from roadsafety_components.cli import step

    assert cli.app.pretty_exceptions_enable is False
    assert step.make_app().pretty_exceptions_enable is False
