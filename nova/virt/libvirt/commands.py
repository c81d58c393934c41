"""Programs of the host that do what libvirt does not: qemu-img, ip, genisoimage."""

import subprocess
from collections.abc import Mapping, Sequence

from nova import errors


class Commands:
    """Runs programs on the host.

    Args:
        prefix: put before what touches the host's network, for hosts that are namespaces of this machine.
    """

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        self._prefix = tuple(prefix)

    def run(self, *command: str, seconds: float = 600.0, good: Sequence[int] = (0,),
            env: Mapping[str, str] | None = None) -> str:
        """Run a program and return what it prints.

        Raises:
            errors.virt.DriverFailed: it is not there, has failed, or has not ended within `seconds`.
        """
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False,
                                  env=env)
        except FileNotFoundError as error:
            raise errors.virt.DriverFailed(
                reason=f'{command[0]} is not installed on this host') from error
        except subprocess.TimeoutExpired as error:
            raise errors.virt.DriverFailed(reason=f'{command[0]} has not ended in {seconds:.0f} s') from error
        if done.returncode not in good:
            said = (done.stderr or done.stdout).strip()[-400:]
            raise errors.virt.DriverFailed(reason=f'{command[0]} has failed ({done.returncode}): {said}')
        return done.stdout

    def ip(self, *command: str, good: Sequence[int] = (0,)) -> str:
        """Run ``ip`` in the host's network."""
        return self.run(*self._prefix, 'ip', *command, seconds=30.0, good=good)
