"""Trainings take turns: torch's generator and BLAS belong to the whole process."""

import os
import threading
from contextlib import contextmanager

import torch

_turn = threading.RLock()


def _begin_anew():
    global _turn
    _turn = threading.RLock()


if hasattr(os, "register_at_fork"):
    # A thread that has its turn does not live on in the child, and would never end it.
    os.register_at_fork(after_in_child=_begin_anew)


@contextmanager
def own_turn():
    """Wait until no other thread trains, and let the others wait meanwhile."""
    with _turn:
        yield


@contextmanager
def seeded(seed):
    """Seed torch's global generator in a turn of its own, and leave it as it was."""
    with own_turn(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
