"""An authority and what it has signed, for tests of TLS."""

import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LOOPBACK = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1'))])


class Authority:
    """
    Args:
        folder: where the files go: ``NAME.pem`` has a certificate, ``NAME-key.pem`` its key.
    """

    def __init__(self, folder: pathlib.Path, name: str = 'ca') -> None:
        self._folder, self._name, self._key = folder, name, ec.generate_private_key(ec.SECP256R1())
        self.file = self._write(name, self._key, ca=True)

    def sign(self, name: str) -> tuple[pathlib.Path, pathlib.Path]:
        """The files of a new certificate and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        file = self._folder / f'{name}-key.pem'
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
        return self._write(name, key, ca=False), file

    def _write(self, name: str, key: ec.EllipticCurvePrivateKey, ca: bool) -> pathlib.Path:
        now = datetime.datetime.now(datetime.UTC)
        made = x509.CertificateBuilder(
            subject_name=_name(name), issuer_name=_name(self._name), public_key=key.public_key(),
            serial_number=x509.random_serial_number(), not_valid_before=now - datetime.timedelta(days=1),
            not_valid_after=now + datetime.timedelta(days=1),
            extensions=[x509.Extension(x509.BasicConstraints.oid, True, x509.BasicConstraints(ca, None)),
                        x509.Extension(x509.SubjectAlternativeName.oid, False, _LOOPBACK)],
        ).sign(self._key, hashes.SHA256())
        file = self._folder / f'{name}.pem'
        file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return file


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
