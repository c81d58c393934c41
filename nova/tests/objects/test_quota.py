"""Quotas: where limits come from, what counts, and that races end exactly."""

import concurrent.futures

import pytest
import sqlalchemy as sa

from nova import conf, errors, objects
from nova.clients import fake
from nova.common import uuids
from nova.objects import quota
from nova.objects.demand import Demand
from nova.objects.quota import room, unified


def demand(vcpus=1, memory_mb=512, **more):
    return Demand(vcpus, memory_mb, {'VCPU': vcpus, 'MEMORY_MB': memory_mb, **more})


def mapping(project='p', user='u', each=None, **values):
    each = each or demand()
    return objects.InstanceMapping(
        instance_uuid=uuids.generate(), project_id=project, user_id=user, vcpus=each.vcpus,
        memory_mb=each.memory_mb, resources=dict(each.resources), **values)


class ByDb:
    """Limits of the project ``p`` in the API database."""

    def __init__(self, cloud):
        self._cloud = cloud

    def limit(self, **limits):
        self._cloud.api.write(lambda conn: quota.set_project_limits(conn, 'p', limits))

    def of(self, user='u'):
        return quota.of(self._cloud.conf, None, 'p', user)


class ByKeystone:
    """The same in the identity service."""

    def __init__(self, cloud):
        self._conf = conf.new(config_files=[], **{'quota.driver': 'nova.quota.UnifiedLimitsDriver'})
        self.limits = fake.FakeLimits()
        self.limits.registered = {'servers': 10, 'class:VCPU': 20, 'class:MEMORY_MB': 51200}

    def limit(self, **limits):
        self.limits.own['p'] = {unified.NAMES[name]: limit for name, limit in limits.items()}

    def of(self, user='u'):
        return quota.of(self._conf, self.limits, 'p', user)


@pytest.fixture(params=[ByDb, ByKeystone])
def driver(cloud, request):
    """Every test of this fixture holds whoever has the limits."""
    return request.param(cloud)


def reserve(db, driver, count=1, user='u', each=None):
    made = [mapping(user=user, each=each) for _ in range(count)]

    def write(conn):
        quota.Room(conn, driver.of(user)).check(each or demand(), count)
        for one in made:
            one.create(conn)
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
    for values in ({}, {'each': demand(3), 'user': 'v'}, {'queued_for_delete': True}, {'project': 'q'}):
        cloud.api.write(mapping(**values).create)
    assert used(cloud.api) == {'instances': 2, 'cores': 4, 'ram': 1024}
    assert used(cloud.api, user='v') == {'instances': 1, 'cores': 3, 'ram': 512}


def test_what_counts_by_resource_class(cloud):
    """A server of before resource classes were written down counts for its vCPUs and its memory."""
    for values in ({}, {}, {'each': demand(0, 512, PCPU=3, DISK_GB=5)}, {'project': 'q'},
                   {'queued_for_delete': True}):
        cloud.api.write(mapping(**values).create)
    old = mapping(each=demand(8, 1))
    old.resources = None
    cloud.api.write(old.create)
    with cloud.api.read() as conn:
        assert quota.resources(conn, 'p') == {
            'servers': 4, 'VCPU': 10, 'PCPU': 3, 'MEMORY_MB': 1537, 'DISK_GB': 5}
        assert objects.InstanceMapping.get(
            conn, instance_uuid=old.instance_uuid).demand == Demand(8, 1, {'VCPU': 8, 'MEMORY_MB': 1})


def test_over_quota_names_the_resources_and_writes_nothing(cloud):
    driver = ByDb(cloud)
    driver.limit(instances=3, cores=5, ram=-1)
    reserve(cloud.api, driver, 2)
    with pytest.raises(errors.server.OverQuota) as caught:
        reserve(cloud.api, driver, 2, each=demand(2))
    assert caught.value.status == 403
    assert caught.value.facts['resources'] == {'instances': (2, 2, 3), 'cores': (4, 2, 5)}
    assert 'cores, instances' in caught.value.message
    assert used(cloud.api)['instances'] == 2


def test_over_unified_limits_is_said_as_every_service_says_it(cloud):
    driver = ByKeystone(cloud)
    driver.limit(instances=3, cores=5, ram=-1)
    reserve(cloud.api, driver, 2)
    with pytest.raises(errors.server.OverQuota) as caught:
        reserve(cloud.api, driver, 2, each=demand(2))
    assert caught.value.status == 403
    assert caught.value.message == (
        'Project p is over a limit for [Resource class:VCPU is over limit of 5 due to current usage 2 and '
        'delta 4, Resource servers is over limit of 3 due to current usage 2 and delta 2]')
    assert used(cloud.api)['instances'] == 2


def test_a_users_limit_is_his_own(cloud):
    """QTA-B 1893284."""
    driver = ByDb(cloud)
    cloud.api.write(lambda conn: quota.set_user_limits(conn, 'p', 'u', {'instances': 1}))
    reserve(cloud.api, driver, 1)
    with pytest.raises(errors.server.OverQuota):
        reserve(cloud.api, driver, 1)
    reserve(cloud.api, driver, 5, user='v')


def test_users_have_no_unified_limits_of_their_own(cloud):
    cloud.api.write(lambda conn: quota.set_user_limits(conn, 'p', 'u', {'instances': 1}))
    reserve(cloud.api, ByKeystone(cloud), 2)


@pytest.mark.parametrize(('strategy', 'names', 'fits'), [
    ('require', ['servers'], 9), ('require', ['servers', 'class:DISK_GB'], 0), ('require', [], 9),
    ('ignore', [], 0), ('ignore', ['class:DISK_GB', 'class:CUSTOM_GOLD'], 9)])
def test_what_nobody_has_registered(cloud, strategy, names, fits):
    """``unified_limits_resource_strategy``: of which resources there is nothing, and of which plenty."""
    driver = ByKeystone(cloud)
    settings = conf.new(config_files=[], **{
        'quota.driver': 'nova.quota.UnifiedLimitsDriver', 'quota.unified_limits_resource_list': names,
        'quota.unified_limits_resource_strategy': strategy})

    def fitting(conn):
        room = quota.Room(conn, quota.of(settings, driver.limits, 'p'))
        return room.fitting(demand(1, 1, DISK_GB=1, CUSTOM_GOLD=2), 9)
    assert cloud.api.write(fitting) == fits


def test_without_a_driver_nothing_is_limited(cloud):
    settings = conf.new(config_files=[], **{'quota.driver': 'nova.quota.NoopQuotaDriver', 'quota.instances': 1})
    allowed = quota.of(settings, None, 'p')

    def fitting(conn):
        room = quota.Room(conn, allowed)
        room.check(demand(10**6), 10**6)
        return room.fitting(demand(10**6), 10**6), set(allowed.limits(conn).values())
    assert cloud.api.write(fitting) == (10**6, {-1})


def race(db, driver, workers, tries):
    """How many of the servers that `workers` threads ask for, one by one, are let in."""
    def one(_):
        try:
            reserve(db, driver)
        except errors.server.OverQuota:
            return 0
        return 1
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(one, range(tries)))


def test_of_racing_requests_exactly_those_that_fit_win(cloud, driver):
    """QTA-S2: neither too many nor too few."""
    driver.limit(instances=7)
    assert race(cloud.api, driver, workers=8, tries=40) == 7
    assert used(cloud.api)['instances'] == 7


def test_resize_counts_the_larger_until_settled(cloud, driver):
    """QTA-F1."""
    server = reserve(cloud.api, driver, each=demand(4, 512, DISK_GB=1))[0].instance_uuid
    wanted = demand(2, 2048, DISK_GB=3)
    driver.limit(cores=4)
    cloud.api.write(lambda conn: quota.resize(conn, driver.of(), server, wanted))
    assert used(cloud.api) == {'instances': 1, 'cores': 4, 'ram': 2048}
    with cloud.api.read() as conn:
        assert quota.resources(conn, 'p') == {'servers': 1, 'VCPU': 4, 'MEMORY_MB': 2048, 'DISK_GB': 3}
    with pytest.raises(errors.server.OverQuota):
        cloud.api.write(lambda conn: quota.resize(conn, driver.of(), server, demand(5, 2048)))
    cloud.api.write(lambda conn: quota.count_exactly(conn, server, wanted))
    assert used(cloud.api) == {'instances': 1, 'cores': 2, 'ram': 2048}


def test_a_restored_server_needs_room_again(cloud, driver):
    driver.limit(instances=1)
    gone = reserve(cloud.api, driver)[0].instance_uuid
    cloud.api.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, gone))
    other = reserve(cloud.api, driver)[0].instance_uuid
    with pytest.raises(errors.server.OverQuota):
        cloud.api.write(lambda conn: quota.recount(conn, driver.of(), gone))
    cloud.api.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, other))
    cloud.api.write(lambda conn: quota.recount(conn, driver.of(), gone))
    cloud.api.write(lambda conn: quota.recount(conn, driver.of(), gone))
    assert used(cloud.api)['instances'] == 1


LIMITS = {'instances': 10, 'cores': 20, 'ram': -1}
EACH = {'instances': 1, 'cores': 4, 'ram': 512}


@pytest.mark.parametrize(('used', 'most', 'fit'), [
    ({'instances': 0, 'cores': 0, 'ram': 0}, 3, 3),
    ({}, 9, 5),
    ({'instances': 9, 'cores': 0, 'ram': 10**9}, 9, 1),
    ({'instances': 0, 'cores': 18, 'ram': 0}, 1, 0),
    ({'instances': 12, 'cores': 0, 'ram': 0}, 1, 0),
])
def test_fitting(used, most, fit):
    """The scarcest resource decides; one without a limit never does; an overdrawn one leaves no room."""
    assert room.fitting(LIMITS, used, EACH, most) == fit


def test_plain_counts():
    quota.check_count('key_pairs', -1, 1000)
    quota.check_count('key_pairs', 3, 3)
    with pytest.raises(errors.server.LimitExceeded, match='too many key pairs'):
        quota.check_count('key_pairs', 3, 4)


def test_nobody_counts_where_nothing_is_limited(cloud, driver):
    """To count reads a row of each server of the project."""
    statements = []

    def note(conn, cursor, statement, *_):
        statements.append(statement)

    def ask():
        del statements[:]
        cloud.api.write(lambda conn: quota.Room(conn, driver.of()).check(demand()))
        return [each for each in statements if 'instance_mappings' in each]
    sa.event.listen(cloud.api.engine, 'before_cursor_execute', note)
    assert len(ask()) == 1
    driver.limit(instances=-1, cores=-1, ram=-1)
    assert not ask()
    driver.limit(instances=-1, cores=100, ram=-1)
    assert len(ask()) == 1
