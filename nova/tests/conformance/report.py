"""What a walk found, as a page that a person reads, and whether it is as recorded."""

import collections
from collections.abc import Iterable, Mapping

from nova.tests.conformance.walk import MISSING, SERVED, WRONG, Verdict

LEVELS = ('core', 'queens', 'modern', 'dead')


def dishonest(verdicts: Iterable[Verdict], known: Mapping[str, int]) -> list[str]:
    """Where the record of what is missing is wrong; a line each."""
    found = []
    for one in verdicts:
        if one.state == MISSING and one.route.name not in known:
            found.append(f'{one.route.name}: is missing, and missing.yaml does not say so')
        elif one.state != MISSING and one.route.name in known:
            found.append(f'{one.route.name}: is served; take it off missing.yaml')
    return found


def page(verdicts: list[Verdict], known: Mapping[str, int]) -> str:
    counts = collections.Counter((one.route.level, one.state) for one in verdicts)
    lines = [f'{"level":8}{SERVED:>9}{WRONG:>9}{MISSING:>9}']
    for level in LEVELS:
        lines.append(f'{level:8}' + ''.join(f'{counts[level, state]:9}' for state in (SERVED, WRONG, MISSING)))
    total = collections.Counter(one.state for one in verdicts)
    lines.append(f'{"all":8}' + ''.join(f'{total[state]:9}' for state in (SERVED, WRONG, MISSING)))
    lines.append(f'\n{sum(one.versions for one in verdicts)} pairs of route and microversion were asked.')
    if total[MISSING]:
        lines.append('\nMissing:')
        lines += [f'  {one.route.name} (issue {known.get(one.route.name, "?")})'
                  for one in verdicts if one.state == MISSING]
    if total[WRONG]:
        lines.append('\nWrong:')
        for one in verdicts:
            if one.state == WRONG:
                lines.append(f'  {one.route.name}')
                lines += [f'      {line}' for line in one.problems]
    wrong = dishonest(verdicts, known)
    if wrong:
        lines += ['\nThe record of what is missing is not right:', *(f'  {line}' for line in wrong)]
    return '\n'.join(lines)
