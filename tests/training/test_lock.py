"""One process at a time in a run directory."""

import errno
import signal
import subprocess
import sys

import pytest

from coterie.contracts import CoterieError
from coterie.training import lock
from coterie.training.lock import locked

HOLDER = """
import sys, time
from coterie.training.lock import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(CoterieError, match="another process is training in") as error, locked(tmp_path):
            raise AssertionError("the lock was given twice")
        assert "\n" not in str(error.value)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()


def test_it_is_free_again_after_use_and_after_an_error(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path / "new"):
        raise KeyError
    with locked(tmp_path / "new"), pytest.raises(CoterieError), locked(tmp_path / "new"):
        raise AssertionError("the lock was given twice")


def test_a_file_system_without_locks_warns(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with pytest.warns(UserWarning, match="cannot be locked"), locked(tmp_path):
        assert (tmp_path / ".lock").exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CoterieError, match="cannot write"), locked(tmp_path / "file"):
        raise AssertionError("a file was taken for a directory")
