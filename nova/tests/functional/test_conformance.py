"""A walk through a whole cloud at the newest microversion of every route; the others are for
``tools/conformance``."""

from nova.tests.conformance import facts, people, report, walk
from nova.tests.conformance.world import World


def test_newest(cloud):
    deployment = cloud.deployment
    who = people.People(deployment.url('identity') + '/v3', 'admin', deployment.passwords['admin'])
    world = World(who)
    try:
        verdicts = walk.Walk(world, newest=True).routes(facts.load().routes)
    finally:
        world.close()
        who.close()
    known = facts.missing()
    assert not report.dishonest(verdicts, known), report.page(verdicts, known)
    assert not [one for one in verdicts if one.state == walk.WRONG], report.page(verdicts, known)
