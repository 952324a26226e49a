"""Leave out of the image what no step uses: ``python trim.py SITE_PACKAGES``.

Tests, sources of compiled modules, and optional parts that their own package does without (it guards the import).
Metadata and licences stay. Shared libraries lose their symbol tables. What pip recorded is brought in line.
"""

import base64
import csv
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

# Folders and files, as patterns below site-packages.
LEFT_OUT = [
    "**/tests",
    "**/*.[ch]", "**/*.cc", "**/*.cpp", "**/*.hpp", "**/*.pyx", "**/*.pxd", "**/*.pxi", "**/*.tp", "**/*.pyi",
    # pyarrow: Flight and S3 are clients of services that no step talks to (KFP moves the artifacts); the rest are
    # its own tests, headers, and second names of libraries, which a wheel holds as copies.
    "pyarrow/_flight*", "pyarrow/libarrow_flight*", "pyarrow/libarrow_python_flight*",
    "pyarrow/_s3fs*", "pyarrow/libarrow_s3*",
    "pyarrow/_pyarrow_cpp_tests*", "pyarrow/include", "pyarrow/src",
    "pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*.*",
    "pyarrow/libarrow_python_parquet_encryption.so", "pyarrow/libarrow_python_parquet_encryption.so.*.*.*",
    # Pillow comes with matplotlib and draws nothing here (pictures are SVG): picture formats and fonts of its own.
    "PIL/_avif*", "PIL/_webp*", "PIL/_imagingcms*", "PIL/_imagingft*", "PIL/_imagingtk*",
    "pillow.libs/libavif*", "pillow.libs/libwebp*", "pillow.libs/libsharpyuv*", "pillow.libs/liblcms2*",
    "pillow.libs/libfreetype*", "pillow.libs/libharfbuzz*", "pillow.libs/libbrotli*", "pillow.libs/libpng*",
    # What matplotlib needs for PDF and its examples.
    "matplotlib/mpl-data/fonts/afm", "matplotlib/mpl-data/fonts/pdfcorefonts", "matplotlib/mpl-data/sample_data",
    # Specs are for who compiles and submits pipelines; `roadsafety list` reads the catalogue.
    "roadsafety_components/_specs/**/*.yaml",
    # numpy's modules for its own tests.
    "numpy/_core/_simd*", "numpy/_core/_*_tests*",
    # The folder that the project's wheel was built in.
    "*.dist-info/direct_url.json",
]  # fmt: skip


def main(site: Path) -> None:
    """Trim a folder of installed packages."""
    for pattern in LEFT_OUT:
        for path in sorted(site.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for command in (site.parents[2] / "bin").iterdir():  # of other packages, and the shells' activation
        if not command.name.startswith(("python", "roadsafety")):
            command.unlink()
    # Not those in *.libs: auditwheel has rewritten them, and strip damages such files.
    libraries = [path for path in sorted(site.rglob("*.so*")) if not path.parent.name.endswith(".libs")]
    subprocess.run(["strip", "--strip-unneeded", *libraries], check=True)
    _link_copies(sorted(site.glob("*.libs/*")))
    for record in sorted(site.glob("*.dist-info/RECORD")):
        _bring_in_line(record, site)


def _link_copies(libraries: list[Path]) -> None:
    """Wheels bring a library each, sometimes the same one (numpy's and scipy's of Fortran): one file, one link."""
    seen: dict[bytes, Path] = {}
    for library in libraries:
        first = seen.setdefault(library.read_bytes(), library)
        if first is not library and not library.is_symlink():
            library.unlink()
            library.symlink_to(Path("..", first.parent.name, first.name))


def _bring_in_line(record: Path, site: Path) -> None:
    """Drop the lines of files that are gone, and renew the hashes of those that were stripped."""
    with record.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if (site / row[0]).exists()]
    for row in rows:
        if row[1]:
            content = (site / row[0]).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            row[1:] = [f"sha256={digest}", str(len(content))]
    with record.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


main(Path(sys.argv[1]))
