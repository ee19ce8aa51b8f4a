"""How Sphinx builds these pages: ``.ci/docs``."""

import os
import sys
from pathlib import Path

# The examples run single-threaded, so that their times are those of one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

import skdistill

project = "skdistill"
author = "the skdistill developers"
copyright = author
version = release = skdistill.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "api_pages",
    "mathml",
]
templates_path = ["_templates"]
exclude_patterns = ["_extensions", "_templates", "**/GALLERY_HEADER.rst"]
# Templates get a function, which cannot be cached, and need not be.
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

default_role = "py:obj"
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "ignore_pattern": "serve_|__init__",
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("skdistill",),
    "backreferences_dir": "api/backreferences",
    "reference_url": {"skdistill": None},
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "image_scrapers": ("matplotlib",),
    "plot_gallery": os.environ.get("SKDISTILL_GALLERY", "True"),
}

html_theme = "pydata_sphinx_theme"
html_title = "skdistill"
html_static_path = ["_static"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skdistill"},
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "footer_start": [],
    "footer_end": [],
}
