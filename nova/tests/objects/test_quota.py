"""Quotas: where limits come from, what counts, and that races end exactly."""

import concurrent.futures

import pytest

from nova import errors, objects
from nova.common import uuids
from nova.objects import quota


def mapping(project='p', user='u', vcpus=1, memory_mb=512, **values):
    return objects.InstanceMapping(instance_uuid=uuids.generate(), project_id=project, user_id=user,
                                   vcpus=vcpus, memory_mb=memory_mb, **values)


def reserve(db, conf, count=1, project='p', user='u', vcpus=1):
    made = [mapping(project, user, vcpus) for _ in range(count)]

    def write(conn):
        room = quota.Room(conn, conf, project, user)
        room.check({'instances': count, 'cores': vcpus * count, 'ram': 512 * count})
        for each in made:
            each.create(conn)
    db.write(write)
    return made


def used(db, project='p', user=None):
    with db.read() as conn:
        return quota.usage(conn, project, user)


def test_limits_come_from_the_project_then_the_class_then_the_configuration(cloud):
    """QTA-S1."""
    def limits(user=None):
        with cloud.api.read() as conn:
            return quota.limits(conn, cloud.conf, 'p', user)
    assert limits()['cores'] == 20
    cloud.api.write(lambda conn: quota.set_class_limits(conn, 'default', {'cores': 30, 'ram': 7}))
    assert limits()['cores'] == 30
    cloud.api.write(lambda conn: quota.set_project_limits(conn, 'p', {'cores': 40}))
    cloud.api.write(lambda conn: quota.set_project_limits(conn, 'p', {'cores': 41}))
    assert limits()['cores'] == 41 and limits()['ram'] == 7 and limits()['instances'] == 10
    cloud.api.write(lambda conn: quota.set_user_limits(conn, 'p', 'u', {'cores': 2}))
    assert limits('u')['cores'] == 2 and limits('u').project['cores'] == 41 and limits('v')['cores'] == 41
    cloud.api.write(lambda conn: quota.forget(conn, 'p'))
    assert limits('u')['cores'] == 30


def test_what_counts(cloud):
    for values in ({}, {'vcpus': 3, 'user': 'v'}, {'queued_for_delete': True}, {'project': 'q'}):
        cloud.api.write(mapping(**values).create)
    assert used(cloud.api) == {'instances': 2, 'cores': 4, 'ram': 1024}
    assert used(cloud.api, user='v') == {'instances': 1, 'cores': 3, 'ram': 512}


def test_over_quota_names_the_resources_and_writes_nothing(cloud):
    cloud.api.write(lambda conn: quota.set_project_limits(conn, 'p', {'instances': 3, 'cores': 5, 'ram': -1}))
    reserve(cloud.api, cloud.conf, 2)
    with pytest.raises(errors.server.OverQuota) as caught:
        reserve(cloud.api, cloud.conf, 2, vcpus=2)
    assert caught.value.status == 403
    assert caught.value.facts['resources'] == {'instances': (2, 2, 3), 'cores': (4, 2, 5)}
    assert 'cores, instances' in caught.value.message
    assert used(cloud.api)['instances'] == 2


def test_a_users_limit_is_his_own(cloud):
    """QTA-B 1893284."""
    cloud.api.write(lambda conn: quota.set_user_limits(conn, 'p', 'u', {'instances': 1}))
    reserve(cloud.api, cloud.conf, 1)
    with pytest.raises(errors.server.OverQuota):
        reserve(cloud.api, cloud.conf, 1)
    reserve(cloud.api, cloud.conf, 5, user='v')


def race(db, conf, workers, tries):
    """How many of the servers that `workers` threads ask for, one by one, are let in."""
    def one(_):
        try:
            reserve(db, conf)
        except errors.server.OverQuota:
            return 0
        return 1
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(one, range(tries)))


def test_of_racing_requests_exactly_those_that_fit_win(cloud):
    """QTA-S2: neither too many nor too few."""
    cloud.api.write(lambda conn: quota.set_project_limits(conn, 'p', {'instances': 7}))
    assert race(cloud.api, cloud.conf, workers=8, tries=40) == 7
    assert used(cloud.api)['instances'] == 7


def test_resize_counts_the_larger_until_settled(cloud):
    """QTA-F1."""
    server = reserve(cloud.api, cloud.conf, vcpus=4)[0].instance_uuid
    cloud.api.write(lambda conn: quota.resize(conn, cloud.conf, server, 2, 2048))
    assert used(cloud.api) == {'instances': 1, 'cores': 4, 'ram': 2048}
    with pytest.raises(errors.server.OverQuota):
        cloud.api.write(lambda conn: quota.resize(conn, cloud.conf, server, 21, 2048))
    cloud.api.write(lambda conn: quota.count_exactly(conn, server, 2, 2048))
    assert used(cloud.api) == {'instances': 1, 'cores': 2, 'ram': 2048}


def test_a_restored_server_needs_room_again(cloud):
    cloud.api.write(lambda conn: quota.set_project_limits(conn, 'p', {'instances': 1}))
    gone = reserve(cloud.api, cloud.conf)[0].instance_uuid
    cloud.api.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, gone))
    other = reserve(cloud.api, cloud.conf)[0].instance_uuid
    with pytest.raises(errors.server.OverQuota):
        cloud.api.write(lambda conn: quota.recount(conn, cloud.conf, gone))
    cloud.api.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, other))
    cloud.api.write(lambda conn: quota.recount(conn, cloud.conf, gone))
    cloud.api.write(lambda conn: quota.recount(conn, cloud.conf, gone))
    assert used(cloud.api)['instances'] == 1


def test_plain_counts():
    quota.check_count('key_pairs', -1, 1000)
    quota.check_count('key_pairs', 3, 3)
    with pytest.raises(errors.server.LimitExceeded, match='too many key pairs'):
        quota.check_count('key_pairs', 3, 4)
