"""nova-manage audit: what servers have and what hosts and neighbours hold for them, compared."""

from argparse import Namespace

from nova import audit as audits
from nova.cmd.manage.command import Env, arg, command, flag, table
from nova.common import jsonutil

NOTHING, INCOMPLETE, FOUND, REPAIRED = 0, 1, 3, 4


@command('audit', '',
         flag('--repair', 'mend what has one right answer'),
         flag('--dry-run', 'with --repair: only say what would be mended'),
         flag('--json', 'print JSON'),
         flag('--no-guests', 'do not ask hosts for their guests'),
         arg('--between', type=float, default=5.0, metavar='SECONDS',
             help='time between two looks, of which both must find the same; default 5'))
def audit(env: Env, options: Namespace) -> int:
    """Compare servers with allocations, guests, ports, attachments and operations, and say what is wrong.

    Servers on which an operation is open are left out: what they have changes. Exit codes: 0, nothing was
    found; 1, a cell, a host or a service could not be asked, and nothing was found elsewhere; 3, something was
    found; 4, all that was found is being repaired.
    """
    deployment = env.deployment(guests=not options.no_guests)
    seen, found = audits.look(deployment, options.between)
    repairs = options.repair and not options.dry_run
    mended = set(audits.repair(deployment, seen, found)) if repairs else set()
    _print(env, seen, found, mended, options)
    if found:
        return REPAIRED if mended == set(found) else FOUND
    return INCOMPLETE if seen.silent else NOTHING


def _print(env: Env, seen: audits.Facts, found: list[audits.Difference], mended: set[audits.Difference],
           options: Namespace) -> None:
    def becomes(one: audits.Difference) -> str:
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
