"""Certificates of a day for the tests: authorities, servers and clients."""

import ssl
import subprocess

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def authority(folder, name):
    """A certificate that vouches for itself, and may vouch for others."""
    path = folder / f"{name}.pem"
    openssl("req", "-x509", *EC, "-days", 2, "-subj", f"/CN={name}",
            "-keyout", path.with_suffix(".key"), "-out", path)
    return path


def issue(folder, name, issuer, host="localhost", days=2):
    """A certificate for a host, or a client, that an authority vouches for."""
    path = folder / f"{name}.pem"
    request = folder / f"{name}.csr"
    openssl("req", "-new", *EC, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{host}",
            "-keyout", path.with_suffix(".key"), "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", issuer, "-CAkey", issuer.with_suffix(".key"),
            "-CAcreateserial", "-days", days, "-copy_extensions", "copyall", "-out", path)
    return path


def serving(path, clients=None):
    """How a server shows a certificate, and asks for one of an authority of clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, path.with_suffix(".key"))
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context
