"""Files from folders, lists, archives and the network."""

import gzip
import io
import socket
import zipfile
from functools import partial
from pathlib import Path

import pytest

from roadsafety_components.core import fetch, sources
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.sources import read_bytes

from .make import Answer

# The servers of these tests are on this machine; what is refused otherwise, tests/security tells.
fetch = partial(fetch.fetch, allow_private_addresses=True)
open_sources = partial(sources.open_sources, allow_private_addresses=True)
TEXT = b"collision_index,date\n2024130000001,01/02/2024\n"


def zipped(**files: bytes) -> bytes:
    """A zip with ``name.csv`` for each item."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.csv", text)
    return content.getvalue()


def names(source: object) -> list[str]:
    """The names of the files that a source gives."""
    with open_sources(str(source)) as paths:
        return [p.name for p in paths]


# Folders and lists


def test_a_folder_gives_its_csv_gzip_and_zip_files_in_order(tmp_path: Path) -> None:
    """Other files and hidden ones are not looked at; the case of the ending does not matter."""
    for name in ("b.csv", "a.CSV", "c.csv.gz", "d.zip", "README.md", ".hidden.csv"):
        (tmp_path / name).write_bytes(TEXT)
    assert names(tmp_path) == ["a.CSV", "b.csv", "c.csv.gz", "d.zip"]


def test_a_folder_or_file_may_have_blanks_in_its_name(tmp_path: Path) -> None:
    """Blanks separate files only where the whole text is no file and no folder."""
    folder = tmp_path / "road safety"
    folder.mkdir()
    (folder / "my file.csv").write_bytes(TEXT)
    assert names(folder) == ["my file.csv"]
    assert names(folder / "my file.csv") == ["my file.csv"]


def test_files_may_be_listed_with_blanks_between(tmp_path: Path) -> None:
    """The files come in the order of the list."""
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_bytes(TEXT)
    assert names(f"{tmp_path}/b.csv  {tmp_path}/a.csv") == ["b.csv", "a.csv"]


def test_a_list_may_be_longer_than_a_file_name(tmp_path: Path, monkeypatch) -> None:
    """Ten files of the working folder, by the names that they are published under."""
    monkeypatch.chdir(tmp_path)
    files = [f"dft-road-casualty-statistics-{t}-{y}.csv" for t in ("collision", "vehicle") for y in range(2020, 2025)]
    for name in files:
        Path(name).write_bytes(TEXT)
    assert len(" ".join(files)) > 255
    assert names(" ".join(files)) == files
    with pytest.raises(InputError, match="there is no file or folder xxx"):
        names("x" * 300)


def test_table_in_braces_stands_for_each_of_the_three(tmp_path: Path) -> None:
    """One pattern names three files."""
    for table in ("collision", "vehicle", "casualty"):
        (tmp_path / f"dft-{table}-2024.csv").write_bytes(TEXT)
    assert names(f"{tmp_path}/dft-{{table}}-2024.csv") == [
        "dft-collision-2024.csv",
        "dft-vehicle-2024.csv",
        "dft-casualty-2024.csv",
    ]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """The message says what should be there."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match=r"holds no \.csv, \.gz, \.zip file"):
        names(tmp_path)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The first path that is not there stops the list."""
    (tmp_path / "a.csv").write_bytes(TEXT)
    with pytest.raises(InputError, match=r"there is no file or folder .*/nowhere\.csv"):
        names(f"{tmp_path}/a.csv {tmp_path}/nowhere.csv")


@pytest.mark.parametrize("url", ["s3://bucket/{table}.csv", "gs://bucket/collision.csv", "ftp://host/collision.csv"])
def test_other_schemes_than_http_are_refused_with_the_way_out(url: str) -> None:
    """Object storage comes in as an artifact."""
    with pytest.raises(InputError, match=r"only http and https URLs .* dsl\.importer"):
        names(url)


# Archives, told by their first bytes


@pytest.mark.parametrize("name", ["a.csv", "a.gz", "a.zip"])
@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT), zipped(a=TEXT)], ids=["plain", "gzip", "zip"])
def test_content_tells_the_packing_not_the_name(tmp_path: Path, name: str, content: bytes) -> None:
    """Plain text, gzip and zip are read under any ending."""
    (tmp_path / name).write_bytes(content)
    assert read_bytes(tmp_path / name) == TEXT


def test_a_plain_csv_whose_header_begins_with_pk_is_no_zip(tmp_path: Path) -> None:
    """PK is a common name for a table's key."""
    (tmp_path / "a.csv").write_text("PK,name\n1,a\n")
    assert read_bytes(tmp_path / "a.csv") == b"PK,name\n1,a\n"


def test_a_zip_from_a_mac_has_one_csv(tmp_path: Path) -> None:
    """The twin that macOS adds to a zip is not counted; other files in the zip are not either."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("data/a.CSV", TEXT)
        archive.writestr("__MACOSX/data/._a.CSV", b"junk")
        archive.writestr("licence.txt", b"OGL")
    assert read_bytes(tmp_path / "a.zip") == TEXT


@pytest.mark.parametrize(
    ("content", "told"),
    [(zipped(a=TEXT, b=TEXT), r"\['a\.csv', 'b\.csv'\]"), (zipped(), r"\[\]")],
    ids=["two", "none"],
)
def test_a_zip_must_hold_one_csv(tmp_path: Path, content: bytes, told: str) -> None:
    """Which of two is meant cannot be guessed."""
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.zip: a zip with one CSV was expected; it holds {told}"):
        read_bytes(tmp_path / "a.zip")


def broken(packed: bytes, at: int) -> bytes:
    """With one byte changed."""
    return packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :]


def encrypted(packed: bytes) -> bytes:
    """A zip that says its one file needs a password."""
    local, central = packed.index(b"PK\x03\x04") + 6, packed.index(b"PK\x01\x02") + 8
    flagged = bytearray(packed)
    flagged[local] |= 1
    flagged[central] |= 1
    return bytes(flagged)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(TEXT)[:-12],
        broken(gzip.compress(TEXT), 12),
        broken(gzip.compress(TEXT), -5),
        zipped(a=TEXT * 50)[:-30],
        broken(zipped(a=TEXT * 50), 45),
        encrypted(zipped(a=TEXT)),
    ],
    ids=["gzip cut short", "gzip damaged", "gzip checksum", "zip cut short", "zip damaged", "zip with a password"],
)
def test_a_damaged_archive_is_named(tmp_path: Path, content: bytes) -> None:
    """The message names the file and says what to do."""
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.csv: the archive is damaged or cut short \(.+\)\. Download it again\."):
        read_bytes(tmp_path / "a.csv")


# The network


def test_a_url_is_fetched_whole(serve, tmp_path: Path) -> None:
    """The file holds the body, byte for byte, and nothing else is left in the folder."""
    body = bytes(range(256)) * 20_000
    site = serve({"/a.csv": [Answer(body)]})
    fetch(f"{site.url}/a.csv", tmp_path / "new" / "a.csv")
    assert (tmp_path / "new" / "a.csv").read_bytes() == body
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.csv"]
    assert site.asked == ["/a.csv"]


def test_a_redirect_is_followed(serve, tmp_path: Path) -> None:
    """Data portals move their files."""
    site = serve({"/old": [Answer(status=302, location="/new")], "/new": [Answer(TEXT)]})
    fetch(f"{site.url}/old", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == TEXT


@pytest.mark.parametrize("status", [404, 403, 410])
def test_what_cannot_get_better_is_asked_once(serve, tmp_path: Path, status: int) -> None:
    """The message holds the URL, the status and what to do; no file is left."""
    site = serve({"/a.csv": [Answer(b"not here", status)]})
    with pytest.raises(
        InputError, match=rf"could not fetch {site.url}/a\.csv: HTTP status {status}\. Check the address"
    ):
        fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait_seconds=0.0)
    assert site.asked == ["/a.csv"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_passing_trouble_is_tried_again(serve, tmp_path: Path, capsys, status: int) -> None:
    """The second answer counts, and the log says that the first try failed and why."""
    site = serve({"/a.csv": [Answer(b"busy", status), Answer(TEXT)]})
    fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait_seconds=0.0)
    assert (tmp_path / "a.csv").read_bytes() == TEXT
    assert capsys.readouterr().out == f"{site.url}/a.csv: try 1 of 4 failed (HTTP status {status})\n"


def test_a_lasting_trouble_ends_after_the_last_try(serve, tmp_path: Path) -> None:
    """Four tries, then the last reason; no file is left."""
    site = serve({"/a.csv": [Answer(b"busy", 500)]})
    with pytest.raises(InputError, match=r"could not fetch .*/a\.csv: HTTP status 500"):
        fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait_seconds=0.0)
    assert len(site.asked) == 4
    assert list(tmp_path.iterdir()) == []


def test_a_body_cut_short_is_tried_again_and_never_kept(serve, tmp_path: Path) -> None:
    """Half a file is no file, even where the half could be read."""
    half = Answer(TEXT[:30], promised=len(TEXT))
    site = serve({"/a.csv": [half, Answer(TEXT)], "/b.csv": [half]})
    fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait_seconds=0.0)
    assert (tmp_path / "a.csv").read_bytes() == TEXT
    with pytest.raises(InputError, match=r"could not fetch .*/b\.csv: RemoteProtocolError"):
        fetch(f"{site.url}/b.csv", tmp_path / "b.csv", attempts=2, wait_seconds=0.0)
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_a_server_that_falls_silent_is_given_up(serve, tmp_path: Path) -> None:
    """No word for longer than stall_seconds fails the try; the next may succeed."""
    silent = Answer(TEXT, silent=True)
    site = serve({"/a.csv": [silent, Answer(TEXT)], "/b.csv": [silent]})
    fetch(f"{site.url}/a.csv", tmp_path / "a.csv", stall_seconds=0.2, wait_seconds=0.0)
    assert (tmp_path / "a.csv").read_bytes() == TEXT
    with pytest.raises(InputError, match=r"could not fetch .*/b\.csv: ReadTimeout"):
        fetch(f"{site.url}/b.csv", tmp_path / "b.csv", attempts=2, stall_seconds=0.2, wait_seconds=0.0)
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_a_host_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.csv"
        with pytest.raises(InputError, match=r"could not fetch .*: ConnectError"):
            fetch(url, tmp_path / "a.csv", attempts=2, wait_seconds=0.0)


@pytest.mark.parametrize("url", ["http://", "http://[::1/a.csv", "https:///a.csv"])
def test_a_url_that_is_none_is_told(tmp_path: Path, url: str) -> None:
    """A slip in the address is the user's to mend, not a traceback."""
    with pytest.raises(InputError, match="could not fetch"):
        fetch(url, tmp_path / "a.csv", attempts=1, wait_seconds=0.0)


def test_urls_are_local_files_for_the_time_of_the_block(serve) -> None:
    """The downloads are gone afterwards."""
    site = serve({f"/dft-{t}-2024.csv": [Answer(t.encode())] for t in ("collision", "vehicle", "casualty")})
    with open_sources(f"{site.url}/dft-{{table}}-2024.csv") as paths:
        assert [p.name for p in paths] == ["dft-collision-2024.csv", "dft-vehicle-2024.csv", "dft-casualty-2024.csv"]
        assert [p.read_bytes() for p in paths] == [b"collision", b"vehicle", b"casualty"]
    assert not any(p.exists() for p in paths)


def test_urls_that_end_in_the_same_name_stay_apart(serve) -> None:
    """Tables or years may differ in the folder, or in the query, alone."""
    site = serve(
        {
            "/collision/data.csv": [Answer(b"1")],
            "/vehicle/data.csv": [Answer(b"2")],
            "/casualty/data.csv": [Answer(b"3")],
            "/get?table=extra": [Answer(b"4")],
            "/get?table=more": [Answer(b"5")],
        }
    )
    urls = f"{site.url}/{{table}}/data.csv {site.url}/get?table=extra {site.url}/get?table=more"
    with open_sources(urls) as paths:
        assert [p.read_bytes() for p in paths] == [b"1", b"2", b"3", b"4", b"5"]


def test_a_signed_url_may_be_long(serve) -> None:
    """Its query is no part of the file's name."""
    path = f"/vehicle.csv?signature={'0123456789' * 40}"
    with open_sources(serve({path: [Answer(TEXT)]}).url + path) as paths:
        assert [(p.name, p.read_bytes()) for p in paths] == [("vehicle.csv", TEXT)]


def test_files_and_urls_may_be_mixed(serve, tmp_path: Path) -> None:
    """Each part of the list is what it looks like."""
    (tmp_path / "a.csv").write_bytes(TEXT)
    site = serve({"/b.csv": [Answer(b"b")]})
    with open_sources(f"{tmp_path}/a.csv {site.url}/b.csv") as paths:
        assert [p.read_bytes() for p in paths] == [TEXT, b"b"]
    assert (tmp_path / "a.csv").exists()
