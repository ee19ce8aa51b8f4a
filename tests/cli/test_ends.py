"""How the processes of commands end: exit codes, and what is left behind."""

import itertools
import os
import resource
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from skdistill.cli import main
from skdistill.runtime import save
from skdistill.students import MLPStudentRegressor

from_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting is for root")


@pytest.fixture
def start(tmp_path, files):
    """Start a command whose standard streams are pipes."""
    program = "import sys; from skdistill.cli import main; sys.exit(main())"
    started = []

    def start_process(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_heed_interrupts,
        )
        started.append(process)
        return process

    yield start_process
    for process in started:
        process.kill()
        process.communicate()


def _heed_interrupts():
    """Whoever is started in the background ignores them, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_standard_input_and_output(format, files, run, tmp_path):
    with open(files / f"rows.{format}", "rb") as data:
        arguments = ["-", "--out", "-", "--format", format, "--id", "id"]
        done = run("score", files / "student.skd", *arguments, stdin=data, text=False)
    assert (done.returncode, done.stderr) == (0, b"")
    (tmp_path / "piped").write_bytes(done.stdout)
    arguments = [files / f"rows.{format}", "--out", tmp_path / f"scores.{format}"]
    arguments = ["score", files / "student.skd", *arguments, "--id", "id"]
    assert main([str(argument) for argument in arguments]) == 0
    read = pd.read_csv if format == "csv" else pd.read_parquet
    piped, written = (tmp_path / "piped", tmp_path / f"scores.{format}")
    pd.testing.assert_frame_equal(read(piped), read(written))


def test_a_parquet_file_through_a_pipe(files, start):
    arguments = ["-", "--out", "-", "--format", "parquet"]
    process = start("score", files / "student.skd", *arguments)
    output, error = process.communicate((files / "rows.parquet").read_bytes())
    assert (process.returncode, error) == (0, b"")
    assert output[:4] == b"PAR1"


@pytest.mark.parametrize("command", ["score", "inspect"])
def test_a_reader_that_goes_away_is_no_error(command, files, start):
    arguments = [files / "student.skd"]
    if command == "score":
        arguments += [files / "rows.csv", "--out", "-"]
    process = start(command, *arguments)
    if command == "score":
        assert process.stdout.readline() == b'"proba_<=50K","proba_>50K"\n'
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 141


def test_an_interrupt_leaves_nothing_behind(files, start, tmp_path):
    """Even though the thread that reads waits for ever."""
    process = start("score", files / "student.skd", "-", "--out", "scores.csv")
    process.stdin.write((files / "rows.csv").read_bytes() * 4)
    process.stdin.flush()
    for _ in range(6000):
        if list(tmp_path.iterdir()):
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert process.stderr.read() == b"skdistill: interrupted\n"
    assert list(tmp_path.iterdir()) == []


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_file_that_grows_too_large_is_not_left(format, files, run, tmp_path):
    arguments = [files / "rows.csv", "--out", f"scores.{format}"]
    done = run("score", files / "student.skd", *arguments, preexec_fn=limit_files)
    assert done.returncode == 1
    assert done.stderr.startswith("skdistill: ")
    assert "File too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has /dev/full")
def test_a_full_device_is_told(files, run):
    arguments = [files / "rows.csv", "--out", "/dev/full", "--format", "csv"]
    done = run("score", files / "student.skd", *arguments)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not os.path.isfile("/dev/full")


@from_root
def test_a_full_disk_is_told(files, run, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        (disk / "scores.csv").write_text("before")
        arguments = [files / "rows.csv", "--out", disk / "scores.csv"]
        done = run("score", files / "student.skd", *arguments)
        assert os.listdir(disk) == ["scores.csv"]
        assert (disk / "scores.csv").read_text() == "before"
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_error_is_a_line_and_a_traceback_if_asked_for(files, run):
    done = run("inspect", files / "rows.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("skdistill: Got a file that does not end as a zip")
    assert done.stderr.rstrip().endswith(f"The file is '{files / 'rows.csv'}'.")
    assert done.stderr.count("\n") == 1
    done = run("inspect", files / "rows.csv", "--debug")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")


def test_an_unexpected_error_is_a_line(monkeypatch, told, files):
    from skdistill.cli import _inspect

    monkeypatch.setattr(_inspect, "describe", lambda path: {}["no such\nthing"])
    assert main(["inspect", str(files / "student.skd")]) == 1
    assert told() == ("skdistill: KeyError: 'no such\\nthing' (--debug shows where)")


@pytest.mark.parametrize("command", ["demo", "distill", "score", "inspect", "report"])
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([command, "--help"])
    assert exit_.value.code == 0
    output = capsys.readouterr().out
    assert f"examples:\n  skdistill {command} " in output
    assert max(map(len, output.splitlines())) <= 80


@pytest.fixture
def of_numbers(adult, tmp_path):
    """A student that predicts numbers of the rows in `files`."""
    student = MLPStudentRegressor((4,), n_steps=2, random_state=0)
    save(student.fit(adult[0], adult[0]["age"]).to_spec(), tmp_path / "numbers.skd")
    return tmp_path / "numbers.skd"


def test_scoring_and_inspecting_import_nothing_heavy(files, of_numbers, tmp_path):
    code = (
        "import sys\n"
        "from skdistill.cli import main\n"
        "student, rows, scores = sys.argv[1:]\n"
        "assert main(['inspect', student]) == 0\n"
        "assert 'pyarrow' not in sys.modules\n"
        "arguments = ['--out', scores, '--id', 'id']\n"
        "arguments += [] if 'numbers' in student else ['--label', '--proba']\n"
        "assert main(['score', student, rows, *arguments]) == 0\n"
        "heavy = {'sklearn', 'scipy', 'joblib', 'torch', 'pandas', 'tqdm', 'typer'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    for student, suffix in itertools.product(
        (files / "student.skd", of_numbers), ("csv", "parquet")
    ):
        paths = student, files / f"rows.{suffix}", tmp_path / "s.parquet"
        subprocess.run([sys.executable, "-c", code, *map(str, paths)], check=True)
