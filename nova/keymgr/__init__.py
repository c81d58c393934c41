"""Keys of encrypted volumes and certificates of signed images, from the key manager that ``[key_manager]``
names; castellan knows how to ask it.

It is asked with the credentials of ``[key_manager]``, never with a user's token: a host needs the key again
when nobody is there to ask, for a migration or a hard reboot.
"""

import binascii

from castellan import key_manager
from castellan.common import exception, utils
from castellan.key_manager.key_manager import KeyManager
from cryptography import x509
from keystoneauth1 import exceptions as ksa
from oslo_config import cfg
from oslo_context import context as oslo

from nova import errors


class NotGiven(Exception):
    """The key manager cannot be used, or does not give what it was asked for; says why."""


class Keys:
    """See the module.

    Args:
        manager: who is asked; by default the one that ``backend`` names.
    """

    def __init__(self, conf: cfg.ConfigOpts, manager: KeyManager | None = None) -> None:
        self._conf, self._manager = conf, manager
        conf.register_opts(key_manager.key_manager_opts, group='key_manager')
        conf.register_opts(utils.credential_opts, group='key_manager')

    def passphrase(self, context: oslo.RequestContext, key_id: str) -> str:
        """What opens a volume that was encrypted with this key.

        Raises:
            errors.block.KeyUnavailable: the key manager cannot be used, or does not give it to us.
        """
        try:
            return binascii.hexlify(self._get(context, key_id)).decode('ascii')
        except NotGiven as error:
            raise errors.block.KeyUnavailable(key=key_id, reason=str(error)) from error

    def certificate(self, context: oslo.RequestContext, certificate_id: str) -> x509.Certificate:
        """A certificate, which is kept as DER.

        Raises:
            NotGiven: the key manager cannot be used, or has no such certificate.
        """
        data = self._get(context, certificate_id)
        try:
            return x509.load_der_x509_certificate(data)
        except ValueError as error:
            raise NotGiven(f'{certificate_id} is no certificate: {error}') from error

    def _get(self, context: oslo.RequestContext, name: str) -> bytes:
        try:
            known = self._conf.key_manager.auth_type
            credentials = utils.credential_factory(self._conf) if known else context
            if self._manager is None:
                self._manager = key_manager.API(self._conf)
            return self._manager.get(credentials, name).get_encoded() or b''
        except (exception.CastellanException, ksa.ClientException, OSError, ImportError, ValueError) as error:
            # What they say names what failed, and no key.
            raise NotGiven(str(error) or type(error).__name__) from error
