"""`roadsafety bundle` as a user calls it; what is in a bundle is tested beside the code that writes it."""

import re

import pytest

GOOD = ("--registry", "registry.example:5000", "--index", "http://packages.example:8000/simple")


def test_specs_alone_take_neither_an_engine_nor_a_network(roadsafety, tmp_path):
    """For a cluster whose registry and index have everything already: a line for each stage, then size and time."""
    done = roadsafety("bundle", *GOOD, "--output", "out", "--no-images", "--no-wheels")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"ok    specs +\d+\.\d s\nok    checksums +\d+\.\d s\n\nout: \d+ files, \d+ MB, \d+ s\n"
                    r"[0-9a-f]{64}  SHA256SUMS \(.*\)\nNext: out/README.md\n$", done.stdout)  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["README.md", "SHA256SUMS", "requirements", "specs"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--registry", "https://registry.example", "--index", GOOD[3]),
            "--registry https://registry.example: write it",
        ),
        (("--registry", GOOD[1], "--index", "packages.example"), "--index 'packages.example' is no URL"),
        (("--registry", GOOD[1]), "--index is needed: the URL at which the cluster's pods will find the wheels."),
        ((*GOOD, "--python", "3"), "--python '3': write it as 3.11."),
        ((*GOOD, "--platform", "windows"), "--platform 'windows'; it can be linux/amd64 or linux/arm64."),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(roadsafety, tmp_path, words, message):
    """Before any work is done, and nothing is left."""
    done = roadsafety("bundle", *words, "--output", "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Input error: {message}") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_is_refused(roadsafety, tmp_path):
    """They stay."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("chapter one")
    done = roadsafety("bundle", *GOOD, "--output", "out", "--no-images", "--no-wheels")
    assert done.returncode == 2
    assert re.fullmatch(r"Input error: --output \S+/out is not empty: it holds thesis.tex. Choose .*\n", done.stderr)
    assert (tmp_path / "out/thesis.tex").read_text() == "chapter one"
