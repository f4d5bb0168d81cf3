"""Clients of one's own: files, commands, their faults, and the examples, each run for a short experiment."""

from __future__ import annotations

import pathlib
import shutil
import textwrap
import time

import pytest

from thaw import lab
from thaw.lab import arms, own_clients
from thaw.lab.__main__ import main
from thaw.lab.experiment import ExperimentError, ExperimentSettings, command
from thaw.lab.experiments import compare
from thaw.lab.results import ArmResult

EXAMPLES = pathlib.Path(own_clients.__file__).parent / "example_clients"
CURL = (
    "curl -sS --cacert {ca_file} -H @{headers_file} --data-binary @{body_file} -o /dev/null"
    " -w %{http_code} --max-time {timeout} {url}"
)
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
CYCLES, PAYLOADS = 3, 2


def run(*names: str, **settings: object) -> dict[str, ArmResult]:
    given = {
        "cycles": CYCLES,
        "payloads": PAYLOADS,
        "workload": "generated",
        "exchange_timeout": 5.0,
        **settings,
    }
    made = compare.run(ExperimentSettings(arms=names, **given))  # type: ignore[arg-type]
    return dict(made.result.arms)


def client(folder: pathlib.Path, text: str, name: str = "client.py") -> str:
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return str(path)


# -- Examples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arm", "connections"),
    [("requests", 1), ("urllib3", 1), ("pycurl", 1), ("pycurl-http2", 1), ("httpx", 1), ("aiohttp", 2)],
)
def test_an_example_delivers_over_the_connections_that_it_keeps(arm: str, connections: int) -> None:
    figures = run(arm, close="none")[arm]
    assert (figures.delivered, figures.lost, figures.errors) == (CYCLES * PAYLOADS, 0, 0)
    assert (figures.connections, figures.handshakes_full) == (connections, connections)


@needs_curl
def test_the_command_of_the_example_has_a_connection_for_each_payload() -> None:
    (figures,) = run(str(EXAMPLES / "curl_command.py"), close="none").values()
    assert (figures.delivered, figures.connections, figures.errors) == (6, 6, 0)
    # The time of its processes is the client's: curl makes a handshake in each.
    assert figures.cpu_us_per_payload > 1000


@pytest.mark.parametrize("arm", ["pycurl-http2", "httpx", "aiohttp", "urllib3"])
def test_each_loss_of_an_example_has_an_error(arm: str) -> None:
    figures = run(arm, close="silent", cycles=4)[arm]
    assert figures.delivered + figures.lost == figures.payloads
    assert (figures.lost > 0) == (figures.errors > 0)
    assert figures.delivered >= PAYLOADS  # the first flush meets no ended connection


@pytest.mark.parametrize("arm", ["pycurl-http2", "httpx"])
def test_http2_is_held_at_every_phase(arm: str) -> None:
    figures = run(arm, scenario="inflight", close="rst", payloads=1, cycles=6)[arm]
    assert figures.delivered + figures.lost == figures.payloads


def test_every_file_of_the_examples_is_an_arm() -> None:
    sources = {pathlib.Path(arm.source[0]).name for arm in arms.ARMS.values() if arm.maker == "file"}
    files = {path.name for path in EXAMPLES.glob("*.py")} - {"__init__.py"}
    assert sources == files - {"curl_command.py"}
    for arm in arms.ARMS.values():
        if arm.maker == "file":
            assert arm.name in own_clients.load(arm.source[0])


# -- Files -------------------------------------------------------------------------------------------------


COUNTER = """
    from urllib.request import Request, urlopen
    import ssl
    from thaw import lab

    @lab.arm("plain", "urllib, a connection for each payload")
    def plain(post):
        trusted = ssl.create_default_context(cafile=post.ca_file)
        asked = Request(post.url, post.body, dict(post.headers), method="POST")
        with urlopen(asked, context=trusted, timeout=post.timeout) as answer:
            return answer.status

    @lab.arm("odd", "has a state: every other payload raises")
    class Odd:
        def __init__(self):
            self.calls = 0

        def __call__(self, post):
            self.calls += 1
            if self.calls % 2:
                raise RuntimeError(f"call {self.calls}")
            return plain(post)
"""


def test_a_file_s_clients_stand_beside_thaw(tmp_path: pathlib.Path) -> None:
    file = client(tmp_path, COUNTER)
    found = run("thaw", file)
    plain, odd = f"{file}:plain", f"{file}:odd"
    assert list(found) == ["thaw", plain, odd]
    assert [found[name].delivered for name in found] == [6, 6, 3]
    assert (found[odd].lost, found[odd].errors) == (3, 3)
    assert found[plain].connections == 6
    assert arms.text_of(plain) == "urllib, a connection for each payload"


def test_the_command_that_repeats_it_names_the_file(tmp_path: pathlib.Path) -> None:
    file = client(tmp_path, COUNTER)
    settings = ExperimentSettings(arms=(f"{file}:odd",))
    assert f"--arms {file}:odd " in command(settings)


def test_a_result_from_elsewhere_runs_no_file(tmp_path: pathlib.Path) -> None:
    file = client(tmp_path, "raise SystemExit('it ran')", "elsewhere.py")
    assert arms.text_of(f"{file}:x") == f"the client x of {file}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "client.py does not exist"),
        ("x = 1", "declares no arm: nothing in it is decorated by thaw.lab.arm"),
        ("import no_such_module", "can't be used: ModuleNotFoundError: No module named 'no_such_module'"),
        ("from thaw import lab\n@lab.arm('a b')\ndef f(post): ...", "an arm's name is 'a b', not letters"),
        (
            "from thaw import lab\n@lab.arm('a')\ndef f(post): ...\n@lab.arm('a')\ndef g(post): ...",
            "declares the arm a twice",
        ),
        ("import sys; sys.exit(0)", "can't be used: SystemExit: 0"),
        ("from thaw import lab\n@lab.arm\ndef f(post): ...", "lab.arm is used without a name"),
        ("from thaw import lab\n@lab.arm('a')\nclass C: ...", "the arm a can't be called"),
        (
            "from thaw import lab\n@lab.arm('a', concurrent=True)\ndef f(post): ...",
            "the arm a is concurrent, and no coroutine function",
        ),
    ],
)
def test_a_file_that_is_no_client_is_named_in_one_line(
    text: str | None, says: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = client(tmp_path, text) if text is not None else str(tmp_path / "client.py")
    with pytest.raises(SystemExit) as stopped:
        main(["compare", "--arms", file])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_an_unknown_name_in_a_file_is_named_with_the_nearest(tmp_path: pathlib.Path) -> None:
    file = client(tmp_path, COUNTER)
    with pytest.raises(ValueError, match=r"no arm in .* 'plan'; the nearest is plain; there are plain, odd"):
        arms.parse(f"{file}:plan")


@pytest.mark.parametrize("answer", ["None", "True", "'200'", "599"])
def test_an_answer_that_is_no_success_is_an_error(answer: str, tmp_path: pathlib.Path) -> None:
    file = client(tmp_path, f"from thaw import lab\n@lab.arm('a')\ndef send(post): return {answer}")
    (figures,) = run(file, cycles=1, payloads=1).values()
    assert (figures.delivered, figures.errors) == (0, 1)


def test_a_client_that_prints_and_reads_does_not_disturb_its_commands(tmp_path: pathlib.Path) -> None:
    text = """
        import subprocess
        import sys
        from thaw import lab
        print("imported")
        @lab.arm("a")
        def send(post):
            print("sent", flush=True)
            subprocess.run(["echo", "sent by another"])
            return 599 if sys.stdin.read() else 202
    """
    (figures,) = run(client(tmp_path, text), cycles=2, payloads=1).values()
    assert figures.errors == 0


def test_the_first_error_of_a_client_is_said_once(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = client(tmp_path, COUNTER)
    given = ["--cycles=2", "--payloads=1", "--workload=generated", "--close=none", "--blocks=2"]
    assert main(["compare", "--arms", f"thaw,{file}:odd", *given]) == 0
    said = capsys.readouterr().err
    assert said.count("its first error: ") == 1
    assert "/4): its first error: RuntimeError: call 1\n" in said


FORKING = """
    import os, time
    from thaw import lab

    @lab.arm("forks")
    def forks(post):
        if os.fork() == 0:
            time.sleep(40)
            os._exit(0)
        {then}
        return 202
"""


def test_a_client_whose_children_outlive_it_does_not_keep_the_laboratory_waiting(
    tmp_path: pathlib.Path,
) -> None:
    begun = time.monotonic()
    run(client(tmp_path, FORKING.format(then="pass")), cycles=1, payloads=1)
    assert time.monotonic() - begun < 20


def test_a_client_that_ends_while_its_child_has_its_output_is_noticed(tmp_path: pathlib.Path) -> None:
    begun = time.monotonic()
    with pytest.raises(ExperimentError, match="the client's process is gone: it ended with 3"):
        run(client(tmp_path, FORKING.format(then="os._exit(3)")), cycles=1, payloads=1)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("arm", ["requests", "aiohttp", "httpx", "client"])
def test_world_w0_refuses_a_client_that_is_not_thaw_s(
    arm: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = client(tmp_path, COUNTER) if arm == "client" else arm
    assert main(["compare", "--world", "W0", "--arms", name]) == 2
    said = capsys.readouterr().err
    assert "world W0 can't run arm" in said
    assert said.count("\n") == 1


def test_a_decorated_client_can_be_called_as_it_is(tmp_path: pathlib.Path) -> None:
    seen = []

    @lab.arm("mine")
    def send(post: lab.Post) -> int:
        seen.append(post.url)
        return 202

    assert send(lab.Post("https://intake.example/", b"x", {}, "ca.pem", 1.0)) == 202
    assert seen == ["https://intake.example/"]


# -- Commands ----------------------------------------------------------------------------------------------


@needs_curl
def test_a_command_line_is_an_arm(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--cycles=2", "--payloads=1", "--workload=generated", "--close=none", "--exchange-timeout=5"]
    assert main(["compare", "--arms", "thaw", "--arm-command", CURL, *given]) == 0
    table = capsys.readouterr().out
    (_, line) = [line for line in table.splitlines() if line.startswith("command(")]  # verdict and row
    # delivered and lost
    assert line.rpartition('")')[2].split()[:3] == ["2", "2", "0"]


def test_a_command_that_fails_is_an_error_for_each_payload() -> None:
    (figures,) = run(arms.of_command("false {url}").name, cycles=2, payloads=1).values()
    assert (figures.delivered, figures.lost, figures.errors) == (0, 2, 2)


@pytest.mark.parametrize(
    ("command_line", "says"),
    [
        ("curl -sS", "the command 'curl -sS' has no {url}"),
        ("curl 'x {url}", "can't be split into words: No closing quotation"),
    ],
)
def test_a_command_that_is_none_is_refused_in_one_line(
    command_line: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["compare", "--arm-command", command_line])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_the_status_is_the_last_word_that_a_command_prints() -> None:
    post = lab.Post("https://intake.example/", b"body", {"a": "b"}, "ca.pem", 5.0)
    assert lab.Command("echo {url} 418")(post) == 418
    assert lab.Command("echo {url}")(post) == 202
    assert lab.Command('sh -c \'test "$(cat {body_file})" = body && grep -q "a: b" {headers_file}\' {url}')(
        post
    )
    with pytest.raises(OSError, match="false ended with 1"):
        lab.Command("false {url}")(post)
    with pytest.raises(FileNotFoundError):
        lab.Command("/no/such/program {url}")(post)
