"""Ports of serial consoles: one a guest, kept in the host's journal for as long as the guest is there."""

import contextlib
import socket

from oslo_config import cfg

from nova import errors
from nova.task.handles import Host

SERIAL = 'serial'


def port(h: Host, conf: cfg.ConfigOpts) -> int | None:
    """The guest's port, chosen where it has none yet; None where this host has no serial consoles.

    Raises:
        errors.task.Refused: all ports of ``[serial_console] port_range`` are taken.
    """
    if not conf.serial_console.enabled:
        return None
    kept = h.journal.get(SERIAL)
    if kept is not None:
        return int(str(kept['port']))
    taken = {int(str(each['port'])) for each in h.journal.each(SERIAL).values()}
    first, _, last = conf.serial_console.port_range.partition(':')
    for number in range(int(first), int(last)):
        if number not in taken and _is_free(number):
            h.journal.put(SERIAL, {'port': number})
            return number
    raise errors.task.Refused('this host has no port left for a serial console')


def release(h: Host) -> None:
    """The guest is gone. Repeatable."""
    h.journal.put(SERIAL, None)


def _is_free(number: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        try:
            probe.bind(('', number))
        except OSError:
            return False
    return True
