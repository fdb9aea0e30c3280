"""Run a Python program that the kernel ends, with all its children, as soon as one asks for an internet socket.

``python no_network.py -m MODULE ...`` or ``-c CODE``. A filter on system calls (seccomp) sees what libraries in C do
too, in every thread and every process that is started later; nothing in the program can take it off again.
"""

from __future__ import annotations

import ctypes
import platform
import runpy
import struct
import sys

# Of a machine: how the kernel names its system calls (linux/audit.h), and the number of socket().
_MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_AF_INET, _AF_INET6 = 2, 10
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _KILL_PROCESS = 0x7FFF0000, 0x80000000
_SET_SECCOMP, _NO_NEW_PRIVILEGES, _FILTER = 22, 38, 2


def can_forbid() -> bool:
    return sys.platform == "linux" and platform.machine() in _MACHINES


def forbid_internet() -> None:
    """Install the filter; OSError where the kernel takes none."""
    machine, socket = _MACHINES[platform.machine()]
    # Offsets in struct seccomp_data: 0 the call's number, 4 the machine, 16 the first argument's lower half.
    steps = [
        (_LOAD, 0, 0, 4), (_EQUAL, 0, 5, machine),
        (_LOAD, 0, 0, 0), (_EQUAL, 0, 3, socket),
        (_LOAD, 0, 0, 16), (_EQUAL, 2, 0, _AF_INET), (_EQUAL, 1, 0, _AF_INET6),
        (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _KILL_PROCESS),
    ]  # fmt: skip
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    call = ctypes.CDLL(None, use_errno=True).prctl
    call.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    for words in ((_NO_NEW_PRIVILEGES, 1, 0), (_SET_SECCOMP, _FILTER, ctypes.addressof(program))):
        if call(*words, 0, 0):
            raise OSError(ctypes.get_errno(), "the kernel takes no filter on system calls")


if __name__ == "__main__":
    forbid_internet()
    kind, what = sys.argv[1:3]
    sys.argv = [what, *sys.argv[3:]]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(what)
