"""What there is to try with moves of a cluster: the step at which one rests, who is killed or stopped there.

Every step on a host is held before and after its effect; choosing a host while who is asked takes its time.
"""

import dataclasses
import random

from nova.tests.real import process_crash as crash

HOLD = 3.0
"""Seconds for which a host takes its time: long enough to be seen at the step on a machine that is busy."""
KILL, STOP = 'killed', 'stopped'
ENDS = ('source', 'dest')
CONDUCTORS = ('conductors', 'super-conductor')

HELD = {
    # operation: (step, effect on a guest, hosts that matter)
    'resize': [('leave_source', 'migrate_out', ENDS), ('arrive', 'migrate_in', ENDS)],
    'confirm': [('forget_source', 'confirm_migration', ('source',))],
    'revert': [('undo_arrival', 'destroy', ENDS), ('return_to_source', 'revert_migration', ('source',))],
    'live-migrate': [
        ('check_dest', 'check_destination', ENDS), ('check_source', 'check_source', ENDS),
        ('prepare', 'prepare_live_migration', ENDS), ('migrate', 'live_migrate', ENDS),
        ('finish', 'finish_live_migration', ENDS), ('leave', 'leave_after_live_migration', ENDS)],
    'evacuate': [('spawn_again', 'spawn', ENDS)],
    'shelve': [('power_off', 'power_off', ('compute',)), ('snapshot', 'snapshot', ('compute',)),
               ('offload_guest', 'destroy', ('compute',))],
    'rebuild': [('clear_guest', 'destroy', ('compute',)), ('respawn', 'spawn', ('compute',))],
}
"""What the source of an evacuation owes is done when it joins again: ``nova/tests/crash`` kills it there."""
CHOOSING = {'resize': 'choose_dest', 'live-migrate': 'choose_again', 'evacuate': 'choose_dest'}
ABOVE = (
    (('scheduler',), 'scheduler'), (('super-conductor',), 'scheduler'), (('super-conductor',), 'placement'))
"""Who is taken while the host is chosen, and whose silence holds that up."""


@dataclasses.dataclass(frozen=True)
class Case(crash.Case):
    """`how` is what becomes of the victims."""

    how: str

    @property
    def id(self):
        _, *arguments = self.means
        words = [word for word in arguments if word in (*crash.BEFORE_AFTER, 'placement', 'scheduler')]
        return '-'.join([self.operation, self.step, *words, *self.victims, self.how])


def cases():
    """Every case, the same on every run."""
    for operation, steps in HELD.items():
        for step, effect, ends in steps:
            for when in crash.BEFORE_AFTER:
                for victim in (*ends, *CONDUCTORS):
                    for how in (KILL, STOP):
                        yield Case(operation, step, (crash.AtHost, effect, when, HOLD), (victim,), how)
    for operation, step in CHOOSING.items():
        for victims, silent in ABOVE:
            for how in (KILL, STOP):
                yield Case(operation, step, (crash.AtRest, silent), victims, how)


def sample(seed=9):
    """One of each operation that is named, and ways of trouble that differ: less than half a minute."""
    chosen, draw, every = [], random.Random(seed), list(cases())
    for number, operation in enumerate(('resize', 'live-migrate', 'evacuate', 'shelve', 'rebuild')):
        how = (KILL, STOP)[number % 2]
        chosen.append(draw.choice([
            case for case in every if (case.operation, case.how) == (operation, how)
            and case.means[0] is crash.AtHost and (case.victims[0] in CONDUCTORS) == (number == 2)]))
    return chosen
