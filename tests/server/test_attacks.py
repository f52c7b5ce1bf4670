"""``nichetrial serve`` under attack by somebody who has a login, and by somebody who has none."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nichetrial import codes
from nichetrial.compat.guards import FAILED_LOGINS
from tests.support.attacks import ELSEWHERE, SECRET, Asked, everything, home
from tests.support.served import Served, free_port, serve

GUEST = "guest of the attacks"
FILES = "/2.0/mlflow-artifacts/artifacts"
pytestmark = pytest.mark.slow


def login(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@dataclass(frozen=True)
class Site:
    served: Served
    port: int
    home: Path
    admin: Asked
    guest: Asked
    nobody: Asked
    experiment: str
    """Of the guest."""
    run: str
    foreign: str
    """An experiment of the admin, with a run."""
    foreign_run: str


@pytest.fixture(scope="module")
def site(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    port = int(served.uri.rpartition(":")[2])
    admin = Asked(port, login("admin", served.admin))
    made = admin(
        "POST", "/api/2.0/mlflow/users/create", {"username": "attacker", "password": GUEST}
    )
    assert made.status == 200, made.body
    guest = Asked(port, login("attacker", GUEST))
    here = home(served.files.parent)
    yield Site(
        served,
        port,
        here,
        admin,
        guest,
        Asked(port),
        *guest.made_run("of the attacker"),
        *admin.made_run("of the admin"),
    )
    shutil.rmtree(here)


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_user_chooses_no_place_for_files(site: Site, prefix: str, place: str) -> None:
    """Nor that of somebody else's experiment, which he may not change."""
    place = place.format(home=site.home, root=site.served.files)
    answer = site.guest(
        "POST",
        f"{prefix}/2.0/mlflow/experiments/create",
        {"name": f"{prefix} {place}", "artifact_location": place},
    )
    assert answer.status == 400, answer.body


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_files_go_where_the_server_keeps_them(site: Site, prefix: str) -> None:
    path = f"{prefix}{FILES}/{site.experiment}/{site.run}/artifacts/figures/result.txt"
    assert site.guest("PUT", path, b"a result").status == 200
    assert site.guest("GET", path).body == b"a result"
    kept = site.served.files / site.experiment / site.run / "artifacts/figures/result.txt"
    assert kept.read_bytes() == b"a result"
    assert site.guest("DELETE", path).status == 200
    assert not kept.exists()
    foreign = f"{prefix}{FILES}/{site.foreign}/{site.foreign_run}/artifacts/a.txt"
    assert site.guest("PUT", foreign, b"mine").status == 403
    assert site.nobody("PUT", foreign, b"mine").status == 401


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
@pytest.mark.parametrize("file", ["id_rsa", "authorized_keys"])
def test_links_are_not_followed_out(site: Site, prefix: str, file: str) -> None:
    folder = site.served.files / site.experiment / site.run / "artifacts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    before = everything(site.home)
    run = f"{prefix}{FILES}/{site.experiment}/{site.run}/artifacts"

    def attack(at: str) -> None:
        asked = {"run_uuid": site.run, "run_id": site.run, "path": at}
        answers = [
            site.guest("GET", f"{run}/{at}"),
            site.guest("PUT", f"{run}/{at}", b"ssh-rsa of an attacker"),
            site.guest("GET", "/get-artifact", query=asked),
            site.guest("POST", "/ajax-api/2.0/mlflow/upload-artifact", b"ssh-rsa", query=asked),
            site.guest("DELETE", f"{run}/{at}"),
            site.guest(
                "GET",
                f"{prefix}/2.0/mlflow/artifacts/list",
                query={"run_id": site.run, "path": at.rpartition("/")[0]},
            ),
            site.guest(
                "GET",
                f"{prefix}{FILES}",
                query={"path": f"{site.experiment}/{site.run}/artifacts/{at}"},
            ),
        ]
        for answer in answers:
            assert SECRET not in answer.body.decode(errors="replace")
            assert b'"id_rsa"' not in answer.body
        assert all(answer.status >= 400 for answer in answers[:5]), [a.status for a in answers]
        assert everything(site.home) == before

    folder.symlink_to(site.home / ".ssh")
    attack(file)
    folder.unlink()
    folder.mkdir()
    (folder / "in").symlink_to(site.home / ".ssh")
    attack(f"in/{file}")
    (folder / file).symlink_to(site.home / ".ssh" / file)
    attack(file)
    shutil.rmtree(folder)


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
@pytest.mark.parametrize(
    "path",
    [
        "../home/.ssh/{}",
        "..%2fhome%2f.ssh%2f{}",
        "%2e%2e/home/.ssh/{}",
        "{home}/.ssh/{}",
        "%252e%252e%252fhome/.ssh/{}",
        "1/../../home/.ssh/{}",
        "file:{home}/.ssh/{}",
        "..",
        ".",
    ],
)
def test_paths_do_not_lead_out(site: Site, prefix: str, path: str) -> None:
    before = everything(site.home)
    for file in ("id_rsa", "authorized_keys"):
        at = path.format(file, home=site.home)
        for asked in (site.guest, site.admin):
            answers = [
                asked("GET", f"{prefix}{FILES}/{at}"),
                asked("PUT", f"{prefix}{FILES}/{at}", b"ssh-rsa of an attacker"),
                asked("DELETE", f"{prefix}{FILES}/{at}"),
            ]
            # 308 leads from two slashes to one, which is below the folder of the server
            assert all(answer.status >= 308 for answer in answers), [a.status for a in answers]
            assert not any(SECRET in answer.body.decode(errors="replace") for answer in answers)
    assert everything(site.home) == before
    assert site.served.files.is_dir()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("webhooks", {"name": "w", "url": "http://169.254.169.254/", "events": []}),
        ("model-versions/create", {"name": "m", "source": "file:///etc", "run_id": "0"}),
        ("runs/outputs", {"run_id": "0"}),
        ("traces", {}),
        ("gateway/secrets/create", {}),
        ("scorer/invoke", {}),
    ],
)
@pytest.mark.parametrize("prefix", ["/api/2.0", "/ajax-api/3.0"])
def test_even_the_admin_sends_the_server_nowhere(
    site: Site, prefix: str, path: str, body: dict[str, object]
) -> None:
    answer = site.admin("POST", f"{prefix}/mlflow/{path}", body)
    assert (answer.status, answer.json["message"][:5]) == (403, str(codes.NOT_SERVED))


@pytest.fixture(scope="module")
def small(database: str, tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Asked]:
    """A second server, on the same database, that takes a megabyte at a time."""
    folder, port = tmp_path_factory.mktemp("small"), free_port()
    process = serve(
        folder,
        "--port",
        str(port),
        "--workers",
        "1",
        "--largest-file",
        "1",
        MLFLOW_BACKEND_STORE_URI=database,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http"), (folder / "said.txt").read_text()
        yield Asked(port, site.guest.headers)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_large_file_is_refused(site: Site, small: Asked) -> None:
    """Whether or not its size is said before; nothing of it is left."""
    path = f"/api{FILES}/{site.experiment}/{site.run}/artifacts/large"
    answer = small("PUT", path, b"x" * 1_000_001)
    assert (answer.status, answer.json["message"][:5]) == (413, str(codes.TOO_LARGE))
    assert small.chunked("PUT", path, 3, 500_000).split()[1] == b"413"
    log = "/api/2.0/mlflow/runs/log-batch"
    assert small.chunked("POST", log, 3, 500_000).split()[1] == b"413"
    assert small("PUT", path, b"x" * 1_000_000).status == 200
    assert small.chunked("PUT", path, 1, 999_999).split()[1] == b"200"


def test_passwords_are_guessed_slowly(site: Site, small: Asked) -> None:
    """By REST, by files and by the pages; the right one is not looked at either, for a minute."""
    per_pair = FAILED_LOGINS["a user at one address"]
    ways = [
        "/api/2.0/mlflow/experiments/get?experiment_id=0",
        f"/api{FILES}/{site.experiment}/x",
        "/graphql",
    ]
    asked = Asked(small.port)
    for i in range(per_pair):
        assert asked("GET", ways[i % 3], **login("attacker", f"wrong {i}")).status == 401
    answer = asked("GET", ways[0], **login("attacker", GUEST))
    assert answer.status == 429
    assert answer.headers["retry-after"] == "60"
    assert answer.json["message"].startswith(str(codes.LOCKED_OUT))
    assert asked("GET", ways[0], **site.admin.headers).status == 200
