"""Which addresses a tracking store may have."""

import pytest

from nichetrial import codes
from nichetrial.store_address import refusal

SECRETS = [
    "https://ann:hunter2@mlflow.example.org",
    "https://hunter2@mlflow.example.org",
    "https://:hunter2@mlflow.example.org:port",
    "https://mlflow.example.org/?token=hunter2",
    "https://mlflow.example.org?hunter2",
    "https://mlflow.example.org/#hunter2",
    "https://mlflow.example.org/a b?token=hunter2",
    "http:?hunter2",
    "sqlite:///results/mlflow/mlflow.db?token=hunter2",
]

METADATA = [
    "169.254.169.254",
    "169.254.169.254.",
    "169.254.0.1",
    "2852039166",
    "0xa9fea9fe",
    "0xA9.254.43518",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "168.63.129.16",
    "metadata.google.internal",
    "METADATA.google.internal.",
]

SERVERS = [
    "http://127.0.0.1:5000",
    "http://[::1]:5000",
    "http://localhost",
    "https://mlflow.example.org/tracking/",
    "http://10.0.0.7:5000",
    "http://192.168.1.20",
    "http://[2001:db8::7]:5000",
    "http://metadata.example.org",
]


@pytest.mark.parametrize("uri", SECRETS)
def test_a_secret_in_an_address_is_refused_and_not_repeated(uri):
    code, message = refusal(uri)
    assert code == codes.SECRET_IN_ADDRESS
    assert "hunter2" not in message


@pytest.mark.parametrize("port", ["", ":80", ":80/latest/meta-data"])
@pytest.mark.parametrize("host", METADATA)
def test_an_address_that_gives_out_credentials_is_refused(host, port):
    code, message = refusal(f"http://{host}{port}")
    assert code == codes.UNFIT_ADDRESS
    assert "credentials" in message


@pytest.mark.parametrize("uri", SERVERS)
def test_servers_are_taken(uri):
    assert refusal(uri) is None


@pytest.mark.parametrize(
    "uri",
    ["", "mlruns", "file:///tmp/mlruns", "http://", "http://[::1", "sqlite://", "sqlite:////"],
)
def test_what_is_no_address_of_a_store_is_refused(uri):
    code, _ = refusal(uri)
    assert code == codes.UNFIT_ADDRESS
