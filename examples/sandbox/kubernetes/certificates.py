"""A certificate authority and a server certificate for 127.0.0.1, made with the openssl command."""

from __future__ import annotations

import base64
import ssl
import subprocess
from pathlib import Path

DAYS = "30"
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def create(folder: Path) -> None:
    """Writes ca.pem, server.pem and server.key below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _openssl(folder, "req", "-x509", *KEY, "-days", DAYS, "-subj", "/CN=sandbox-ca",
             "-keyout", "ca.key", "-out", "ca.pem",
             "-addext", "basicConstraints=critical,CA:TRUE",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl(folder, "req", *KEY, "-subj", "/CN=kubernetes", "-keyout", "server.key",
             "-out", "server.csr")
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n"
                                       "extendedKeyUsage=serverAuth\n")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
             "-CAcreateserial", "-days", DAYS, "-extfile", "server.ext", "-out", "server.pem")
    for name in ("ca.key", "server.csr", "server.ext"):
        (folder / name).unlink()


def context(folder: Path) -> ssl.SSLContext:
    """The server's side of TLS."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "server.pem", folder / "server.key")
    return made


def authority(folder: Path) -> str:
    """The CA's certificate as EKS reports it."""
    return base64.b64encode((folder / "ca.pem").read_bytes()).decode()
