"""A column of two datasets as a picture."""

from roadsafety_components.core.distance import QUANTILES, ColumnPair
from roadsafety_components.core.page import drawing, new_figure

_BARS = 10


def column_picture(pair: ColumnPair) -> str:
    """Draw both side by side.

    Bars for codes, the commonest; for quantities the share of the rows below each value.
    """
    figure = new_figure(4, 3.4)
    axes = figure.subplots()
    shown = sorted(sorted(range(len(pair.shares)), key=lambda i: -sum(pair.shares[i][1:]))[:_BARS])
    for side, label, colour in ((0, "reference", "C0"), (1, "current", "C1")):
        if pair.quantiles:
            axes.plot([q[side] for q in pair.quantiles], QUANTILES, colour, label=label)
            axes.set_ylabel("share of the rows below")
            axes.locator_params(axis="x", nbins=4)
        else:
            at = [row + 0.4 * side for row in range(len(shown))]
            axes.barh(at, [pair.shares[i][1 + side] for i in shown], 0.4, label=label, color=colour)
            axes.set_xlabel("share of the rows")
    if shown:
        axes.set_yticks([row + 0.2 for row in range(len(shown))], [pair.shares[i][0][:20] for i in shown])
        axes.invert_yaxis()
    figure.suptitle(f"{pair.name}\nPSI {pair.psi:.2f} ({pair.chance:.3f})", fontsize=11)
    figure.legend(loc="outside lower center", ncols=2)
    return drawing(pair.name, figure)
