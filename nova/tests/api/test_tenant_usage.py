"""What projects have used: the arithmetic, the period, servers that are no more, pages over cells."""

import datetime
from typing import Any

import pytest

from nova import objects
from nova.common import clock, uuids
from nova.domain import usage
from nova.objects import task as task_rows
from nova.tests.api.cloud import MEMBER, OTHER, PROJECT, STRANGER, Cloud

DAY = datetime.datetime(2026, 3, 1)


def hour(number: float) -> datetime.datetime:
    return DAY + datetime.timedelta(hours=number)


def run(began: float, ended: float | None = None) -> usage.Run:
    end = None if ended is None else hour(ended)
    return usage.Run('u', 'p', 'n', 'f', 'active', 2, 512, 10, hour(began), end)


@pytest.mark.parametrize(('began', 'ended', 'hours'), [
    (1, None, 5), (-5, None, 6), (2, 3, 1), (-5, -1, 0), (-5, 1, 1), (7, None, 0)])
def test_hours_within_a_period(began: float, ended: float | None, hours: float) -> None:
    """Of the ten hours, six are over: what comes before does not count, nor what is still to come."""
    assert usage.hours(run(began, ended), hour(0), hour(10), hour(6)) == hours


def period(query: str = '') -> str:
    return f'start={hour(0).isoformat()}&end={hour(10).isoformat()}{query}'


def test_totals_of_a_project(cloud: Cloud) -> None:
    cloud.server(1, launched_at=hour(0), terminated_at=hour(2), deleted=1, vm_state='deleted',
                 display_name='gone')
    cloud.server(2, launched_at=hour(8), vm_state='stopped', display_name='here')
    cloud.server(1, launched_at=hour(11))
    cloud.server(1, launched_at=None, vm_state='error')
    cloud.server(1, launched_at=hour(1), project_id=OTHER)
    answer = cloud.call('GET', f'/os-simple-tenant-usage/{PROJECT}?{period()}', headers=MEMBER)
    found = answer.json['tenant_usage']
    servers = {one['name']: one for one in found['server_usages']}
    assert {name: (one['hours'], one['state']) for name, one in servers.items()} == {
        'gone': (2, 'terminated'), 'here': (2, 'stopped')}
    assert servers['here']['ended_at'] is None and servers['gone']['ended_at'].startswith('2026-03-01T02')
    vcpus = servers['here']['vcpus']
    assert (found['total_hours'], found['total_vcpus_usage']) == (4, 4 * vcpus)
    assert (found['tenant_id'], found['start']) == (PROJECT, hour(0).isoformat() + '.000000')
    every = cloud.call('GET', f'/os-simple-tenant-usage?{period()}').json['tenant_usages']
    assert {one['tenant_id']: one['total_hours'] for one in every} == {PROJECT: 4, OTHER: 9}
    assert not any('server_usages' in one for one in every)
    detailed = cloud.call('GET', f'/os-simple-tenant-usage?{period("&detailed=1")}').json['tenant_usages']
    assert sum(len(one['server_usages']) for one in detailed) == 3


def test_pages_go_over_all_cells(cloud: Cloud) -> None:
    made = sorted(cloud.server(1 + number % 2, launched_at=hour(1)).uuid for number in range(5))
    seen, query = [], period('&limit=2')
    for _ in range(3):
        answer = cloud.call('GET', f'/os-simple-tenant-usage/{PROJECT}?{query}', '2.40').json
        seen += [one['instance_id'] for one in answer['tenant_usage']['server_usages']]
        links = answer.get('tenant_usage_links')
        if links:
            query = links[0]['href'].partition('?')[2]
    assert seen == made and not links
    old = cloud.call('GET', f'/os-simple-tenant-usage/{PROJECT}?{period()}').json['tenant_usage']
    assert len(old['server_usages']) == 5


@pytest.mark.parametrize('query', ['start=2026-03-02T00:00&end=2026-03-01T00:00', 'start=yesterday', 'end=9'])
def test_periods_that_are_none(cloud: Cloud, query: str) -> None:
    assert cloud.call('GET', f'/os-simple-tenant-usage?{query}').status_code == 400


def test_who_may_and_what_is_not_there(cloud: Cloud) -> None:
    answer: Any = cloud.call('GET', f'/os-simple-tenant-usage/{PROJECT}', headers=MEMBER)
    assert (answer.status_code, answer.json) == (200, {'tenant_usage': {}})
    assert cloud.call('GET', f'/os-simple-tenant-usage/{PROJECT}', headers=STRANGER).status_code == 403
    assert cloud.call('GET', '/os-simple-tenant-usage', headers=MEMBER).status_code == 403
    marker = '/os-simple-tenant-usage?marker=00000000-0000-4000-8000-000000000000'
    assert cloud.call('GET', marker, '2.40').status_code == 400
    space = cloud.call('GET', '/os-simple-tenant-usage?start=2026-03-01%2000:00:00.000000')
    assert space.status_code == 200


def resized(cloud: Cloud, server: Any, flow: str, old: objects.Flavor, new: objects.Flavor, ended: float,
            status: str = task_rows.DONE) -> None:
    """What a resize, or one that was taken back, leaves in the journal."""
    move = objects.Move(migration=uuids.generate(), kind='resize', source='one', old_flavor=old, new_flavor=new)
    task = task_rows.Task(
        uuid=uuids.generate(), flow=flow, flow_version='1.0', instance_uuid=server.uuid, exclusive=None,
        status=status, state=move.to_wire(), context={}, action=flow, request_id='', user_id='alice',
        project_id=PROJECT, step='arrive', finished_at=hour(ended))
    cloud.db(1).write(lambda conn: task_rows.insert(conn, task))


def test_resized_servers_count_for_what_they_were(cloud: Cloud) -> None:
    """By the flavor that a server had when it had it; upstream takes today's for all of the period."""
    small, large = cloud.flavor(vcpus=1, memory_mb=100, root_gb=1), cloud.flavor(
        vcpus=4, memory_mb=400, root_gb=2, ephemeral_gb=3)
    server = cloud.server(launched_at=hour(-10), flavor=large, vcpus=4, memory_mb=400, root_gb=2,
                          ephemeral_gb=3)
    resized(cloud, server, 'resize', small, large, -5)
    resized(cloud, server, 'revert_resize', small, large, 2)
    resized(cloud, server, 'resize', small, large, 4, status=task_rows.UNDONE)
    resized(cloud, server, 'resize', small, large, 6)
    used = cloud.call('GET', f'/os-simple-tenant-usage/{PROJECT}?{period()}').json['tenant_usage']
    assert (used['total_hours'], used['total_vcpus_usage']) == (10, 2 * 4 + 4 * 1 + 4 * 4)
    assert (used['total_memory_mb_usage'], used['total_local_gb_usage']) == (2800, 2 * 5 + 4 * 1 + 4 * 5)
    one, = used['server_usages']
    assert (one['hours'], one['vcpus']) == (10, 4)
    early = f'start={hour(-10).isoformat()}&end={hour(-4).isoformat()}'
    used = cloud.call('GET', f'/os-simple-tenant-usage/{PROJECT}?{early}').json['tenant_usage']
    assert used['total_vcpus_usage'] == 5 * 1 + 1 * 4


def test_resizes_are_kept_as_long_as_their_server(cloud: Cloud) -> None:
    flavor = cloud.flavor()
    server = cloud.server(launched_at=hour(0), flavor=flavor)
    resized(cloud, server, 'resize', flavor, flavor, 1)
    resized(cloud, server, 'resize', flavor, flavor, 1, status=task_rows.UNDONE)
    cloud.fail(server, {'message': 'why'})
    later = clock.utcnow() + datetime.timedelta(1)
    assert cloud.db(1).write(lambda conn: task_rows.prune(conn, later, 10)).dropped == 2
    with cloud.db(1).read() as conn:
        kept, = task_rows.of_instance(conn, server.uuid)
    assert kept.status == task_rows.DONE


@pytest.mark.parametrize('path', ['', f'/{PROJECT}', f'/{OTHER}'])
def test_a_cell_that_is_down_is_not_left_out(cloud: Cloud, path: str) -> None:
    """Nobody is told less than the truth: 503, unless the project never had anything there."""
    cloud.server(1, launched_at=hour(1), project_id=OTHER)
    cloud.server(2, launched_at=hour(1))
    cloud.break_cell(2)
    answer = cloud.call('GET', f'/os-simple-tenant-usage{path}?{period()}')
    assert answer.status_code == (200 if path.endswith(OTHER) else 503)
    assert 'cell' not in answer.text or answer.status_code == 200
