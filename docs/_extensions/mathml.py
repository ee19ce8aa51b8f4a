"""Formulas as MathML, which a browser shows without a script from elsewhere."""

import re

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

# What docutils does not know: dots whose height depends on what follows, sizes, which
# MathML finds by itself, and the space between a logarithm and the function it is of.
REPLACEMENTS = {
    r"\\dots(?![a-z])": r"\\ldots",
    r"\\log\s+(?=\\operatorname)": r"\\log\\,",
    r"\\(?:[bB]igg?[lmr]?|textstyle|displaystyle)(?![a-z])": "",
}

logger = logging.getLogger(__name__)


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(translator, node):
    """Write a formula within a line."""
    write(translator, node, as_block=False)


def block(translator, node):
    """Write a formula that stands by itself."""
    write(translator, node, as_block=True)


def write(translator, node, as_block):
    """Write a formula; warn, and write its source, if docutils cannot read it."""
    source = node.astext()
    for pattern, replacement in REPLACEMENTS.items():
        source = re.sub(pattern, replacement, source)
    try:
        translator.body.append(tex2mathml(source, as_block=as_block))
    except (AttributeError, MathError) as error:  # docutils raises either
        logger.warning("formula %r: %s", source, error, location=node)
        translator.body.append(translator.encode(source))
    raise SkipNode
