"""What the project is measured against: the published original's way, and the floor."""

from datetime import datetime
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier


def original_preprocess(collisions: Path, vehicles: Path, target: Path) -> None:
    """Prepare the data as the published pipeline does: read, merge, a strptime for every row, a joblib dump."""
    merged = pd.read_csv(collisions, low_memory=False).merge(
        pd.read_csv(vehicles, low_memory=False), on="Accident_Index"
    )
    merged = merged.dropna(subset=["Time"])
    merged["Month"] = merged.apply(lambda row: datetime.strptime(row["Date"], "%d/%m/%Y").month, axis=1)
    merged["Hour"] = merged.apply(lambda row: datetime.strptime(row["Time"], "%H:%M").hour, axis=1)
    joblib.dump(merged, target)


def original_matrix(prepared: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return every numeric column but the target, and the target."""
    merged = joblib.load(prepared).dropna(subset=["Longitude", "Latitude"])
    numeric = merged.select_dtypes("number").drop(columns=["Accident_Severity"])
    return numeric.to_numpy("float32"), merged["Accident_Severity"].to_numpy()


def original_forest(x: np.ndarray, y: np.ndarray) -> RandomForestClassifier:
    """Fit the published forest: scikit-learn's defaults on one core."""
    return RandomForestClassifier(random_state=0).fit(x, y)


def floor(collisions: Path, vehicles: Path, target: Path) -> None:
    """Do the least that can be done: read both with the pyarrow engine, merge, write zstd Parquet."""
    merged = pd.read_csv(collisions, engine="pyarrow").merge(
        pd.read_csv(vehicles, engine="pyarrow"), on="Accident_Index"
    )
    merged.to_parquet(target, compression="zstd")
