"""What a host does when it comes back: first what its conductor orders, then what its guests need."""

import collections
import json
import logging
import os
import pathlib

from nova import context as nova_context
from nova import errors
from nova.compute import handle, step_runner
from nova.objects import step as wire
from nova.states import Power
from nova.steps import shares, volumes

LOG = logging.getLogger(__name__)

BOOT_ID = pathlib.Path('/proc/sys/kernel/random/boot_id')


PATIENCE = 300.0
"""Seconds in which a step that is owed has to end, before the host asks anew what it owes."""
TRIES = 6
"""How often a step that is owed, or the removal of a guest, may fail, before it is given up for good."""


class Debts:
    """Brings a host to where it would be, had it heard everything that was said while it was not heard of.

    A guest is removed only because a record says that its server was deleted, never because none knows it.
    """

    def __init__(self, runner: step_runner.StepRunner, hosting: handle.Hosting) -> None:
        self._runner, self._hosting = runner, hosting
        self._failed: collections.Counter[tuple[str, int] | str] = collections.Counter()
        """Failures of owed steps, by task and attempt, and of removals, by server."""

    def obey(self, orders: wire.HostOrders, context: nova_context.RequestContext
               ) -> tuple[list[wire.StepRef], bool]:
        """Stop what was given up, run what is owed, remove the guests whose servers are gone.

        Returns:
            The steps that are owed no more, and whether nothing is to be done any more.
        """
        for ref in orders.stop or ():
            self._runner.cancel(context, ref)
        paid = [wire.StepRef(task=call.task, attempt=call.attempt)
                for call in orders.owed or () if self._paid(context, call)]
        done = {(ref.task, ref.attempt) for ref in paid}
        unpaid = [call for call in orders.owed or () if (call.task, call.attempt) not in done]
        kept = {call.instance.uuid for call in [*orders.open_steps, *unpaid] if call.instance is not None}
        left = [uuid for uuid in orders.evict if uuid not in kept and not self._evicted(uuid)]
        return paid, len(paid) == len(orders.owed or ()) and not left

    def _paid(self, context: nova_context.RequestContext, call: wire.StepCall) -> bool:
        """Whether a step that is owed went right, or went wrong too often for another attempt."""
        outcome = self._runner.run_owed(context, call, PATIENCE)
        if outcome == 'done':
            return True
        if outcome is None:
            LOG.warning('Step %s (%s) of task %s, which is owed, has not ended yet', call.step, call.direction,
                        call.task)
            return False
        given_up = self._fails_too_often((call.task, call.attempt))
        LOG.error('Step %s (%s) of task %s, which was owed, has %s; %s', call.step, call.direction, call.task,
                  outcome, 'it is given up' if given_up else 'it is tried again')
        return given_up

    def _fails_too_often(self, what: tuple[str, int] | str) -> bool:
        """Count one more failure; whether there is to be no other attempt."""
        self._failed[what] += 1
        return self._failed[what] >= TRIES

    def _evicted(self, uuid: str) -> bool:
        """Whether the guest of a server that is gone was removed, or could not be for too often."""
        LOG.warning('Removing the guest of server %s, which was deleted while this host was away', uuid)
        try:
            h = self._hosting.known(uuid)
            h.driver.destroy(h)
            volumes.let_go(h)
            shares.leave_shares(h)
        except errors.NovaError as error:
            given_up = self._fails_too_often(uuid)
            LOG.error('The guest of server %s could not be removed: %s; %s', uuid, error,
                      'it stays until this host joins again' if given_up else 'it is tried again')
            return given_up
        return True


class Powers:
    """Which guests ran when they were last seen, on disk, for after a reboot of the host."""

    def __init__(self, directory: pathlib.Path, boot_id: pathlib.Path = BOOT_ID) -> None:
        self._file = directory / 'powers.json'
        self._boot_id = boot_id

    def _boot(self) -> str:
        try:
            return self._boot_id.read_text(encoding='ascii').strip()
        except OSError:
            return ''

    def note(self, powers: dict[str, Power]) -> None:
        """Remember what runs now."""
        running = sorted(uuid for uuid, power in powers.items() if power == Power.RUNNING)
        new = self._file.with_suffix('.new')
        new.write_text(json.dumps({'boot': self._boot(), 'running': running}), encoding='utf-8')
        os.replace(new, self._file)

    def lost(self) -> set[str]:
        """Guests that ran before the host was booted anew; none when it was not."""
        try:
            kept = json.loads(self._file.read_text(encoding='utf-8'))
        except (FileNotFoundError, ValueError):
            return set()
        return set(kept['running']) if kept['boot'] != self._boot() else set()


def resume_guests(hosting: handle.Hosting, powers: Powers, busy: set[str]) -> list[str]:
    """Start the guests that a reboot of the host stopped, where ``resume_guests_state_on_host_boot`` wants it.

    Returns:
        Servers whose guests were started. Without the option they are reported as they are, and the conductor
        stops their servers.
    """
    if not hosting.conf.resume_guests_state_on_host_boot:
        return []
    started = []
    now = hosting.driver.guests()
    for uuid in sorted(powers.lost() - busy):
        if now.get(uuid) not in (Power.SHUTDOWN, Power.CRASHED):
            continue
        try:
            hosting.driver.power_on(hosting.known(uuid))
            started.append(uuid)
        except errors.NovaError as error:
            LOG.error('The guest of server %s could not be started again: %s', uuid, error)
    return started
