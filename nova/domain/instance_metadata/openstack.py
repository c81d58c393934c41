"""The tree of ``openstack``: files of JSON at dated versions."""

import base64
import json

from nova.common.jsonutil import JsonObject
from nova.domain.instance_metadata import network
from nova.domain.instance_metadata.subject import Subject

FIRST, GRIZZLY, HAVANA, LIBERTY = '2012-08-10', '2013-04-04', '2013-10-17', '2015-10-15'
NEWTON, NEWTON_2, OCATA, ROCKY, VICTORIA = '2016-06-30', '2016-10-06', '2017-02-22', '2018-08-27', '2020-10-14'
VERSIONS = (FIRST, GRIZZLY, HAVANA, LIBERTY, NEWTON, NEWTON_2, OCATA, ROCKY, VICTORIA)
LATEST = VERSIONS[-1]


def files(subject: Subject, version: str) -> dict[str, bytes]:
    """Name to contents of the files at one of `VERSIONS`."""
    found = {'meta_data.json': _json(meta_data(subject, version))}
    if subject.user_data is not None:
        found['user_data'] = subject.user_data
    if version >= HAVANA:
        found['vendor_data.json'] = _json(subject.vendordata)
    if version >= LIBERTY:
        found['network_data.json'] = _json(network.document(subject))
    if version >= NEWTON_2:
        found['vendor_data2.json'] = _json({'static': subject.vendordata, **subject.vendordata_dynamic})
    return found


def content(subject: Subject) -> dict[str, bytes]:
    """The user's files, under the names that `meta_data` gives them."""
    return {f'{number:04}': contents for number, (_, contents) in enumerate(subject.files)}


def meta_data(subject: Subject, version: str) -> JsonObject:
    instance = subject.instance
    found: JsonObject = {
        'uuid': instance.uuid, 'name': instance.display_name, 'hostname': subject.hostname,
        'launch_index': instance.launch_index or 0, 'availability_zone': subject.zone}
    if instance.metadata:
        found['meta'] = dict(instance.metadata)
    if subject.files:
        found['files'] = [{'content_path': f'/content/{number:04}', 'path': path}
                          for number, (path, _) in enumerate(subject.files)]
    if subject.key is not None:
        found['public_keys'] = {subject.key.name: subject.key.public_key}
        found['keys'] = [{'name': subject.key.name, 'type': subject.key.type, 'data': subject.key.public_key}]
    if subject.password is not None:
        found['admin_pass'] = subject.password
    if version >= GRIZZLY:
        found['random_seed'] = base64.b64encode(subject.seed).decode()
    if version >= LIBERTY:
        found['project_id'] = instance.project_id
    if version >= NEWTON:
        found['devices'] = devices(subject, version)
    if version >= VICTORIA:
        found['dedicated_cpus'] = _dedicated(instance.numa_topology)
    return found


def devices(subject: Subject, version: str) -> list[JsonObject]:
    """Interfaces and disks that the user has tagged, and where the guest finds them.

    A driver that knows its addresses has written them into ``device_metadata``, by port or block device.
    """
    where = {one['id']: one for one in subject.instance.device_metadata or ()}
    found = []
    for vif in subject.vifs:
        known = where.get(vif.id, {})
        trusted = (vif.profile or {}).get('trusted')
        if not vif.tag and not (version >= ROCKY and trusted is not None):
            continue
        one = {'type': 'nic', 'bus': known.get('bus', 'none'), 'address': known.get('address', 'none'),
               'mac': vif.address, 'tags': [vif.tag] if vif.tag else []}
        vlan = (vif.details or {}).get('vlan')
        if version >= OCATA and vlan is not None and vif.vnic_type.startswith('direct'):
            one['vlan'] = int(vlan)
        if version >= ROCKY:
            one['vf_trusted'] = str(trusted).lower() == 'true'
        found.append(one)
    for device in subject.instance.block_devices:
        if device.tag:
            known = where.get(device.uuid, {})
            found.append({'type': 'disk', 'bus': known.get('bus', 'none'),
                          'address': known.get('address', 'none'), 'tags': [device.tag],
                          'serial': device.volume_id or device.uuid,
                          **({'path': device.device_name} if device.device_name else {})})
    return found


def _dedicated(topology: JsonObject | None) -> list[int]:
    """Numbers of the guest's CPUs that have a host's CPU to themselves."""
    cells = (topology or {}).get('cells', ())
    return sorted({cpu for cell in cells for cpu in cell.get('pcpuset', ())})


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True).encode()
