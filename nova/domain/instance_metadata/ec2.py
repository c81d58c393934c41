"""The older tree, which cloud images ask for when they know nothing better: dated versions of names and
texts."""


from nova.common.jsonutil import JsonObject
from nova.domain.instance_metadata.subject import Subject

VERSIONS = ('1.0', '2007-01-19', '2007-03-01', '2007-08-29', '2007-10-10', '2007-12-15', '2008-02-01',
            '2008-09-01',
            '2009-04-04')
LATEST = VERSIONS[-1]

Tree = JsonObject
"""Texts, bytes and further trees by name."""


def identifier(kind: str, uuid: str) -> str:
    """An EC2 name of what has a uuid: the same for ever, in every cell."""
    return f'{kind}-{uuid.replace("-", "")[:17]}'


def tree(subject: Subject, version: str) -> Tree:
    """Everything at one of `VERSIONS`."""
    found: Tree = {'meta-data': _meta_data(subject, version)}
    if subject.user_data is not None:
        found['user-data'] = subject.user_data
    return found


def _meta_data(subject: Subject, version: str) -> Tree:
    instance = subject.instance
    fixed = [ip for ip in subject.addresses if ip.version == 4]
    found: Tree = {
        'ami-id': identifier('ami', instance.image_ref) if instance.image_ref else '',
        'ami-launch-index': str(instance.launch_index or 0),
        'ami-manifest-path': '',
        'hostname': subject.hostname,
        'instance-id': identifier('i', instance.uuid),
        'local-ipv4': fixed[0].address if fixed else '',
        'reservation-id': instance.reservation_id or '',
        'security-groups': '\n'.join(dict.fromkeys(
            group for vif in subject.vifs for group in vif.security_groups)),
    }
    if subject.key is not None:
        found['public-keys'] = {'0': {'openssh-key': subject.key.public_key}}
    if version >= '2007-01-19':
        floating = [outer.address for ip in fixed for outer in ip.floating_ips]
        found |= {'local-hostname': subject.hostname, 'public-hostname': subject.hostname,
                  'public-ipv4': floating[0] if floating else ''}
    if version >= '2007-08-29':
        found['instance-type'] = instance.flavor.name
    if version >= '2007-12-15':
        found |= {'block-device-mapping': _devices(subject), 'instance-action': 'none'}
    if version >= '2008-02-01':
        found['placement'] = {'availability-zone': subject.zone or ''}
        for name, ident in (('kernel-id', instance.kernel_id), ('ramdisk-id', instance.ramdisk_id)):
            if ident:
                found[name] = identifier('aki' if name == 'kernel-id' else 'ari', ident)
    return found


def _devices(subject: Subject) -> Tree:
    """Names of disks by what they are for, as old images look them up."""
    instance = subject.instance
    root = instance.root_device_name or '/dev/vda'
    found: Tree = {'ami': root.removeprefix('/dev/'), 'root': root}
    ephemeral = volumes = 0
    for device in instance.block_devices:
        if not device.device_name or device.is_root:
            continue
        if device.is_volume:
            found[f'ebs{volumes}'] = device.device_name
            volumes += 1
        elif device.guest_format == 'swap':
            found['swap'] = device.device_name
        elif device.source_type == 'blank':
            found[f'ephemeral{ephemeral}'] = device.device_name
            ephemeral += 1
    return found
