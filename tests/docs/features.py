"""Write docs/features.md: every engineered feature, from the list. Run it after a change to core/feature_list.py."""

from pathlib import Path

from roadsafety_components.core.feature_list import FEATURES

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
HEAD = """# Features

`engineer_features` adds the features below to what `preprocess_collisions` made of harmonised tables, at its unit and
as far as its `known_at` goes ([what a model may know](data.md)). Rows, order and columns stay as they are. Written from
[`core/feature_list.py`](../src/roadsafety_components/core/feature_list.py) by `tests/docs/features.py`.

```python
loaded = components.load_stats19(source="data")
harmonised = components.harmonise_stats19(
    collisions=loaded.outputs["collisions"],
    vehicles=loaded.outputs["vehicles"],
    casualties=loaded.outputs["casualties"],
)
preprocessed = components.preprocess_collisions(
    collisions=harmonised.outputs["harmonised_collisions"],
    vehicles=harmonised.outputs["harmonised_vehicles"],
    casualties=harmonised.outputs["harmonised_casualties"],
    unit="casualty",
    target="ksi",
    keep_constant=True,
)
engineered = components.engineer_features(
    data=preprocessed.outputs["clean_data"],
    collisions=harmonised.outputs["harmonised_collisions"],
    vehicles=harmonised.outputs["harmonised_vehicles"],
)
parts = components.split_dataset(
    data=engineered.outputs["features"], target_column="ksi", group_column="collision_index"
)
trained = components.train_classifier(train_data=parts.outputs["train_data"], target_column="ksi")
```

- **Stateless.** A row follows from the rows of its own collision. Nothing is fitted; an empty or constant feature stays
  (and with `keep_constant=True` the columns of `preprocess_collisions` too), so a model of one year runs on another,
  and on a single collision. Rare categories, statistics of cells and target encoding belong to the model's own
  pipeline, fitted on its training rows.
- **Where from.** Features are made of the harmonised collisions and vehicles, looked up by key, so it does not matter
  which of their columns were kept. Those of the casualty are made of its own row in the data: null where
  `casualty_type` or `casualty_class` was left out there as constant.
- **Missing stays missing.** A feature made only of columns that a year does not have is null.
- **The outcome stays out.** A casualty knows its own row and the vehicles, never the other casualties: whether a person
  is in the casualty table is outcome. `number_of_casualties`, police attendance, `*_adjusted_*` and `enhanced_*` are
  never features.
- **Counts of vehicles are `involved`**, though `number_of_vehicles` is kept for `impact`: whoever knows the vehicles
  and drivers of a collision knows how many they are. Whether any vehicle of a group is there is its count above zero.
- **Hit and run** is in no published column. The tables have no person who was not hurt and no pedestrian count.

Rules behind the moment:

- **Bank holidays** follow the rules of each nation since 1979, with the days moved and added once (royal weddings,
  jubilees, the funeral of 2022, the coronation, VE Day). A holiday on a weekend counts there and on the weekday that
  stands in for it. Local holidays of Scotland are not known.
- **School days** are weekdays but bank holidays, nine days each side of Easter, and usual holidays: in England and
  Wales 20 December to 3 January, 14 to 21 February, 25 May to 1 June, 22 July to 2 September and 23 to 31 October; in
  Scotland 22 December to 5 January, 27 June to 15 August and 9 to 20 October. Terms differ by authority.
- **The sun** is by NOAA's formulae at the coordinates (from easting and northing where longitude and latitude are
  missing, else the centre of Britain). The clock is British Summer Time from the last Sunday of March to the last of
  October; until 1995 it ended on the fourth Sunday (until 1989 the one after the fourth Saturday), in 1979 and 1980 it
  began in mid-March. -2 degrees agrees best with the light recorded in Great Britain 2015 (95.6 %).
- **The other vehicle** is the heaviest of the others: HGV, bus, van, car, other, motorcycle, cycle; of equals the one
  with the lowest reference.
"""
FIELDS = ("feature", "units", "known at", "from", "meaning")


def page() -> str:
    """The page's text."""
    sections = dict.fromkeys(f.section for f in FEATURES.values())
    return HEAD + "".join(_section(s) for s in sections)


def _section(section: str) -> str:
    rows = [FIELDS, ["---"] * len(FIELDS)]
    rows += [
        (f"`{f.name}`", ", ".join(f.units), f.known, ", ".join(f"`{s}`" for s in f.sources), f.meaning)
        for f in FEATURES.values() if f.section == section
    ]  # fmt: skip
    return f"\n## {section.capitalize()}\n\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
