"""Messages that quote data."""

import subprocess
import sys

from roadsafety_components.core.errors import InputError


def test_a_message_does_not_steer_the_terminal() -> None:
    """Codes that clear the screen or forge a line are shown as question marks; line breaks of ours stay."""
    script = (
        "import sys; from roadsafety_components.core.errors import InputError, end_step; sys.excepthook = end_step; "
        "raise InputError('a.csv\\x1b[2J\\x1b]0;title\\x07 in\\r x.zip\\x9b31m\\nsecond line')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr == b"Input error: a.csv?[2J?]0;title? in? x.zip?31m\nsecond line\n"


def test_that_holds_wherever_a_message_is_shown() -> None:
    """The message itself is so; what it was made of is kept for who catches it."""
    error = InputError("x.zip: a\x1b[2Jb.csv: Zurich, \u00e9, \u4e2d")
    assert str(error) == "x.zip: a?[2Jb.csv: Zurich, \u00e9, \u4e2d"
    assert error.args == ("x.zip: a\x1b[2Jb.csv: Zurich, \u00e9, \u4e2d",)
