"""Paths of the metadata service, and the files of a config drive."""

import json
from collections.abc import Iterator

from nova.domain.instance_metadata import ec2, openstack
from nova.domain.instance_metadata.subject import Subject

PASSWORD = 'password'
"""Where a guest leaves its administrator's password; not on a config drive."""


class NoSuchPath(KeyError):
    """Nothing is told under this path."""


def find(subject: Subject, path: str) -> bytes:
    """What the service answers to a path: a file, or names line by line, those with something below with a
    slash.

    Raises:
        NoSuchPath: nothing.
    """
    parts = [part for part in path.split('/') if part]
    if parts[:1] == ['openstack']:
        return _openstack(subject, parts[1:])
    return _ec2(subject, parts)


def _ec2(subject: Subject, parts: list[str]) -> bytes:
    if not parts:
        return '\n'.join([*ec2.VERSIONS, 'latest']).encode()
    version = ec2.LATEST if parts[0] == 'latest' else parts[0]
    if version not in ec2.VERSIONS:
        raise NoSuchPath('/'.join(parts))
    node: object = ec2.tree(subject, version)
    for part in parts[1:]:
        if not isinstance(node, dict) or part not in node:
            raise NoSuchPath('/'.join(parts))
        node = node[part]
    if parts[1:] == ['meta-data', 'public-keys'] and subject.key is not None:
        return f'0={subject.key.name}'.encode()
    if isinstance(node, dict):
        return '\n'.join(_line(name, inner) for name, inner in sorted(node.items())).encode()
    return node if isinstance(node, bytes) else str(node).encode()


def _line(name: str, inner: object) -> str:
    return f'{name}/' if isinstance(inner, dict) else name


def _openstack(subject: Subject, parts: list[str]) -> bytes:
    if not parts:
        return '\n'.join([*openstack.VERSIONS, 'latest']).encode()
    if parts[0] == 'content':
        return _in(openstack.content(subject), parts[1:])
    version = openstack.LATEST if parts[0] == 'latest' else parts[0]
    if version not in openstack.VERSIONS:
        raise NoSuchPath('/'.join(parts))
    files = openstack.files(subject, version)
    if version >= openstack.GRIZZLY and len(parts) == 1:
        files[PASSWORD] = b''
    return _in(files, parts[1:])


def _in(files: dict[str, bytes], parts: list[str]) -> bytes:
    if not parts:
        return '\n'.join(sorted(files)).encode()
    if len(parts) > 1 or parts[0] not in files:
        raise NoSuchPath('/'.join(parts))
    return files[parts[0]]


def config_drive(subject: Subject) -> list[tuple[str, bytes]]:
    """Path and contents of every file of a config drive, in the order of the paths."""
    return sorted(_drive(subject))


def _drive(subject: Subject) -> Iterator[tuple[str, bytes]]:
    for version in (*ec2.VERSIONS[-1:], 'latest'):
        data = ec2.tree(subject, ec2.LATEST)
        yield f'ec2/{version}/meta-data.json', json.dumps(data['meta-data'], sort_keys=True).encode()
        if 'user-data' in data:
            yield f'ec2/{version}/user-data', data['user-data']
    for version in (*openstack.VERSIONS, 'latest'):
        files = openstack.files(subject, openstack.LATEST if version == 'latest' else version)
        for name, contents in files.items():
            yield f'openstack/{version}/{name}', contents
    for name, contents in openstack.content(subject).items():
        yield f'openstack/content/{name}', contents
