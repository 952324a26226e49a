"""`roadsafety audit`: what is installed or pinned, against a copy of the OSV database."""

import json

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
    assert last.endswith("packages, 1 known vulnerabilities (database of 2030-02-03, 1 entries)")
    done = roadsafety("audit", "--database", database, "--ignore", "PYSEC-2030-7")
    assert (done.returncode, done.stdout.count("1 ignored")) == (0, 1)


def test_the_pins_of_a_file_are_looked_up(roadsafety, tmp_path, checkout):
    """The hash-pinned requirements of the image, for one."""
    pins = checkout / "requirements/image.txt"
    version = next(
        line.split("==")[1].split()[0] for line in pins.read_text().splitlines() if line.startswith("pandas==")
    )
    done = roadsafety("audit", "--database", _database(tmp_path, "pandas", version), "--requirements", pins)
    assert done.returncode == 1
    assert done.stdout.startswith(f"pandas {version}: PYSEC-2030-7")


def test_a_file_without_pins_is_refused(roadsafety, tmp_path):
    """Nothing looked up is no clean result."""
    (tmp_path / "loose.txt").write_text("pandas>=2\n")
    done = roadsafety("audit", "--database", _database(tmp_path, "x", "1"), "--requirements", "loose.txt")
    assert (done.returncode, done.stderr) == (
        2,
        "Input error: --requirements loose.txt: no line NAME==VERSION is in it.\n",
    )
