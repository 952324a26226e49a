"""`roadsafety audit`: what is installed or pinned, against a copy of the OSV database."""

import json

import pytest
import sklearn


def _database(tmp_path, name, version):
    folder = tmp_path / "osv"
    folder.mkdir()
    entry = {
        "id": "PYSEC-2030-7", "modified": "2030-02-03T00:00:00Z", "summary": "A summary.",
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, "versions": [version]}],
    }  # fmt: skip
    (folder / "PYSEC-2030-7.json").write_text(json.dumps(entry))
    return folder


def test_what_is_installed_here_is_looked_up(roadsafety, tmp_path):
    """A finding is a line and exit code 1; ignored by its identifier it is none."""
    database = _database(tmp_path, "scikit_learn", sklearn.__version__)
    done = roadsafety("audit", "--database", database)
    assert done.returncode == 1
    first, last = done.stdout.splitlines()
    assert first == f"scikit-learn {sklearn.__version__}: PYSEC-2030-7, no fixed version. A summary."
    assert last.endswith("packages, 1 known vulnerability (database of 2030-02-03, 1 entries)")
    done = roadsafety("audit", "--database", database, "--ignore", "PYSEC-2030-7")
    assert (done.returncode, done.stdout.count("1 ignored")) == (0, 1)
    done = roadsafety("audit", "--database", database, "--ignore", "PYSEC-2030-8")
    assert (done.returncode, done.stdout.count("--ignore PYSEC-2030-8: nothing found here")) == (1, 1)


def test_the_pins_of_a_file_are_looked_up(roadsafety, tmp_path, checkout):
    """The hash-pinned requirements of the image, for one."""
    pins = checkout / "requirements/image.txt"
    version = next(
        line.split("==")[1].split()[0] for line in pins.read_text().splitlines() if line.startswith("pandas==")
    )
    done = roadsafety("audit", "--database", _database(tmp_path, "pandas", version), "--requirements", pins)
    assert done.returncode == 1
    assert done.stdout.startswith(f"pandas {version}: PYSEC-2030-7")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pandas>=2\n", "'pandas>=2' gives no exact version, NAME==VERSION, to look up."),
        ("numpy==1.0\nkfp==2.*\n", "'kfp==2.*' gives no exact version, NAME==VERSION, to look up."),
        ("-r other.txt\n", "'-r other.txt' is no line NAME==VERSION."),
        ("# nothing\n", "no line NAME==VERSION is in it."),
    ],
)
def test_a_line_that_cannot_be_looked_up_is_refused(roadsafety, tmp_path, text, message):
    """What was passed over is no clean result."""
    (tmp_path / "loose.txt").write_text(text)
    done = roadsafety("audit", "--database", _database(tmp_path, "x", "1"), "--requirements", "loose.txt")
    assert (done.returncode, done.stderr) == (2, f"Input error: --requirements loose.txt: {message}\n")


def test_every_way_to_write_a_pin_is_read(roadsafety, tmp_path):
    """Extras, markers, blanks, hashes on lines that go on."""
    (tmp_path / "pins.txt").write_text(
        "Scikit_Learn == 1.0  # old\nuvicorn[standard]==0.1\nx==2 ; python_version > '3' \\\n    --hash=sha256:00\n"
    )
    database = _database(tmp_path, "scikit-learn", "1.0")
    done = roadsafety("audit", "--database", database, "--requirements", "pins.txt")
    assert done.stdout.startswith("scikit-learn 1.0: PYSEC-2030-7")
    assert "3 packages, 1 known" in done.stdout
