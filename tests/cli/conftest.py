"""Exported students, and the tables that they score."""

import subprocess
import sys

import pytest

from skdistill.runtime import save
from skdistill.students import TreeStudentClassifier

PROGRAM = "import sys; from skdistill.cli import main; sys.exit(main())"


@pytest.fixture(scope="session")
def student(adult):
    """A tree on Adult: categories, missing values, string labels."""
    return TreeStudentClassifier(max_leaf_nodes=16, random_state=0).fit(*adult)


@pytest.fixture(scope="session")
def files(tmp_path_factory, student, adult):
    """A folder with student.skd, rows.csv and rows.parquet, and their frame."""
    folder = tmp_path_factory.mktemp("files")
    save(student.to_spec(), folder / "student.skd", {"rows": 7})
    X, _ = adult
    frame = X.iloc[:, ::-1].assign(id=[f"{i:05}" for i in range(len(X))])
    frame.to_csv(folder / "rows.csv", index=False)
    frame.to_parquet(folder / "rows.parquet", row_group_size=300)
    return folder


@pytest.fixture
def run(tmp_path):
    """Run the command in a process; the working directory is empty."""

    def run_process(*arguments, **options):
        options = {"capture_output": True, "text": True, "timeout": 120} | options
        command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, **options)

    return run_process


@pytest.fixture
def told(capsys):
    """Return the only line that has been printed: what an error says."""

    def line():
        output, error = capsys.readouterr()
        assert output == ""
        *progress, line = error.splitlines()
        assert all(told.startswith("[skdistill] ") for told in progress)
        assert line.startswith("skdistill")
        return line

    return line
