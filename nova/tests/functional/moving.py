"""What tests of moves ask again and again."""

from nova.tests.fixtures.waiting import until

SMALL = {'VCPU': 1, 'MEMORY_MB': 512, 'DISK_GB': 1}
LARGE = {'VCPU': 2, 'MEMORY_MB': 1024, 'DISK_GB': 2}


def host_of(admin, uuid):
    return admin.show(uuid)['OS-EXT-SRV-ATTR:host']


def held(admin, consumer):
    """What a consumer holds, by the name of the host."""
    found = admin.get(f'/allocations/{consumer}', service='placement')['allocations']
    names = {one['uuid']: one['name']
             for one in admin.get('/resource_providers', service='placement')['resource_providers']}
    return {names[provider]: part['resources'] for provider, part in found.items()}


def migration_of(admin, uuid):
    """The newest; it is written down soon after it was asked for."""
    return until(lambda: admin.get(f'/os-migrations?instance_uuid={uuid}', version='2.80')['migrations'])[0]


def attachments(admin, uuid):
    found = admin.get('/v3/attachments/detail?all_tenants=1', service='volume',
                      headers={'OpenStack-API-Version': 'volume 3.59'})['attachments']
    return [(one['id'], one['status']) for one in found if one['instance'] == uuid]


def actions(demo, uuid):
    return [(each['action'], each['message'])
            for each in demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']]
