"""How far a long job is, told on standard error."""

import sys
import time
from contextlib import contextmanager

SHORTEST = 2.0
"""Seconds between two lines about the same stage, where there is no terminal."""


class Progress:
    """Tells the stages of a long job, and how far each is.

    On a terminal a stage is a bar of tqdm, if that is installed; elsewhere it is a
    line as it begins, at most one every two seconds, and one when it is done. The time
    left is the time of the steps that are left, each as long as those so far took on
    average. So nothing is claimed before the first step is done.

    Parameters
    ----------
    verbose : int, default=0
        0: nothing is told.
    stream : text file, default=None
        ``None``: standard error, as it is when a stage begins.

    Examples
    --------
    >>> import sys
    >>> from skdistill._progress import Progress
    >>> progress = Progress(verbose=1, stream=sys.stdout)
    >>> with progress.stage("fitting the teacher", total=2, unit="fit") as advance:
    ...     advance()
    ...     advance()
    [skdistill] fitting the teacher
    [skdistill] fitting the teacher: 2/2 fits, 0:00
    """

    def __init__(self, verbose=0, stream=None):
        self.verbose = verbose
        self.stream = stream

    @contextmanager
    def stage(self, name, total=None, unit=None):
        """Tell a stage as long as the context lasts.

        Parameters
        ----------
        name : str
            What is done, as "fitting the teacher".
        total : int, default=None
            Number of steps; ``None``: unknown.
        unit : str, default=None
            What a step is, in the singular; ``None``: nothing is told of steps.

        Yields
        ------
        callable
            ``advance(n=1, note="")`` tells that n more steps are done, and what there
            is to be known of them.
        """
        if not self.verbose or (stream := self.stream or sys.stderr) is None:
            yield _nothing
            return
        shown = _show(name, total, unit, stream)
        try:
            yield shown.advance
        finally:
            shown.close()

    @contextmanager
    def fitting(self, estimator, name):
        """Tell a stage in which an estimator is fitted.

        One with the parameter `verbose` tells its own steps meanwhile.

        Parameters
        ----------
        estimator : estimator
            Afterwards its parameter is what it was.
        name : str
            What is done, for an estimator that tells nothing itself.
        """
        before = getattr(estimator, "verbose", None)
        if before is None:
            with self.stage(name):
                yield
            return
        estimator.set_params(verbose=max(before, self.verbose))
        try:
            yield
        finally:
            estimator.set_params(verbose=before)


def _nothing(n=1, note=""):
    """Tell nothing."""


def _show(name, total, unit, stream):
    # Without steps a bar would stand still.
    if unit and stream.isatty():
        try:
            return _Bar(name, total, unit, stream)
        except ImportError:
            pass
    return _Lines(name, total, unit, stream)


class _Bar:
    """A stage as a bar of tqdm."""

    def __init__(self, name, total, unit, stream):
        from tqdm import tqdm

        # smoothing=0: the average, since neither folds nor batches become faster.
        self._bar = tqdm(
            desc=name,
            total=total,
            unit=f" {unit}s",
            unit_scale=total is None or total > 1000,
            smoothing=0,
            file=stream,
            dynamic_ncols=True,
        )

    def advance(self, n=1, note=""):
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(n)

    def close(self):
        self._bar.close()


class _Lines:
    """A stage as lines of text."""

    def __init__(self, name, total, unit, stream):
        self._name, self._total, self._unit, self._stream = name, total, unit, stream
        self._done, self._note = 0, ""
        self._start = self._told = time.monotonic()
        self._print(name)

    def advance(self, n=1, note=""):
        self._done += n
        self._note = note
        now = time.monotonic()
        if now - self._told >= SHORTEST and self._done != self._total:
            self._told = now
            self._tell(now)

    def close(self):
        self._tell(time.monotonic(), ends=True)

    def _tell(self, now, ends=False):
        seconds = now - self._start
        parts = [_clock(seconds)]
        if self._unit:
            of = "" if self._total is None else f"/{self._total:,}"
            parts.insert(0, f"{self._done:,}{of} {self._unit}s")
        if self._total and self._done and not ends:
            left = seconds / self._done * (self._total - self._done)
            parts.append(f"about {_clock(left)} left")
        parts += [self._note] if self._note else []
        self._print(f"{self._name}: {', '.join(parts)}")

    def _print(self, text):
        print(f"[skdistill] {text}", file=self._stream, flush=True)


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
