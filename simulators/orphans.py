"""A process that does not outlive the one that started it, however that one ended."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int) -> None:
    """
    From now on SIGTERM comes when process ``parent``, which started this one, is dead.

    Called by the child itself, so nothing runs between fork and exec. A parent that died earlier
    sends no signal, but this process then has another one: it ends at once. Linux only; elsewhere
    children outlive a parent that was killed.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(f"process {parent}, which started this one, has ended")
