"""What the page about the report shows is run."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from skdistill import datasets, inspection

PAGE = Path(__file__).parents[2] / "docs" / "report.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@pytest.mark.slow
def test_python_blocks_run_in_order(adult, monkeypatch, tmp_path):
    # Fewer rows of the same table: what the code says is the same.
    monkeypatch.setattr(datasets, "load_adult", lambda *, return_X_y: adult)
    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    try:
        for block in BLOCKS:
            exec(compile(block, str(PAGE), "exec"), namespace)
    finally:
        plt.close("all")
    assert len(BLOCKS) == 3
    assert namespace["report"].certificate == namespace["certificate"]
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"income.skd", "report.html", "pareto.png"}


def test_the_page_names_functions_that_exist():
    table = re.findall(r"^\| .*? \| `(\w+)` \|", PAGE.read_text(), flags=re.MULTILINE)
    assert len(table) >= 9
    assert set(table) <= set(inspection.__all__)


def test_the_picture_is_small():
    picture = PAGE.with_name("report.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 300_000
