"""When a schedule runs, as the server reads it."""

import pytest

from roadsafety_components.cli.cron import checked_cron, interval_seconds
from roadsafety_components.core.errors import InputError


@pytest.mark.parametrize(
    "text",
    [
        "0 0 6 1 * *",
        "0 0 6 1 */3 ?",
        "0 30 4 1-7 sep,oct MON",
        "*/10 * * * * *",
        "5/15 0 0 ? * sun-wed",
        "0 0 0 31 12 6",
    ],
)
def test_expressions_that_the_server_knows_pass(text):
    """Values, ranges, steps, lists and names."""
    assert checked_cron(f"  {text} ") == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 6 1 * *", "has five fields; Kubeflow's begin with seconds: '0 0 6 1 . .'"),
        ("@monthly", "has 1 field; six are needed"),
        ("60 0 6 1 * *", "second '60' is outside 0 to 59"),
        ("0 0 6 0 * *", "day of the month '0' is outside 1 to 31"),
        ("0 0 6 1 13 *", "month '13' is outside 1 to 12"),
        ("0 0 6 1 * 7", "day of the week '7' is outside 0 to 6"),
        ("0 0 6 1 okt *", "month 'okt': 'okt' is no number and none of jan, feb"),
        ("0 0 6 5-2 * *", "day of the month '5-2': the range ends before it begins"),
        ("0 0 */0 1 * *", "hour '.*/0': a step of 0"),
        ("0 0 6 L * *", "day of the month 'L': 'L' is no number"),
        ("0 0 6 1, * *", "day of the month '1,' is not"),
        ("0 0 6 1--2 * *", "is not"),
    ],
)
def test_what_it_does_not_know_is_told_with_its_field(text, message):
    """Before anything is sent; a crontab's five fields are told from Kubeflow's six."""
    with pytest.raises(InputError, match=message):
        checked_cron(text)


@pytest.mark.parametrize(("text", "seconds"), [("30d", 2_592_000), ("2w", 1_209_600), ("12h", 43_200), ("90m", 5_400)])
def test_intervals_have_a_number_and_a_unit(text, seconds):
    """Minutes, hours, days and weeks."""
    assert interval_seconds(text) == seconds


@pytest.mark.parametrize("text", ["30", "0d", "-1d", "1 d", "month", "1.5h"])
def test_what_is_no_interval_is_told(text):
    """With how to write it."""
    with pytest.raises(InputError, match="write a number and m, h, d or w"):
        interval_seconds(text)
