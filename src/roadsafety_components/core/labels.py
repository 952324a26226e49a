"""STATS19 codes to their labels, and back without loss."""

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.code_list import ONS, RANKED, code_lists
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.store import facts_of, is_text, with_facts

DIRECTIONS = ("labels", "codes")


def label(table: pa.Table, direction: str = "labels", columns: Sequence[str] = ()) -> pa.Table:
    """Put labels in the place of codes, or codes in the place of labels.

    Labels are dictionary columns (categories in pandas) in code order, ordered where the codes have a rank. All labels
    of the code list are categories, so that years compare; of areas only those present. Null stays null.

    Args:
        table: any table with STATS19 columns under their canonical names; whole numbers, and text for ONS codes.
        direction: ``labels`` or ``codes``. The way back takes plain text too, such as another tool leaves.
        columns: only these; all that have labels by default.

    Returns:
        The table with the same columns, marks and facts. Facts name the ``labelled_columns``, and count the rows of
        each code that has no label: ``code 19`` stands for it, or the ONS code itself. Back, codes are int16, those
        of month and weekday int8, ONS codes text.

    Raises:
        InputError: no column has labels, or one that was named has none; columns hold what was asked for already; a
            value is no code or no label of its column.
    """
    chosen = _choose(table, direction, columns)
    facts = facts_of(table)
    labelled = {*facts.get("labelled_columns", [])} - {*chosen}
    without = {n: rows for n, rows in facts.get("codes_without_label", {}).items() if n not in chosen}
    for name in chosen:
        if direction == "codes":
            values = _to_codes(name, table[name])
        else:
            values, rows = _to_labels(name, table[name])
            labelled.add(name)
            without |= {name: rows} if rows else {}
        at = table.column_names.index(name)
        table = table.set_column(at, table.field(at).with_type(values.type), values)
    facts["labelled_columns"] = [n for n in table.column_names if n in labelled]
    return with_facts(table, facts | {"codes_without_label": without, "made_from": {"data": facts.get("sha256", "")}})


def _choose(table: pa.Table, direction: str, columns: Sequence[str]) -> list[str]:
    if direction not in DIRECTIONS:
        raise InputError(f"direction is {direction!r}; it can be {', '.join(DIRECTIONS)}.")
    have = [n for n in table.column_names if n in code_lists()]
    if not have:
        raise InputError(f"no column of the table has labels: {', '.join(table.column_names[:6])}, ... Give a table "
                         "with STATS19 columns, such as load_stats19 writes.")  # fmt: skip
    if wrong := [str(c) for c in columns if c not in have]:
        raise InputError(f"columns names {wrong[0]}, which is no column of the table with labels."
                         f"{nearest(wrong[0], have)}")  # fmt: skip
    asked = [n for n in have if n in columns or not columns]
    done = [n for n in asked if _holds(n, table[n]) == direction]
    chosen = [n for n in asked if n not in done]
    if done and (columns or all(table[n].null_count == table.num_rows for n in chosen)):
        raise InputError(f"columns that hold {direction} already: {', '.join(done[:3])} "
                         f"({_plain(table[done[0]]).type}; {len(done)} in all). Leave them out, or give direction="
                         f"{DIRECTIONS[direction == 'labels']}.")  # fmt: skip
    return chosen


def _holds(name: str, values: pa.ChunkedArray) -> str:
    """``labels`` or ``codes``; empty where no value tells."""
    if values.null_count == len(values):
        return ""
    if name not in ONS:
        return "labels" if is_text(values.type) else "codes"
    present, labels = pc.unique(_plain(values)).to_pylist(), code_lists()[name]
    if not {*labels.values()}.isdisjoint(present):
        return "labels"
    return "" if labels.keys().isdisjoint(present) else "codes"


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(pa.string()) if is_text(values.type) else values


def _type(name: str) -> pa.DataType:
    if name in ("month", "weekday"):  # as preprocess_collisions has them
        return pa.int8()
    return pa.string() if name in ONS else pa.int16()


def _to_labels(name: str, values: pa.ChunkedArray) -> tuple[pa.Array, dict[str, int]]:
    """Labels as a dictionary array, and the rows of each code that has none."""
    try:
        codes = _plain(values).cast(_type(name))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"column {name}: codes are whole numbers, as load_stats19 writes them ({error}).") from error
    listed, rows = code_lists()[name], _rows(codes)
    shown = rows.keys() if name.startswith("local_authority") else listed.keys() | rows.keys()
    labels = {code: listed.get(code) or _own_label(name, code) for code in sorted(shown)}
    indices = pc.index_in(codes, value_set=pa.array(list(labels), codes.type)).combine_chunks()
    dictionary = pa.array(list(labels.values()), pa.string())
    without = {str(code): rows[code] for code in labels if code not in listed}
    if without:
        told = ", ".join(f"{code} ({n})" for code, n in without.items())
        print(f"WARNING: {name}: codes that have no label and stay as they are, and their rows: {told}")
    return pa.DictionaryArray.from_arrays(indices, dictionary, ordered=bool(RANKED.fullmatch(name))), without


def _to_codes(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    texts = _plain(values).cast(pa.string())
    rows, code_of = _rows(texts), {text: code for code, text in code_lists()[name].items()}
    codes = {text: code_of[text] if text in code_of else _own_code(name, text) for text in rows}
    if wrong := [text for text in rows if codes[text] is None]:
        raise InputError(f"column {name}: {wrong[0]!r} is no label of it (rows: {rows[wrong[0]]}; such labels: "
                         f"{len(wrong)}).{nearest(wrong[0], code_of)} Mend it, or leave the column out.")  # fmt: skip
    at = pc.index_in(texts, value_set=pa.array(list(codes), pa.string()))
    return pc.take(pa.array(list(codes.values()), _type(name)), at)


def _rows(values: pa.ChunkedArray) -> dict[Any, int]:
    return {c["values"]: c["counts"] for c in values.drop_null().value_counts().to_pylist()}


def _own_label(name: str, code: Any) -> str:
    """What stands for a code that the list does not have."""
    return code if name in ONS and re.fullmatch("[A-Z][0-9]{8}", code) else f"code {code}"


def _own_code(name: str, text: str) -> Any:
    """The code that ``_own_label`` makes this of, also where the list has the code by now; else None."""
    code = text.removeprefix("code ")
    if name in ONS:
        return code if _own_label(name, code) == text else None
    most = 1 << _type(name).bit_width - 1
    return int(code) if re.fullmatch("code (0|-?[1-9][0-9]{0,4})", text) and -most <= int(code) < most else None
