"""What docs/teachers.md shows is run, and its table is what the benchmark measures."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "teachers.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
SPEC = importlib.util.spec_from_file_location(
    "teachers_page", ROOT / "benchmarks" / "teachers.py"
)
benchmark = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(benchmark)


@pytest.mark.slow
def test_python_blocks_run_in_order():
    assert len(BLOCKS) >= 8
    namespace: dict = {}
    for block in BLOCKS:
        exec(compile(block, "teachers.md", "exec"), namespace)
    score = namespace["student"].score(namespace["X_rest"], namespace["y_rest"])
    assert score > 0.85


def test_the_table_has_every_kind_and_its_source():
    lines = re.findall(
        r"^\| (.*?) \| (.*?) \| (.*?) \| .*\|$", PAGE, flags=re.MULTILINE
    )
    table = {name: (source, figure) for name, source, figure in lines}
    assert set(benchmark.KINDS) <= set(table)
    for name, (_, source) in benchmark.KINDS.items():
        assert source in table[name][0]
        figure = table[name][1].strip()
        assert not figure or float(figure) <= 1e-6
