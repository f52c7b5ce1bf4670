"""The server of ``nichetrial ui`` under attack, and the canaries of ``nichetrial.compat``.

Another user of this machine reaches the port; a client that was let in wants files elsewhere.
That of ``nichetrial serve`` is attacked in tests/server, for it needs Postgres.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nichetrial import codes
from nichetrial.compat import mlflow_server
from nichetrial.tracking import store
from nichetrial.tracking.server import HOST, serving
from tests.support.attacks import ELSEWHERE, SECRET, Asked, everything, home

TOKEN = "a-token-of-the-test"  # noqa: S105


@dataclass(frozen=True)
class Site:
    port: int
    root: Path
    """Of the files of runs."""
    home: Path
    within: Asked
    """With the token."""
    without: Asked
    experiment: str
    run: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("ui")
    at = store.locate(f"sqlite:///{folder}/results/mlflow/mlflow.db")
    with store.opened(at) as client:
        experiment = store.experiment(client, at, "own")
        run = client.create_run(experiment).info.run_id
        client.log_text(run, "a result", "figures/result.txt")
    port = free_port()
    planted = folder / "elsewhere"
    planted.mkdir()
    for name in ("random", "mlflow", "uvicorn"):
        (planted / f"{name}.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    before = Path.cwd()
    os.chdir(planted)
    try:
        with serving(at, port=port, token=TOKEN):
            within = Asked(port, {"Authorization": f"Bearer {TOKEN}"})
            yield Site(
                port,
                folder / "results/mlflow/artifacts",
                home(folder),
                within,
                Asked(port),
                experiment,
                run,
            )
    finally:
        os.chdir(before)
    assert not (folder / "ran").exists(), "a module of the working folder ran in the server"


def artifact(run: str, path: str) -> dict[str, str]:
    return {"run_uuid": run, "path": path}


@pytest.mark.slow
def test_who_has_the_token_sees_his_files(site: Site) -> None:
    found = site.within("GET", "/get-artifact", query=artifact(site.run, "figures/result.txt"))
    assert (found.status, found.body) == (200, b"a result")
    listed = site.within("GET", "/api/2.0/mlflow/artifacts/list", query={"run_id": site.run})
    assert [f["path"] for f in listed.json["files"]] == ["figures"]


@pytest.mark.slow
def test_nobody_else_is_answered(site: Site) -> None:
    """On the loopback port, by another user of this machine."""
    for path in (
        "/",
        "/graphql",
        "/api/2.0/mlflow/experiments/get?experiment_id=0",
        "/get-artifact",
    ):
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Cookie": "nichetrial_ui_1=x"},
            {"Cookie": f"nichetrial_ui_{site.port}=wrong"},
            {"Authorization": "Basic " + TOKEN},
            {"Authorization": "Bearer"},
        ):
            answer = site.without("GET", path, **headers)
            assert answer.status == 401, (path, headers)
            assert str(codes.NO_TOKEN) in answer.body.decode()
    assert site.without("GET", "/?token=wrong").status == 401
    assert site.without("GET", "/?token=").status == 401
    assert site.without("GET", "/health").body == b"OK"
    assert site.without("POST", "/health").status in (401, 403)


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be two users")
def test_another_user_finds_no_token(site: Site) -> None:
    """Not in the list of processes, nor in files, nor at the port."""
    attack = f"""
import encodings.idna, glob, http.client, os, urllib.request
os.setgroups([]); os.setgid(65534); os.setuid(65534)
found = b""
for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
    try: found += open(path, "rb").read()
    except OSError: pass
for top, _, names in os.walk({str(site.root.parent)!r}):
    for name in names:
        try: found += open(os.path.join(top, name), "rb").read()
        except OSError: pass
word = bytes.fromhex({TOKEN.encode().hex()!r})
assert word not in found
direct = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
try: direct.open("http://127.0.0.1:{site.port}/api/2.0/mlflow/experiments/get?experiment_id=0")
except urllib.error.HTTPError as error: assert error.code == 401
else: raise AssertionError("let in")
print("refused")
"""
    for folder in (site.root.parent, *site.root.parents[:-2]):  # so that modes of files protect
        folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", attack], capture_output=True, text=True, cwd="/")
    assert done.stdout == "refused\n", done.stderr
    log = site.root.parent / "ui.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert TOKEN not in log.read_text()


@pytest.mark.slow
def test_the_link_lets_in_by_a_cookie(site: Site) -> None:
    answer = site.without("GET", f"/?token={TOKEN}")
    assert answer.status == 200
    assert TOKEN not in answer.body.decode()
    cookie, *rules = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict"} <= set(rules)
    assert site.without("GET", "/", Cookie=cookie).status == 200
    assert site.without("GET", "/", Cookie=f"a=b; {cookie}").status == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
        {"Origin": "http://example.org"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_place_does_nothing_with_the_cookie(
    site: Site, headers: dict[str, str]
) -> None:
    """Another port of this machine is the same site to a browser."""
    kept = {"Cookie": f"nichetrial_ui_{site.port}={TOKEN}"}
    assert (
        site.without(
            "POST", "/api/2.0/mlflow/experiments/create", {"name": "x"}, **kept, **headers
        ).status
        == 403
    )
    assert site.without("GET", "/get-artifact", **kept, **headers).status == 403


@pytest.mark.slow
@pytest.mark.parametrize("host", ["example.org", "10.0.0.1", "192.168.0.1:5000", "0.0.0.0"])  # noqa: S104
def test_other_names_are_refused(site: Site, host: str) -> None:
    """A name of an attacker that leads to this machine (DNS rebinding)."""
    assert site.within("GET", "/", Host=host).status == 403


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
@pytest.mark.parametrize("name", ["artifact_location", "artifactLocation"])
@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_client_chooses_no_place_for_files(
    site: Site, prefix: str, name: str, place: str
) -> None:
    place = place.format(home=site.home, root=site.root)
    before = everything(site.home)
    answer = site.within(
        "POST",
        f"{prefix}/2.0/mlflow/experiments/create",
        {"name": f"{prefix} {name} {place}", name: place},
    )
    if answer.status == 200:  # MLflow does not know the field by this name
        made = site.within("GET", "/api/2.0/mlflow/experiments/get", query=answer.json)
        assert made.json["experiment"]["artifact_location"].startswith(site.root.as_uri())
    else:
        assert answer.status == 400
    assert everything(site.home) == before


def move(site: Site, run: str, uri: str) -> None:
    """Let the store say that the files of a run are there: it may come from somebody else."""
    import sqlite3

    with sqlite3.connect(site.root.parent / "mlflow.db") as connection:
        connection.execute("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", (uri, run))
    connection.close()


def attacked(site: Site, run: str, path: str) -> list[int]:
    """Ways to a file of a run, and what was answered: read, list, write."""
    graphql = {
        "operationName": "Q",
        "query": "query Q($i: MlflowListArtifactsInput!) "
        "{ mlflowListArtifacts(input: $i) { files { path fileSize } } }",
        "variables": {"i": {"runId": run}},
    }
    prefixes = ("/api", "/ajax-api")
    answers = [site.within("GET", "/get-artifact", query=artifact(run, path))]
    answers += [site.within("POST", "/graphql", graphql)]
    for prefix in prefixes:
        where = {"run_id": run, "path": path.rpartition("/")[0]}
        answers.append(site.within("GET", f"{prefix}/2.0/mlflow/artifacts/list", query=where))
    for prefix in prefixes:
        upload, key = f"{prefix}/2.0/mlflow/upload-artifact", b"ssh-rsa of an attacker"
        answers.append(site.within("POST", upload, key, query=artifact(run, path)))
    for answer in answers:
        assert SECRET not in answer.body.decode(errors="replace")
        assert b'"id_rsa"' not in answer.body
    return [answer.status for answer in answers]


def outside(site: Site) -> dict[str, bytes]:
    """All files but those of runs and of the database."""
    found = everything(site.root.parents[2])
    ours = ("results/mlflow/artifacts/", "results/mlflow/mlflow.db", "results/mlflow/ui.log")
    return {name: content for name, content in found.items() if not name.startswith(ours)}


@pytest.mark.slow
@pytest.mark.parametrize("place", [*ELSEWHERE, "", "file:///", "file://{root}/.."])
def test_a_store_leads_to_no_files_elsewhere(site: Site, place: str) -> None:
    _, run = site.within.made_run(f"led {place}")
    move(site, run, place.format(home=site.home, root=site.root))
    before = outside(site)
    for file in ("authorized_keys", "id_rsa"):
        attacked(site, run, file)
    assert outside(site) == before


@pytest.mark.slow
@pytest.mark.parametrize("file", ["id_rsa", "authorized_keys"])
def test_links_are_not_followed_out(site: Site, file: str) -> None:
    experiment, run = site.within.made_run(f"links {file}")
    ssh = site.home / ".ssh"
    folder = site.root / experiment / run / "artifacts"
    # the folder of the run itself, one in it, and a file
    folder.parent.mkdir(parents=True)
    folder.symlink_to(ssh)
    before = everything(site.home)
    attacked(site, run, file)
    folder.unlink()
    folder.mkdir()
    (folder / "in").symlink_to(ssh)
    attacked(site, run, f"in/{file}")
    (folder / file).symlink_to(ssh / file)
    attacked(site, run, file)
    listed = site.within("GET", "/api/2.0/mlflow/artifacts/list", query={"run_id": run})
    assert listed.json.get("files", []) == []
    assert everything(site.home) == before
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "../../../home/.ssh/id_rsa",
        "/etc/passwd",
        "%2e%2e/x",
        "..%2f..%2fmlflow.db",
        "%252e%252e/x",
        "file:///etc/passwd",
        "a/../../../../mlflow.db",
        "..",
        ".",
    ],
)
def test_paths_do_not_lead_out(site: Site, path: str) -> None:
    before = outside(site)
    assert attacked(site, site.run, path)[0] >= 400
    assert outside(site) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "mlflow/webhooks", {"name": "w", "url": "http://127.0.0.1:1/", "events": []}),
        ("POST", "mlflow/model-versions/create", {"name": "m", "source": "file:///etc"}),
        ("POST", "mlflow/registered-models/create", {"name": "m"}),
        ("POST", "mlflow/logged-models", {"experiment_id": "0"}),
        ("POST", "mlflow/runs/log-model", {"run_id": "0"}),
        ("POST", "mlflow/runs/outputs", {"run_id": "0"}),
        ("POST", "mlflow/runs/create-promptlab-run", {}),
        ("POST", "mlflow/traces", {}),
        ("GET", "mlflow/get-trace-artifact?request_id=0", None),
        ("POST", "mlflow/datasets/create", {"source": "file:///etc"}),
        ("POST", "mlflow/scorers/register", {}),
        ("POST", "mlflow/scorer/invoke", {}),
        ("POST", "mlflow/genai/evaluate/invoke", {}),
        ("POST", "mlflow/gateway/secrets/create", {}),
        ("POST", "mlflow/gateway-proxy", {"gateway_path": "http://127.0.0.1:1/"}),
        ("POST", "mlflow/artifacts/presigned-upload-url", {}),
        ("POST", "mlflow-artifacts/mpu/create/x", {}),
        ("POST", "mlflow/workspaces", {"default_artifact_root": "file:///etc"}),
        ("POST", "mlflow/assistant/message", {}),
        ("POST", "mlflow/demo/generate", {}),
        ("POST", "jobs/", {"job_name": "x", "params": {}}),
        ("POST", "mlflow/prompt-optimization/jobs", {}),
        ("POST", "mlflow/mcp-servers", {}),
    ],
)
@pytest.mark.parametrize("prefix", ["/api/2.0/", "/ajax-api/2.0/", "/api/3.0/", "/ajax-api/3.0/"])
def test_what_reaches_out_or_takes_addresses_is_not_served(
    site: Site, prefix: str, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = site.within(method, prefix + path, body)
    assert answer.status == 403, answer.body
    assert answer.json["message"].startswith(str(codes.NOT_SERVED))


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    ["/gateway/x/mlflow/invocations", "/v1/traces", "/model-versions/get-artifact", "/build/x"],
)
def test_nor_is_it_elsewhere(site: Site, path: str) -> None:
    assert site.within("POST", path, {}).status == 403
    assert site.within("GET", path).status == 403


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "//api/2.0/mlflow/webhooks",
        "/api/2.0/mlflow/webhooks/",
        "/api/2.0//mlflow/webhooks",
        "/api/2.0/mlflow/%77ebhooks",
        "/API/2.0/mlflow/webhooks",
        "/api/2.0/mlflow/runs/../webhooks",
        "/api/2.0/mlflow/runs/get%2f..%2f..%2fwebhooks",
        "/static-files/../api/2.0/mlflow/webhooks",
        "/api/2.0/mlflow/webhooks;x",
        "/api/2.0/mlflow/webhooks%00",
    ],
)
def test_other_spellings_lead_to_nothing_else(site: Site, path: str) -> None:
    assert site.within("GET", path).status in (403, 404)


@pytest.mark.slow
def test_a_large_request_is_refused(site: Site) -> None:
    """Whether or not its size is said before."""
    path, most = "/ajax-api/2.0/mlflow/upload-artifact", mlflow_server.IN_MEMORY
    answer = site.within("POST", path, b"x" * (most + 1), query=artifact(site.run, "large"))
    assert (answer.status, answer.json["message"][:5]) == (413, str(codes.TOO_LARGE))
    query = urllib.parse.urlencode(artifact(site.run, "large"))
    status = site.within.chunked("POST", f"{path}?{query}", 20, 1_000_000)
    assert status.split()[1] == b"413"
    assert not list(site.root.rglob("large"))


@pytest.mark.slow
def test_pages_load_nothing_from_elsewhere(site: Site) -> None:
    for path in ("/", "/static-files/manifest.json", "/get-artifact"):
        policy = site.within("GET", path).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
