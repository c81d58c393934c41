"""Keys of encrypted volumes, passphrases of TPMs and certificates of signed images, in the key manager that
``[key_manager]`` names; castellan knows how to ask it.

It is asked with the credentials of ``[key_manager]``, never with a user's token: a host needs the key again
when nobody is there to ask, for a migration or a hard reboot.
"""

import binascii
import secrets
from collections.abc import Callable
from typing import TypeVar

from castellan import key_manager
from castellan.common import exception, utils
from castellan.common.credentials.credential import Credential
from castellan.common.objects.passphrase import Passphrase
from castellan.key_manager.key_manager import KeyManager
from cryptography import x509
from keystoneauth1 import exceptions as ksa
from oslo_config import cfg
from oslo_context import context as oslo

from nova import errors

T = TypeVar('T')
Asker = Credential | oslo.RequestContext


class NotGiven(Exception):
    """The key manager cannot be used, or does not give what it was asked for; says why."""


class Away(NotGiven):
    """It cannot be reached: it may be there in a moment."""


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

    # Passphrases of TPMs

    def make(self, context: oslo.RequestContext, name: str) -> str:
        """Keep a new passphrase under a name, which need not be the only one's; its id.

        Raises:
            errors.server.PassphraseUnavailable: the key manager does not keep it.
            errors.server.KeyManagerAway: it cannot be reached.
        """
        made = Passphrase(secrets.token_urlsafe(48).encode('ascii'), name=name)
        return self._of_tpm(context, name, lambda manager, asker: str(manager.store(asker, made)))

    def named(self, context: oslo.RequestContext, name: str) -> list[str]:
        """Ids of the passphrases of this name, among those that the key manager lists."""
        def ask(manager: KeyManager, asker: Asker) -> list[str]:
            found = manager.list(asker, object_type=Passphrase, metadata_only=True)
            return [str(each.id) for each in found if each.name == name]
        return self._of_tpm(context, name, ask)

    def reveal(self, context: oslo.RequestContext, key_id: str) -> str:
        """A passphrase that was made here.

        Raises:
            errors.server.PassphraseUnavailable: the key manager does not give it.
            errors.server.KeyManagerAway: it cannot be reached.
        """
        return self._of_tpm(context, key_id, lambda manager, asker: (
            manager.get(asker, key_id).get_encoded() or b'').decode('ascii'))

    def forget(self, context: oslo.RequestContext, key_id: str) -> None:
        """Delete a passphrase; one that is not there is deleted.

        Raises:
            errors.server.PassphraseUnavailable: the key manager does not delete it.
            errors.server.KeyManagerAway: it cannot be reached.
        """
        def ask(manager: KeyManager, asker: Asker) -> None:
            try:
                manager.delete(asker, key_id)
            except exception.ManagedObjectNotFoundError:
                return
        self._of_tpm(context, key_id, ask)

    def _of_tpm(self, context: oslo.RequestContext, name: str, question: Callable[[KeyManager, Asker], T]) -> T:
        try:
            return self._ask(context, question)
        except Away as error:
            raise errors.server.KeyManagerAway(name=name, reason=str(error)) from error
        except NotGiven as error:
            raise errors.server.PassphraseUnavailable(name=name, reason=str(error)) from error

    def _get(self, context: oslo.RequestContext, name: str) -> bytes:
        return self._ask(context, lambda manager, asker: manager.get(asker, name).get_encoded() or b'')

    def _ask(self, context: oslo.RequestContext, question: Callable[[KeyManager, Asker], T]) -> T:
        try:
            known = self._conf.key_manager.auth_type
            credentials = utils.credential_factory(self._conf) if known else context
            if self._manager is None:
                self._manager = key_manager.API(self._conf)
            return question(self._manager, credentials)
        except (ksa.ConnectFailure, ConnectionError, TimeoutError) as error:
            raise Away(str(error) or type(error).__name__) from error
        except (exception.CastellanException, ksa.ClientException, OSError, ImportError, ValueError) as error:
            # What they say names what failed, and no key.
            raise NotGiven(str(error) or type(error).__name__) from error
