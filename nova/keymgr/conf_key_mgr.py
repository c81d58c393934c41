"""The key manager that has one key, which is in the configuration: for tests, and clouds without another one.

It is named as operators name it: ``[key_manager] backend = nova.keymgr.conf_key_mgr.ConfKeyManager``.
"""

import binascii
from typing import NoReturn

from castellan.common import exception
from castellan.common.credentials import credential
from castellan.common.objects import symmetric_key
from castellan.key_manager import key_manager
from oslo_config import cfg
from oslo_context import context as oslo

KEY_ID = '00000000-0000-0000-0000-000000000000'
"""The id of its only key."""


class ConfKeyManager(key_manager.KeyManager):
    """Gives ``[key_manager] fixed_key``, and keeps nothing.

    Raises:
        ValueError: no key is configured, or it is no hexadecimal number.
    """

    def __init__(self, configuration: cfg.ConfigOpts | None) -> None:
        fixed = configuration.key_manager.fixed_key if configuration is not None else None
        if not fixed:
            raise ValueError('[key_manager] fixed_key is not set')
        try:
            self._key = binascii.unhexlify(fixed)
        except binascii.Error:
            raise ValueError('[key_manager] fixed_key is no hexadecimal number') from None

    def get(self, context: credential.Credential | oslo.RequestContext | None, managed_object_id: str,
            metadata_only: bool = False) -> symmetric_key.SymmetricKey:
        if managed_object_id != KEY_ID:
            raise exception.ManagedObjectNotFoundError(uuid=managed_object_id)
        return symmetric_key.SymmetricKey('AES', 8 * len(self._key), self._key)

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise exception.KeyManagerError('the key manager of one configured key keeps no others')

    create_key = create_key_pair = store = delete = add_consumer = remove_consumer = _refuse
