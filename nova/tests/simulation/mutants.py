"""Faults, put into the product to see how soon the simulator finds them with histories of several sizes.

Each is a few lines of the product as somebody might have written them. It is put into a copy of the tree, in
which histories are lived until one fails.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence

import nova
from nova.tests.simulation import history
from nova.tests.simulation import world as worlds

TREE = pathlib.Path(nova.__file__).resolve().parent
"""The package ``nova`` itself."""
SIZES = ('even', 'small', 'even*8', 'small*8')
"""What is compared: ``*8``, eight histories in a world."""
SECONDS = 20.0
"""Of processor time, for which each is looked for with each size, at most."""
ENOUGH = 10
"""How often it is found until the time that this takes is known well enough."""
SEED = 1_000_000
"""Of the first history."""


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A fault.

    Attributes:
        file: within the package.
        right: text that is there once, and is replaced by `wrong`.
        shown: the module of tests, below ``nova/tests``, that fails with it, where no history does.
    """

    name: str
    file: str
    right: str
    wrong: str
    shown: str = ''

    def apply(self, package: pathlib.Path) -> None:
        """Put it into the package in this directory."""
        path = package / self.file
        text = path.read_text()
        if text.count(self.right) != 1:
            raise LookupError(f'{self.name}: what is to be replaced is not in {self.file} exactly once: '
                              'write the fault anew, as the product is now')
        path.unlink()  # it may be a link
        path.write_text(text.replace(self.right, self.wrong))


FAULTS = (
    Mutant('who lost its task saves all the same', 'task/runner.py',
           'if fresh is None or not _was_only_told(task, fresh):', 'if fresh is None:'),
    Mutant('a kick that comes too early is lost', 'compute/chores.py',
           'chore.due = chore.again(pause)\n',
           'chore.due = chore.again(pause)\n'
           '            chore.kicked = False\n', shown='compute/test_chores.py'),
    Mutant('what is asked twice is answered once', 'compute/step_runner.py',
           '            self._pool.submit(report, context, answer)\n            return True\n',
           '            return True\n'),
    Mutant('a deletion leaves ports', 'ops/delete/flow.py', '    ports.release_ports(h, state)\n    volumes',
           '    volumes'),
    Mutant('an undo is tried once', 'task/plan.py', 'UNDO_TRIES = 8', 'UNDO_TRIES = 1'),
    Mutant('a lost wake-up is not noticed', 'task/keeper.py',
           'return self._engine.wake if watch.again else None', 'return None'),
    Mutant('a step that was lost is not sent again', 'task/keeper.py',
           'return self._tell_again if holds else self._resend', 'return None'),
    Mutant('a step that is running is run again', 'compute/step_runner.py',
           'if job is not None and job.call.attempt >= call.attempt:',
           'if job is not None and job.call.attempt > call.attempt:', shown='compute/test_step_runner.py'),
    Mutant('an answer to another attempt is taken', 'task/engine.py',
           '(run.task.step, run.task.attempt) != (result.step, result.attempt)',
           'run.task.step != result.step', shown='task/test_time.py'),
    Mutant('a host that is down owes nothing', 'task/keeper.py',
           'also=lambda conn: owed.owe(conn, host, call))', 'also=None)', shown='task/test_faults.py'),
    Mutant('a host that was cut off does not join', 'compute/agent.py',
           'self._heart.pause()\n        self._joined.clear()\n        self._hurry(\'join\')',
           'self._heart.begin(wanted.epoch or 0)'),
    Mutant('nobody looks for what comes late', 'task/runner.py',
           "doubtful = task.doubt or task.unwinds or 'doubt' in changes", 'doubtful = False'),
    Mutant('a claim stays with who has gone', 'ops/build/flow.py',
           '    ports.release_ports(h, state)\n    allocate.drop_allocation(h, state)\n',
           '    ports.release_ports(h, state)\n'),
    Mutant('a refusal leaves its claim', 'steps/schedule.py',
           '    h.clients.placement.drop(h.instance.uuid)\n    instance = h.instance\n',
           '    instance = h.instance\n'),
    Mutant('only recorded attachments are undone', 'steps/volumes.py',
           "    for attachment in h.clients.volume.attachments(h.instance.uuid):\n"
           "        h.clients.volume.detach(attachment['id'])\n"
           "    for device in volume_devices(h.instance):\n"
           "        device.attachment_id = None\n\n\ndef connect_volumes",
           "    for device in volume_devices(h.instance):\n"
           "        if device.attachment_id:\n"
           "            h.clients.volume.detach(device.attachment_id)\n"
           "        device.attachment_id = None\n\n\ndef connect_volumes"),
    Mutant('a move that fails keeps its source twice', 'steps/moves.py',
           'wanted = {h.instance.uuid: (state.held, SERVER), state.migration: ({}, CONSUMER)}',
           'wanted = {h.instance.uuid: (state.held, SERVER)}'),
    Mutant('a server is deleted under who has it', 'task/journal.py',
           "rows.cancel(conn, instance_uuid, flows.Flow.slot() or '')", 'pass'),
    Mutant('a server that was withdrawn is handed over', 'ops/build/handover.py',
           'return HANDED if objects.InstanceMapping.hand_over(conn, server.uuid, cell.id) else WITHDRAWN\n'
           '    return standing(conn, server.uuid).word',
           'pass\n    objects.InstanceMapping.hand_over(conn, server.uuid, cell.id)\n    return HANDED'),
    Mutant('all are spoken to as this release', 'task/journal.py',
           'return flows.at(flow, self._oldest(host)) or flow', 'return flow'),
)
"""Each is of another kind."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """What histories of one size showed of a fault.

    Attributes:
        failed: how many of the histories showed it.
        seconds: of processor time, for all of them.
        why: what the first one said.
    """

    size: str
    histories: int
    failed: int
    seconds: float
    why: str

    @property
    def mean(self) -> float:
        """Seconds until it is found; where it never was, as if it had been in twice the time."""
        return self.seconds / (self.failed or 0.5)


def look(size: str, seconds: float, most: int) -> Seen:
    """Live histories of a size for so many seconds of processor time, or until so many have failed.

    Args:
        size: a name of `history.SIZES`; with ``*8`` eight of them in a world.
    """
    kept, histories, failed, why, seed = worlds.Kept(), 0, 0, '', SEED
    name, _, series = size.partition('*')
    began = time.process_time()
    while (spent := time.process_time() - began) < seconds and failed < most:
        drawn = history.drawn(seed, size=history.SIZES[name], count=int(series or 1))
        seed += 1
        try:
            history.run(kept, drawn)
            histories += drawn.count
        except history.Failed as error:
            histories, failed = histories + error.number + 1, failed + 1
            why = why or str(error.why).split('\n', 1)[0][:100]
    return Seen(size, histories, failed, spent, why)


@contextlib.contextmanager
def put_in(fault: Mutant) -> Iterator[pathlib.Path]:
    """A copy of the tree that has a fault; where it is."""
    with tempfile.TemporaryDirectory(prefix='mutant') as directory:
        root = pathlib.Path(directory)
        shutil.copytree(TREE, root / 'nova', ignore=shutil.ignore_patterns('realcloud', 'real', 'functional'))
        fault.apply(root / 'nova')
        yield root


def answer(asked: str) -> None:
    """What a process of `search` does: print what came of each look."""
    wanted = json.loads(asked)
    for size in wanted['sizes']:
        sys.stdout.write(json.dumps(dataclasses.asdict(look(size, wanted['seconds'], wanted['most']))) + '\n')
        sys.stdout.flush()


def search(fault: Mutant, sizes: Iterable[str], seconds: float, most: int = ENOUGH) -> Iterator[Seen]:
    """Look for a fault with histories of each size, in a process whose tree has it."""
    with put_in(fault) as root:
        asked = json.dumps({'seconds': seconds, 'most': most, 'sizes': list(sizes)})
        child = subprocess.Popen(
            [sys.executable, '-m', 'nova.tests.simulation', '--look', asked], cwd=root, text=True,
            stdout=subprocess.PIPE, env={**os.environ, 'PYTHONPATH': str(root), 'PYTHONHASHSEED': '0'})
        assert child.stdout is not None
        with child, child.stdout:
            for line in child.stdout:
                yield Seen(**json.loads(line))
        if child.returncode:
            raise RuntimeError(f'nobody could look for {fault}: {child.returncode}')


def study(names: Sequence[str], sizes: Sequence[str], seconds: float = SECONDS) -> Iterator[str]:
    """Look for faults with several sizes; lines of a table of what it took.

    Args:
        names: of the faults; otherwise all that histories are to find.

    The last line has the geometric mean over the faults: to find one in 2 seconds rather than 4 counts as much
    as in 20 rather than 40.
    """
    means: dict[str, list[float]] = {size: [] for size in sizes}
    yield f'{"seconds of processor time until it is found":44}' + ''.join(f'{size:>12}' for size in sizes)
    for fault in FAULTS:
        if fault.name not in names if names else fault.shown:
            continue
        line, why = f'{fault.name:44}', ''
        for seen in search(fault, sizes, seconds):
            means[seen.size].append(seen.mean)
            line += f'{seen.mean:>12.1f}' if seen.failed else f'{"> " + format(seen.seconds, ".0f"):>12}'
            why = why or seen.why
        yield f'{line}  {why}'
    last = (f'{statistics.geometric_mean(means[size]):12.1f}' for size in sizes)
    yield f'{"geometric mean":44}' + ''.join(last)
