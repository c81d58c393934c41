"""Files of guests, brought to another host through its libvirt: the way and the rights of live migration."""

import dataclasses
import os
import pathlib
import uuid
from typing import IO

import libvirt
from lxml import etree

from nova.virt.libvirt import xml

INSTANCES = 'nova-instances'
"""Storage pool of every host that tells others where its ``instances_path`` is."""


def announce(conn: libvirt.virConnect, instances: pathlib.Path) -> None:
    """Tell other hosts where guests' files are on this one. Repeatable."""
    root = etree.Element('pool', {'type': 'dir'})
    etree.SubElement(root, 'name').text = INSTANCES
    # One that is there is defined anew by its uuid only.
    etree.SubElement(root, 'uuid').text = str(uuid.uuid5(uuid.NAMESPACE_OID, INSTANCES))
    etree.SubElement(etree.SubElement(root, 'target'), 'path').text = str(instances)
    conn.storagePoolDefineXML(xml.text(root))


def instances_of(conn: libvirt.virConnect) -> pathlib.Path:
    """Where a host has the files of its guests."""
    tree = etree.fromstring(conn.storagePoolLookupByName(INSTANCES).XMLDesc(0))
    return pathlib.Path(tree.findtext('./target/path'))


@dataclasses.dataclass(frozen=True, slots=True)
class Owner:
    """Whose a file is, by number."""

    user: int
    group: int


class Directory:
    """A directory that a libvirt has, made where it is not there; within this files can be put there, and read.

    Args:
        server: uuid of the server that it is of; one at a time works on it.
    """

    def __init__(self, conn: libvirt.virConnect, path: pathlib.Path, server: str) -> None:
        self._conn, self._path, self._name = conn, path, f'nova-{server}'

    def __enter__(self) -> 'Directory':
        root = etree.Element('pool', {'type': 'dir'})
        etree.SubElement(root, 'name').text = self._name
        etree.SubElement(etree.SubElement(root, 'target'), 'path').text = str(self._path)
        try:
            # Left by an attempt that was killed.
            self._conn.storagePoolLookupByName(self._name).destroy()
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_POOL:
                raise
        self._pool = self._conn.storagePoolCreateXML(
            xml.text(root), libvirt.VIR_STORAGE_POOL_CREATE_WITH_BUILD)
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.destroy()

    def get(self, name: str, file: pathlib.Path) -> bool:
        """Bring a file from there, for nobody else to read; whether it is there."""
        try:
            volume = self._pool.storageVolLookupByName(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise
            return False
        stream = self._conn.newStream()
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'wb') as target:
            volume.download(stream, 0, 0)
            stream.recvAll(_write, target)
        stream.finish()
        return True

    def put(self, file: pathlib.Path, name: str, owner: Owner | None = None) -> None:
        """Bring a file there, in place of one of its name; `owner` alone may read it, where one is given."""
        try:
            self._pool.storageVolLookupByName(name).delete()
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise
        size = file.stat().st_size
        root = etree.Element('volume')
        etree.SubElement(root, 'name').text = name
        etree.SubElement(root, 'capacity', {'unit': 'bytes'}).text = str(size)
        etree.SubElement(root, 'allocation', {'unit': 'bytes'}).text = '0'
        target = etree.SubElement(root, 'target')
        etree.SubElement(target, 'format', {'type': 'raw'})
        if owner is not None:
            rights = etree.SubElement(target, 'permissions')
            for word, value in (('mode', '0600'), ('owner', str(owner.user)), ('group', str(owner.group))):
                etree.SubElement(rights, word).text = value
        volume = self._pool.createXML(xml.text(root))
        stream = self._conn.newStream()
        with file.open('rb') as source:
            volume.upload(stream, 0, size)
            try:
                stream.sendAll(_read, source)
            except libvirt.libvirtError:
                stream.abort()
                raise
        stream.finish()


def _read(stream: libvirt.virStream, count: int, source: IO[bytes]) -> bytes:
    return source.read(count)


def _write(stream: libvirt.virStream, data: bytes, target: IO[bytes]) -> int:
    return target.write(data)
