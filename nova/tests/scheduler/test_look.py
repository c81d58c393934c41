"""Looks that requests share, and hosts in order while servers are given to them."""

import random
import threading
from concurrent import futures
from typing import Any

import pytest

from nova import conf as nova_conf
from nova import errors, objects
from nova.clients import protocols
from nova.common import uuids
from nova.scheduler import filters, hosts, look, ranking, select, service, weights
from nova.scheduler.host_state import Flavor, HostState, Wanted
from nova.scheduler.why_not import NoHost, Why
from nova.tests.fixtures.waiting import until

WANTED = Wanted('p', 'u', Flavor('f', 1, 512, 0, 0, 0, {}))


def weighers(*names: str) -> list[weights.BaseHostWeigher]:
    paths = {'ram': 'ram.RAMWeigher', 'cpu': 'cpu.CPUWeigher'}
    return weights.enabled(nova_conf.new(config_files=[], **{'filter_scheduler.weight_classes': [
        f'nova.scheduler.weights.{paths[name]}' for name in names]}))


def host(name: str, ram: int, cpu: int = 1) -> HostState:
    return HostState(name, name, name, 'cell', free={'MEMORY_MB': ram, 'VCPU': cpu},
                     candidates=[{'allocations': {name: {'resources': {'MEMORY_MB': 512, 'VCPU': 1}}}}])


def names(ranked: ranking.Ranking | list[HostState]) -> list[str]:
    return [one.host for one in ranked]


def test_who_gets_a_server_moves_to_where_it_belongs() -> None:
    hosts = [host('a', 3000), host('b', 2900), host('c', 1000)]
    ranked = ranking.Ranking(weighers('ram'), hosts, WANTED)
    assert names(ranked) == ['a', 'b', 'c']
    hosts[0].free['MEMORY_MB'] -= 512
    ranked.changed(hosts[0])
    assert names(ranked) == ['b', 'a', 'c']
    ranked.remove(hosts[1])
    assert names(ranked) == ['a', 'c'] and hosts[1] not in ranked and len(ranked) == 2


def test_when_equals_become_unequal_all_are_weighed_anew() -> None:
    hosts = [host(name, 2000) for name in 'abc']
    ranked = ranking.Ranking(weighers('ram'), hosts, WANTED)
    for expected in ('bca', 'cab', 'abc'):
        first = ranked[0]
        first.free['MEMORY_MB'] -= 512
        ranked.changed(first)
        assert names(ranked) == list(expected)


@pytest.mark.parametrize('seed', range(20))
def test_it_is_the_order_that_weighing_all_of_them_gives(seed: int) -> None:
    """Of one weigher, whatever servers came; amounts of several are compared on the scale of the beginning."""
    chance = random.Random(seed)
    hosts = [host(str(number), chance.randrange(4, 9) * 1024) for number in range(12)]
    ranked = ranking.Ranking(weighers('ram'), hosts, WANTED)
    for _ in range(30):
        one = ranked[chance.randrange(len(ranked))]
        one.free['MEMORY_MB'] -= 512
        ranked.changed(one)
        anew = ranking.Ranking(weighers('ram'), hosts, WANTED)
        assert [each.free for each in ranked] == [each.free for each in anew]


class Few(filters.BaseHostFilter):
    """No more than one server a host."""

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        return host_state.num_instances < 1


def a_look(hosts: list[HostState], asked: Wanted = WANTED, **rules: Any) -> look.Look:
    return look.Look(protocols.Candidates([], {}), hosts, asked,
                     look.Rules(rules.pop('filters', []), weighers('ram'), **rules), Why(), random.Random(1))


def test_what_is_taken_counts_until_it_is_given_back() -> None:
    now = a_look([host('a', 2000), host('b', 1900)])
    first, second = now.take(), now.take()
    assert first is not None and second is not None
    assert (first[0].host, second[0].host) == ('a', 'b')
    now.give_back(*first)
    assert names(now.ranked()) == ['a', 'b'] and first[0].num_instances == 0


def test_a_way_that_others_have_taken_is_not_tried_again() -> None:
    now = a_look([host('a', 2000)])
    taken = now.take()
    assert taken is not None
    now.give_back(*taken, others=False)
    assert now.take() is None and now.ranked() == []
    now.give_back(*taken, others=False)


def test_who_takes_no_servers_is_left_out() -> None:
    now = a_look([host('a', 2000), host('b', 1000)])
    taken = now.take()
    assert taken is not None
    now.leave_out(taken[0])
    now.give_back(*taken)
    assert names(now.ranked()) == ['b']


def test_hosts_that_come_up_at_once_are_asked_about_together() -> None:
    """One question while none is underway, and one for all that came up meanwhile; each host once a look."""
    hosts = [host(name, 2000) for name in 'abcde']
    now, asked, go = a_look(hosts), list[list[str]](), threading.Event()

    def ask(cell: str, names: list[str]) -> set[str]:
        asked.append(names)
        assert go.wait(60)
        return set(names) - {'d'}
    with futures.ThreadPoolExecutor(8) as pool:
        first = pool.submit(now.takes_servers, hosts[0], ask)
        until(lambda: asked)
        others = [pool.submit(now.takes_servers, one, ask) for one in [*hosts[1:], hosts[0]]]
        until(lambda: len(now.doubtful) == 5)
        go.set()
        assert first.result() and [one.result() for one in others] == [True, True, False, True, True]
    assert [sorted(names) for names in asked] == [['a'], ['b', 'c', 'd', 'e']]


def test_who_asks_after_a_question_that_failed_asks_himself() -> None:
    one = host('a', 2000)
    now = a_look([one])

    def fails(cell: str, names: list[str]) -> set[str]:
        raise errors.Unavailable('cell')
    with pytest.raises(errors.Unavailable):
        now.takes_servers(one, fails)
    assert now.takes_servers(one, lambda cell, names: set(names))


def test_what_is_underway_puts_a_host_behind_others_until_it_is_claimed(cloud: Any) -> None:
    """A look that is begun while another one claims does not choose the same hosts."""
    nodes = {name: cloud.host(name, vcpus=1) for name in ('a', 'b')}
    others = list[str]()
    claim = cloud.placement.claim

    class Slow:
        """Placement whose first claim takes as long as another decision."""

        def __getattr__(self, name: str) -> Any:
            return getattr(cloud.placement, name)

        def claim(self, *args: Any) -> bool:
            if not others:
                others.append('')
                others[0] = choose()
            tried.append(next(iter(args[1]['allocations'])))
            return bool(claim(*args))
    scheduler, tried = cloud.selector(Slow()), list[str]()

    def choose() -> str:
        return str(scheduler.select(objects.SelectRequest(
            spec=cloud.spec(), instance_uuids=[uuids.generate()])).choices[0].selections[0].service_host)
    assert {choose(), *others} == {'a', 'b'}
    assert sorted(tried) == sorted(nodes.values()), 'and no claim is refused'


def test_each_scheduler_begins_elsewhere_among_equals() -> None:
    """Several that know nothing of one another choose different hosts; better ones come first all the same."""
    hosts = [host(name, 2000) for name in 'abcdefgh'] + [host('best', 3000)]
    first = {names(a_look(hosts, begin=begin).ranked())[1] for begin in (0.0, 0.3, 0.6)}
    assert len(first) == 3
    assert {names(a_look(hosts, begin=begin).ranked())[0] for begin in (0.0, 0.3, 0.6)} == {'best'}
    assert len({service.begins(f'scheduler{number}') for number in range(20)}) == 20


def test_filters_judge_a_host_again_when_it_has_got_a_server() -> None:
    now = a_look([host('a', 9000), host('b', 1000)], filters=[Few(nova_conf.new(config_files=[]))])
    taken = now.take()
    assert taken is not None
    now.keep(*taken)
    assert names(now.ranked()) == ['b']


def test_filters_that_leave_none_are_told() -> None:
    full = host('a', 9000)
    full.num_instances = 1
    with pytest.raises(NoHost) as failure:
        a_look([full], filters=[Few(nova_conf.new(config_files=[]))])
    assert failure.value.stages == [{'stage': 'filter', 'name': 'Few', 'removed': 1, 'left': 0}]


def test_alike_requests_ask_placement_less_often_than_they_are(cloud: Any) -> None:
    """Each of forty gets a host of its own choice, and no host more than it can have."""
    for number in range(5):
        cloud.host(f'h{number}', vcpus=8)
    asked, come, gate = list[int](), set[int](), threading.Event()

    class Known(hosts.Hosts):
        """Each who asks for a view is about to look."""

        def view(self, fresh: float | None = None, patience: float | None = None) -> hosts.View:
            found = super().view(fresh, patience)
            come.add(threading.get_ident())
            return found

    class Slow:
        """Placement, whose first answer is held until all have come."""

        def __getattr__(self, name: str) -> Any:
            return getattr(cloud.placement, name)

        def candidates(self, request: Any) -> Any:
            asked.append(1)
            assert len(asked) > 1 or gate.wait(60)
            return cloud.placement.candidates(request)
    selector = select.Selector(cloud.conf, Known(cloud.conf, cloud.dbs), Slow(), cloud.dbs)
    results = list[objects.Selections]()

    def work() -> None:
        results.append(selector.select(objects.SelectRequest(
            spec=cloud.spec(), instance_uuids=[uuids.generate()])))
    threads = [threading.Thread(target=work) for _ in range(40)]
    for one in threads:
        one.start()
    until(lambda: len(come) == 40 and len(asked) == 1)
    gate.set()
    for one in threads:
        one.join(60)
    placed = [found.choices[0].selections[0].service_host for found in results]
    assert sorted(placed.count(f'h{number}') for number in range(5)) == [8] * 5
    assert len(asked) < 20, f'{len(asked)} looks for 40 servers'
