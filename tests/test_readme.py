"""What the README shows is run."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
CI = README.parent / ".ci" / "run"


@pytest.mark.slow
def test_python_blocks_run_in_order():
    assert len(BLOCKS) >= 3
    namespace: dict = {}
    for block in BLOCKS:
        exec(compile(block, "README.md", "exec"), namespace)
    model, search, student = (namespace[n] for n in ("model", "search", "student"))
    assert set(search.best_params_) >= {"temperature", "alpha"}
    for fitted in (model, student):
        assert fitted.score(namespace["X_test"], namespace["y_test"]) > 0.82


def test_ci_runs_the_commands_of_the_readme():
    commands = re.findall(r"```sh\n(.*?)```", README.read_text(), flags=re.DOTALL)
    assert len(commands) == 2
    for command in commands:
        assert command.strip() in CI.read_text()
