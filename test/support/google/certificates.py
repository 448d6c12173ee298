"""A certificate authority for this run, a server's certificate of it, and service accounts' keys; by the openssl program."""

import ssl
import subprocess


def openssl(*words, **how):
    done = subprocess.run(["openssl", *words], capture_output=True, check=False, **how)
    if done.returncode:
        raise RuntimeError(f"openssl {words[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def make_authority(folder):
    """The path of the authority's certificate, and the context of a server that has one of it for these names."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, authority_key = folder / "ca.pem", folder / "ca.key"
    certificate, key, request = folder / "server.pem", folder / "server.key", folder / "server.csr"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=dockline test authority", "-keyout", str(authority_key), "-out", str(authority))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
            "-keyout", str(key), "-out", str(request))
    extensions = folder / "server.ext"
    extensions.write_text("subjectAltName=DNS:localhost,DNS:*.googleapis.com,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", str(request), "-CA", str(authority), "-CAkey", str(authority_key), "-CAcreateserial",
            "-days", "2", "-extfile", str(extensions), "-out", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return authority, context


class KeyPair:
    """An RSA key: its private half as Google's key files have it, and the check of a signature (RFC 8017, 8.2.2)."""

    # The DER of DigestInfo before a SHA-256.
    DIGEST = bytes.fromhex("3031300d060960864801650304020105000420")

    def __init__(self):
        self.private = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048").decode()
        modulus = openssl("rsa", "-noout", "-modulus", input=self.private.encode())
        self._modulus = int(modulus.strip().removeprefix(b"Modulus="), 16)

    def signed(self, signature, digest):
        """Whether this is the signature, with RS256, of what has this SHA-256."""
        size = (self._modulus.bit_length() + 7) // 8
        if len(signature) != size:
            return False
        opened = pow(int.from_bytes(signature, "big"), 65537, self._modulus).to_bytes(size, "big")
        tail = b"\0" + self.DIGEST + digest
        return opened == b"\0\x01" + b"\xff" * (size - 2 - len(tail)) + tail
