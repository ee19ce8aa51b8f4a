"""A report as one page of HTML."""

from html import escape
from importlib import resources

from ._figures import draw_figures
from ._sections import headlines, origin, sections


def render_page(report):
    """Return a report as one page of HTML that needs nothing else.

    Parameters
    ----------
    report : DistillationReport

    Returns
    -------
    str

    Raises
    ------
    ImportError
        If matplotlib or Jinja2 is not installed.
    """
    try:
        import jinja2
        import matplotlib  # noqa: F401 - asked for before any work is done
    except ImportError as error:
        raise ImportError(
            f"Got no {error.name}, but a page needs it: pip install 'skdistill[report]'"
        ) from error
    # Names of columns and classes are whatever the data holds: all is escaped.
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    source = resources.files(__package__) / "templates" / "report.html"
    template = environment.from_string(source.read_text(encoding="utf-8"))
    return template.render(
        kinds=f"{report.teacher['kind']} into {report.student['kind']}",
        origin=origin(report),
        headlines=headlines(report),
        sections=sections(report),
        figures=draw_figures(report),
    )


def render_frame(report):
    """Return a frame for a notebook, in which the page keeps its own style.

    Parameters
    ----------
    report : DistillationReport

    Returns
    -------
    str
    """
    page = escape(render_page(report))
    return (
        '<iframe title="Distillation report" sandbox srcdoc="'
        f'{page}" style="width: 100%; height: 40em; border: 1px solid gray"></iframe>'
    )
