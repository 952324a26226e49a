"""What holds for every model of police-recorded collisions (STATS19), whatever its figures.

Sources: DfT, Reported road casualties Great Britain: background quality report (under-reporting), and Guide to severity
adjustments for reported road casualties Great Britain (injury-based reporting).
"""

import re

from roadsafety_components.core.store import Facts

KNOWN_AT = {
    "before": "what is known before a collision: place, time, road, weather",
    "involved": "what is known before a collision, and who and what was involved",
    "impact": "what is known before a collision, who and what was involved, and what the impact showed",
}
_CHANGE = 2016  # from which year many forces recorded injuries instead of judging severity
_PERSONAL = re.compile("sex|male|age_of_(driver|casualty)|age_band|driver_age|(young|old)(est)?_driver|imd|home_area")


def is_stats19(facts: Facts) -> bool:
    """Whether a model's facts are those of STATS19 data: its unit is one of their tables."""
    return facts.get("unit") in ("collision", "vehicle", "casualty")


def not_for(facts: Facts) -> list[str]:
    """Uses that the data do not carry; none for other data."""
    if not is_stats19(facts):
        return []
    return [
        "Judging a person: no driver, rider or casualty, no insurance, no liability, no sentence.",
        "Claims of cause, such as what a measure would save: the data are of collisions that happened, without those "
        "that did not and without how much people travel.",
    ]


def limits(facts: Facts) -> list[str]:
    """Limits that come with the data; none for other data."""
    if not is_stats19(facts):
        return []
    told = [
        "The data are collisions with personal injury on public roads that the police recorded. Many casualties, above "
        "all slightly injured ones, are never reported; a probability is about those recorded.",
        "Severity is as the police recorded it. Forces moved to injury-based systems (CRASH, COPA) at different "
        f"times, many from {_CHANGE} on; these record more casualties as serious. Class shares differ between forces "
        "and years for this reason, too." + _years(facts),
    ]
    if personal := [n for n in facts["features"] if _PERSONAL.search(n)]:
        told.append(f"Features about people ({', '.join(personal)}) also say whom the police recorded, where and when; "
                    "read the figures by subgroup before use.")  # fmt: skip
    return told


def licence(facts: Facts) -> str:
    """The licence of the data, if they are STATS19 records and not generated."""
    if not is_stats19(facts) or facts.get("synthetic"):
        return ""
    return ("Open Government Licence v3.0. Contains public sector information (Department for Transport, road safety "
            "data) licensed under it.")  # fmt: skip


def _years(facts: Facts) -> str:
    years = facts.get("years") or []
    if not years or min(years) >= _CHANGE:
        return ""
    if max(years) < _CHANGE:
        return " The training years are before that: later records have more of the severer classes."
    return " The training years lie on both sides of that."
