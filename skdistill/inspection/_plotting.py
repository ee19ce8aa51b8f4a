"""What all displays share: axes, and text that is shown as it is."""

Z_95 = 1.96
"""Standard errors to each side of a 95 % confidence interval."""

LONGEST_TEXT = 40


def new_axes(ax):
    """Return axes to draw on, new ones for None, and their figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    if ax is None:
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                "Got no matplotlib, but plotting needs it: "
                "pip install 'skdistill[report]'"
            ) from error
        ax = plt.subplots()[1]
    return ax, ax.figure


def plain(text):
    """Return names of columns, levels and models in a form that can be drawn."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def add_legend(ax, **options):
    """Add a legend whose texts are no formulas, whatever they hold."""
    for text in ax.legend(**options).get_texts():
        text.set_parse_math(False)


def label_axes(ax, x, y):
    """Label both axes with plain text."""
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)
