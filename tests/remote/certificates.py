"""Certificates for tests: a CA that lives as long as a folder, and what it signs for servers of this machine."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


def private(key):
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Authority:
    """A CA; `file` is its certificate, for those who trust it, and `own` the same with its key, as a server's."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self.signed(self.key, [], (2000, 2900), is_authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate)
        self.own = folder / f"{name}-own.pem"
        self.own.write_bytes(private(self.key) + certificate)

    def signed(self, key, names, years, is_authority=False):
        since, until = (datetime.datetime(year, 1, 1) for year in years)
        subject = self.issuer if is_authority else x509.Name([])
        form = (
            x509.CertificateBuilder(self.issuer, subject, key.public_key(), x509.random_serial_number(), since, until)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        )
        if names:
            form = form.add_extension(x509.SubjectAlternativeName(names), critical=True)
        return form.sign(self.key, hashes.SHA256()).public_bytes(PEM)

    def server(self, name="server", address="127.0.0.1", years=(2000, 2900)):
        """A file with a key, its certificate, for an address, from one year to another, and that of the CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.signed(key, [x509.IPAddress(ipaddress.ip_address(address))], years)
        file = self.folder / f"{self.name}-{name}.pem"
        file.write_bytes(private(key) + certificate + self.file.read_bytes())
        return file
