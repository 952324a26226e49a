"""Vehicle make and model, cleaned and split from ``generic_make_model`` ("VOLKSWAGEN GOLF").

The names of makes follow the R package stats19 (``clean_make``): Opel is Vauxhall, VW is Volkswagen.
"""

import pyarrow as pa
import pyarrow.compute as pc

# Makes of several words, and other names of a make; what follows is the model. None: no make is told.
_MAKES: dict[str, str | None] = {
    "ALEXANDER DENNIS": "Alexander Dennis", "ALFA ROMEO": "Alfa Romeo", "ASTON MARTIN": "Aston Martin",
    "DAF TRUCKS": "DAF", "DENNIS": "Alexander Dennis", "ENFIELD": "Royal Enfield", "IVECO-FORD": "Iveco",
    "JOHN DEERE": "John Deere", "LAND ROVER": "Land Rover", "LONDON TAXIS INT": "London Taxis International",
    "LONDON TAXIS INTERNATIONAL": "London Taxis International", "MAKE AND MODEL REDACTED": None, "MAN/VW": "MAN",
    "MASSEY FERGUSON": "Massey Ferguson", "MERCEDES-BENZ": "Mercedes", "NEW HOLLAND": "New Holland", "OPEL": "Vauxhall",
    "OTHER": None, "RENAULT TRUCKS": "Renault Trucks", "ROLLS ROYCE": "Rolls Royce", "ROYAL ENFIELD": "Royal Enfield",
    "SSANGYONG": "SsangYong", "VW": "Volkswagen",
}  # fmt: skip
_CAPITALS = {
    "AJS", "BMW", "BSA", "BYD", "CPI", "CZ", "DAF", "DS", "ERF", "GM", "JCB", "KTM", "LDV", "LEVC", "MAN", "MBK", "MCW",
    "MG", "MINI", "MZ", "PGO", "SYM", "TVR", "VDL",
}  # fmt: skip


def make_and_model(names: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """Columns vehicle_make and vehicle_model (text, null where not told) of a column generic_make_model."""
    encoded = pc.dictionary_encode(names).unify_dictionaries().combine_chunks()
    pairs = [split_make_and_model(text) for text in encoded.dictionary.to_pylist()]
    columns = {}
    for at, name in enumerate(("vehicle_make", "vehicle_model")):
        values = pa.array([pair[at] for pair in pairs], pa.string())
        columns[name] = pa.chunked_array([values.take(encoded.indices)])
    return columns


def split_make_and_model(text: str) -> tuple[str | None, str | None]:
    """Make and model, each None where the text does not tell it: ``("Ford", "Fiesta")``, ``("Volvo", None)``."""
    text = " ".join(text.upper().split())
    if text.startswith("RANGE ROVER"):
        text = f"LAND ROVER {text}"
    told = [name for name in _MAKES if f"{text} ".startswith(f"{name} ")]
    name = max(told, key=len) if told else text.partition(" ")[0]
    make = _MAKES[name] if told else name if name in _CAPITALS else name.title()
    model = text.removeprefix(name).strip()
    if not make or model in ("", "MODEL MISSING"):
        return make or None, None
    return make, " ".join(w if any(c.isdigit() for c in w) else w.title() for w in model.split())
