"""``tools/simulate``: live histories, one after the other, and stop at the first that shows a fault."""

import argparse
import collections
import logging
import random
import sys
import time

from nova.common import threads

threads.choose('threading')

from nova.tests.simulation import history as histories  # noqa: E402
from nova.tests.simulation import mutants  # noqa: E402
from nova.tests.simulation import world as worlds  # noqa: E402

SERVERS = 20


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser('simulate', description='Live histories of a simulated deployment.')
    made.add_argument('--minutes', type=float, default=1.0, help='how long; default %(default)s')
    made.add_argument('--seed', type=int, help='of the first world; by default one that nobody had yet')
    made.add_argument('--count', type=int, help='how many histories, at most')
    made.add_argument('--rounds', type=int,
                      help='histories of 20 servers on 6 hosts in 2 cells, in so many rounds')
    made.add_argument('--size', choices=sorted(histories.SIZES), default=histories.SIZE,
                      help='how much happens in a history; default %(default)s')
    made.add_argument('--series', type=int, default=histories.SERIES, metavar='N',
                      help='histories that a world lives, one after the other; default %(default)s')
    made.add_argument('--flow', help='one of the operations begins this flow')
    made.add_argument('--faults', help=f'kinds of faults, of {",".join(histories.KINDS)}')
    made.add_argument('--history', help='live this one (as a failure printed it) and show what happened')
    made.add_argument('--keep-going', action='store_true', help='go on after a fault, and count the kinds')
    made.add_argument('--mutants', nargs='*', metavar='FAULT',
                      help='see how soon faults in the product are found, all or these (`mutants`)')
    made.add_argument('--sizes', default=','.join(mutants.SIZES), help='of histories, for --mutants')
    made.add_argument('--seconds', type=float, default=mutants.SECONDS,
                      help='of processor time, for each of --mutants and each size; default %(default)s')
    made.add_argument('--look', help=argparse.SUPPRESS)
    made.add_argument('--trace', action='store_true', help='show what happened even where all went well')
    return made


def draw(seed: int, arguments: argparse.Namespace, most: int) -> histories.History:
    """The histories of one world, at most so many."""
    kinds = arguments.faults.split(',') if arguments.faults else None
    if arguments.rounds:
        return histories.Draw(random.Random(seed), kinds, servers=SERVERS).rounds(seed, arguments.rounds)
    return histories.drawn(seed, kinds, arguments.flow, histories.SIZES[arguments.size],
                           min(arguments.series, most))


def replay(kept: worlds.Kept, history: histories.History, trace: bool) -> int:
    try:
        world = histories.run(kept, history)
    except histories.Failed as failed:
        print(failed)
        return 1
    if trace:
        print(world.tail(1_000_000))
    print('No fault was seen.')
    return 0


def campaign(kept: worlds.Kept, arguments: argparse.Namespace) -> int:
    began, spent = time.monotonic(), time.process_time()
    most = arguments.count or sys.maxsize
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10 ** 9)
    kinds: collections.Counter[str] = collections.Counter()
    lived = 0

    def time_left() -> bool:
        return time.monotonic() - began < arguments.minutes * 60
    while time_left() and lived < most:
        drawn = draw(seed, arguments, most - lived)
        try:
            world = histories.run(kept, drawn)
            lived += drawn.count
            if arguments.trace:
                print(world.tail(1_000_000))
        except histories.Failed as failed:
            lived += failed.number + 1 if drawn.anew else 1
            if not arguments.keep_going:
                print(histories.shrunk(lambda shorter: histories.run(kept, shorter), failed))
                return 1
            kind = str(failed.why).split('\n', 1)[0][:110]
            if not kinds[kind]:
                print(f'seed {seed}: {kind}', flush=True)
            kinds[kind] += 1
        seed += 1
    spent = time.process_time() - spent
    print(f'{lived} histories, {lived / spent:.1f} a second of processor time; the last seed was {seed - 1}')
    for kind, count in kinds.most_common():
        print(f'  {count:5}  {kind}')
    return 1 if kinds else 0


def main() -> int:
    arguments = parser().parse_args()
    logging.disable(logging.CRITICAL)
    if arguments.look:
        mutants.answer(arguments.look)
        return 0
    if arguments.mutants is not None:
        for line in mutants.study(arguments.mutants, arguments.sizes.split(','), arguments.seconds):
            print(line, flush=True)
        return 0
    kept = worlds.Kept()
    if arguments.history:
        return replay(kept, histories.History.from_json(arguments.history), arguments.trace)
    return campaign(kept, arguments)


if __name__ == '__main__':
    sys.exit(main())
