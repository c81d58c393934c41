"""Keys of encrypted volumes, as secrets of the host's libvirt.

A secret is known by the volume that it opens, so that who looks finds what a crash has left. libvirt keeps it,
for guests that start with their host; what it keeps nobody can read through it.
"""

import libvirt

from nova.keymgr import Keys
from nova.task.handles import Host
from nova.virt.libvirt import xml
from nova.virt.libvirt.session import Session

_GONE = frozenset({libvirt.VIR_ERR_NO_SECRET})


class Secrets:
    """Those of one host.

    Args:
        keys: where keys come from.
    """

    def __init__(self, session: Session, keys: Keys) -> None:
        self._session, self._keys = session, keys

    def bring(self, h: Host, volume_id: str, key_id: str, known: str | None) -> str:
        """Have libvirt know the key of a volume; the secret's uuid. Repeatable.

        Args:
            known: the uuid under which it is known to be there; then nobody is asked for the key.

        Raises:
            errors.block.KeyUnavailable: the key manager does not give it.
        """
        if known is not None and self._find(known) is not None:
            return known
        key = self._keys.passphrase(h.context, key_id)
        found = self._of_volume(volume_id)
        uuid = found.UUIDString() if found is not None else volume_id
        secret = self._session.conn.secretDefineXML(xml.text(xml.secret(uuid, volume_id)))
        secret.setValue(key.encode('ascii'))
        return str(uuid)

    def take(self, volume_id: str, known: str | None) -> None:
        """Have libvirt forget the key of a volume. Repeatable."""
        found = self._find(known) if known is not None else self._of_volume(volume_id)
        if found is not None:
            try:
                found.undefine()
            except libvirt.libvirtError as error:
                if error.get_error_code() not in _GONE:
                    raise

    def _find(self, uuid: str) -> libvirt.virSecret | None:
        try:
            return self._session.conn.secretLookupByUUIDString(uuid)
        except libvirt.libvirtError as error:
            if error.get_error_code() in _GONE:
                return None
            raise

    def _of_volume(self, volume_id: str) -> libvirt.virSecret | None:
        try:
            return self._session.conn.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_VOLUME, volume_id)
        except libvirt.libvirtError as error:
            if error.get_error_code() in _GONE:
                return None
            raise
