"""nova-manage audit: what servers have and what the neighbours hold for them, compared.

``facts`` reads both sides, ``compare`` says where they differ, ``repair`` mends what has one right answer.
"""

from typing import Any

from nova.cmd.manage.audit import compare, facts, repair
from nova.cmd.manage.command import Env, arg, command, flag, table
from nova.common import jsonutil, threads

NOTHING, INCOMPLETE, FOUND, REPAIRED = 0, 1, 3, 4


@command('audit', '',
         flag('--repair', 'remove what is left over of servers that a cell knows'),
         flag('--dry-run', 'with --repair: only say what would be removed'),
         flag('--json', 'print JSON'),
         arg('--settle', type=float, default=5.0, metavar='SECONDS',
             help='time between two looks, of which both must find the same; default 5'))
def audit(env: Env, options: Any) -> int:
    """Compare servers with allocations, ports, attachments and operations, and say what does not belong.

    Servers on which an operation is open are left out: what they have changes. Exit codes: 0, nothing was
    found; 1, a cell or a service could not be asked, and nothing was found elsewhere; 3, something was found;
    4, all that was found is being repaired.
    """
    seen = facts.gather(env)
    found = compare.differences(seen)
    if found:
        threads.sleep(options.settle)
        again = facts.gather(env)
        kept = set(compare.differences(again))
        found = [one for one in found if one in kept]
        seen = again
    mended = set(repair.repair(env, seen, found)) if options.repair and not options.dry_run else set()
    _print(env, seen, found, mended, options)
    if found:
        return REPAIRED if mended == set(found) else FOUND
    return INCOMPLETE if seen.silent else NOTHING


def _print(env: Env, seen: facts.Facts, found: list[compare.Difference], mended: set[compare.Difference],
           options: Any) -> None:
    def becomes(one: compare.Difference) -> str:
        if one in mended:
            return 'is being repaired'
        return 'can be repaired' if one.repairable else 'look at it'
    if options.json:
        env.say(jsonutil.text({
            'servers': len(seen.servers), 'silent': sorted(seen.silent), 'found': [
                {'kind': one.kind, 'server': one.server, 'cell': one.cell, 'what': one.what,
                 'repairable': one.repairable, 'repaired': one in mended} for one in found]}))
        return
    for name in sorted(seen.silent):
        env.say(f'{name} cannot be asked; what it knows is not compared.')
    if found:
        env.say(table(['Kind', 'Server', 'Cell', 'What', 'Then'],
                      [(one.kind, one.server, one.cell or '', one.what, becomes(one)) for one in found]))
    env.say(f'{len(seen.servers)} servers were compared; {len(found)} differences were found.')
