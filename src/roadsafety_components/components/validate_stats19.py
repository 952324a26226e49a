"""Step: do STATS19 tables satisfy what their records must satisfy."""

from typing import List

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Metrics, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(
    base_image=BASE_IMAGE, packages_to_install=pinned("matplotlib", "pandas", "pandera", "pyarrow", "pyproj")
)
def validate_stats19(
    collisions: Input[Dataset],
    findings: Output[Dataset],
    metrics: Output[Metrics],
    report: Output[HTML],
    vehicles: Input[Dataset] = None,
    casualties: Input[Dataset] = None,
    fail_on: List[str] = ["keys", "links"],
):
    """Check STATS19 tables by rules: keys, links, counts, severity, calendar, geography, ranges, codes, gaps.

    Findings, figures and the report are written first; then the step fails if a rule that fail_on names is broken.

    Args:
        collisions: Collisions from load_stats19, Parquet, or a folder of them by year.
        vehicles: Vehicles; without them the rules that need them are not asked, and the report says so.
        casualties: Casualties; likewise.
        fail_on: What stops the step: names of rules, groups of rules, error or warning; empty for nothing.

    Returns:
        findings: One row a rule and year that was broken, with count, share and examples, Parquet.
        metrics: Rows, broken rules by level and group, share of the records with an error.
        report: Self-contained page with findings, gaps, codes, months, hours and a map.
    """
    import json

    from roadsafety_components.core import store, validate
    from roadsafety_components.core.files import replacing
    from roadsafety_components.core.quality_report import quality_report

    validate.check_words(fail_on)
    given = {"collision": collisions, "vehicle": vehicles, "casualty": casualties}
    asked, summary = validate.validate({table: artifact.path for table, artifact in given.items() if artifact})
    figures = validate.figures(asked, summary)
    with replacing(findings.path, metrics.path, report.path) as (table, numbers, page):
        findings.metadata.update(store.write_dataset(validate.findings_table(asked, summary), table))
        store.write_text(json.dumps(figures, indent=2), numbers)
        store.write_text(quality_report(asked, summary, fail_on), page)
    for name, value in figures.items():
        metrics.log_metric(name, value)
    validate.pass_gate(asked, fail_on, report.path)
