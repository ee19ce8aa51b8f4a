"""The figures of a report, for light and for dark pages."""

import base64
import io
import warnings

import numpy as np

from ._calibration_display import CalibrationComparisonDisplay
from ._fidelity_display import FidelityDisplay
from ._segment_display import SegmentDisplay

THEMES = {
    "light": {"ink": "#1b1f24", "teacher": "#0b62a8", "student": "#b3420a"},
    "dark": {"ink": "#e6e8eb", "teacher": "#6cb6ff", "student": "#ffa057"},
}
"""Colours that stand out from the page by a contrast of 4.5 at least."""

DENSITIES = {"light": (0.0, 0.9), "dark": (0.35, 1.0)}
"""Part of the colour map that can be told from the page."""

SIZES = {"fidelity": (4.8, 4.0), "calibration": (4.8, 4.0), "segments": (4.8, 4.4)}
"""Inches: what a phone is wide, so that the letters stay large."""


def draw_figures(report):
    """Draw the figures of a report.

    Parameters
    ----------
    report : DistillationReport

    Returns
    -------
    dict of str to dict of str to str
        For each figure its text for those who do not see it under ``"alt"``, and data
        URIs of SVG under ``"light"`` and ``"dark"``.
    """
    return {
        name: {"alt": _describe(report, name)}
        | {theme: _draw(report, name, theme) for theme in THEMES}
        for name in SIZES
    }


def _describe(report, name):
    what = report.quantity
    if name == "fidelity":
        value = report.fidelity.get("mean_absolute_difference")
        end = "" if value is None else f" The mean absolute difference is {value:.4g}."
        return f"Density of rows by {what}: student against teacher.{end}"
    if name == "calibration":
        gaps = [
            np.abs(
                np.subtract(
                    report.calibration[f"{who}_predicted"],
                    report.calibration[f"{who}_actual"],
                )
            ).max()
            for who in ("teacher", "student")
        ]
        return (
            "Mean prediction against what happened. The bin furthest from the "
            f"diagonal is off by {gaps[0]:.4g} for the teacher, and by {gaps[1]:.4g} "
            "for the student."
        )
    worst = report.segments[0]
    return (
        f"Mean difference of student and teacher in {what} by segment. The largest is "
        f"{worst.difference:+.4g} where {worst.column} is {worst.label}."
    )


def _display(report, name):
    label = report.positive_class
    if name == "fidelity":
        counts, edges = report.density["counts"], report.density["edges"]
        return FidelityDisplay(np.array(counts), edges, pos_label=label)
    if name == "calibration":
        curves = {key: np.array(curve) for key, curve in report.calibration.items()}
        return CalibrationComparisonDisplay(**curves, pos_label=label)
    return SegmentDisplay(report.segments, quantity=report.quantity)


def _draw(report, name, theme):
    import matplotlib
    from cycler import cycler
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    colors = THEMES[theme]
    with matplotlib.rc_context(), warnings.catch_warnings():
        # The browser that shows the page has fonts for scripts that matplotlib lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "text.color": colors["ink"],
                "axes.labelcolor": colors["ink"],
                "axes.edgecolor": colors["ink"],
                "xtick.color": colors["ink"],
                "ytick.color": colors["ink"],
                "axes.prop_cycle": cycler(color=[colors["teacher"], colors["student"]]),
                "axes.facecolor": "none",
                "axes.spines.top": False,
                "axes.spines.right": False,
                "legend.facecolor": "none",
                "legend.edgecolor": "none",
                "svg.fonttype": "none",
                "svg.hashsalt": name,
            }
        )
        figure = Figure(figsize=SIZES[name], layout="constrained", facecolor="none")
        options = {}
        if name == "fidelity":
            part = np.linspace(*DENSITIES[theme], 256)
            options["cmap"] = ListedColormap(matplotlib.colormaps["viridis"](part))
        _display(report, name).plot(ax=figure.subplots(), **options)
        file = io.BytesIO()
        figure.savefig(file, format="svg", dpi=150, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()
