"""What holds for the project as a whole."""

import subprocess
import sys
from pathlib import Path


def test_imports_point_one_way(checkout):
    """import-linter's contracts in pyproject.toml are kept."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_core_imports_with_three_libraries_alone():
    """Neither kfp nor the heavy optional packages are imported before they are used (scikit-learn may take rich)."""
    script = (
        "import sys\nfrom roadsafety_components.core import clean, evaluate, read, report, sample, split, train\n"
        "heavy = {'kfp', 'matplotlib', 'httpx', 'tenacity', 'typer', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_public_names_are_the_steps():
    """`from roadsafety_components import STEP` works for every name in __all__."""
    import roadsafety_components as package
    from roadsafety_components import components

    assert set(package.__all__) == {*components.STEPS, "spec_path", "__version__"}
    assert all(getattr(package, name) for name in package.__all__)


def test_a_step_module_fits_on_a_screen(checkout):
    """A body with a branch belongs in core."""
    longest = max((len(p.read_text().splitlines()), p.name) for p in
                  (checkout / "src/roadsafety_components/components").glob("[!_]*.py"))  # fmt: skip
    assert longest < (80, "")
