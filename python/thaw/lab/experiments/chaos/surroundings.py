"""The peers of an environment: intake, proxy, nameserver and a store of secrets."""

from __future__ import annotations

import contextlib
import pathlib

from thaw.lab.certificates import Authority
from thaw.lab.experiments.chaos.plan import Plan
from thaw.lab.intake import Intake, Script
from thaw.lab.nameserver import Nameserver
from thaw.lab.proxy import Proxy
from thaw.lab.secrets_server import HOSTS, SecretsServer, variables

# The intake's name, where it has one, and the key, where it is in a store.
_INTAKE_NAME = "intake.lab"
_STORED_KEY = "fedcba9876543210fedcba9876543210"


class Surroundings:
    """The peers of an environment, which run until the stack of contexts is left.

    Attributes:
      options: the variables that lead the extension to the peers.
      files_over: files that its processes see in place of the machine's.
    """

    def __init__(self, plan: Plan, folder: pathlib.Path, stack: contextlib.ExitStack, *, names: bool) -> None:
        self.files_over: dict[pathlib.Path, pathlib.Path] = {}
        self.secrets: SecretsServer | None = None
        self.nameserver: Nameserver | None = None
        authority = Authority(folder, ("127.0.0.1", _INTAKE_NAME, *HOSTS))
        self.intake = stack.enter_context(Intake(plan.scripts[0], authority=authority))
        self.options = {**self.intake.agent_variables, **plan.settings.environment}
        self.key = self.options["DD_API_KEY"]
        self.proxy: Proxy | None = None
        if plan.proxy is not None:
            self.proxy = stack.enter_context(Proxy(plan.proxy[0], cut_after=3000))
            self.options["DD_PROXY_HTTPS"] = self.proxy.url
        if not names or (plan.aaaa is None and plan.store is None):
            return
        hosts = dict.fromkeys((_INTAKE_NAME, *HOSTS), "127.0.0.1")
        self.nameserver = stack.enter_context(Nameserver(hosts, plan.aaaa or "empty"))
        self.files_over[pathlib.Path("/etc/resolv.conf")] = self.nameserver.resolv_conf(folder)
        # A proxy looks names up on the machine, whose nameservers don't know this one.
        if plan.aaaa is not None and self.proxy is None:
            for name in ("DD_APM_DD_URL", "DD_LOGS_CONFIG_LOGS_DD_URL"):
                self.options[name] = f"https://{_INTAKE_NAME}:{self.intake.port}"
        if plan.store is not None:
            self.key = _STORED_KEY
            self.secrets = stack.enter_context(
                SecretsServer(authority, key=self.key, faults=plan.store_faults)
            )
            del self.options["DD_API_KEY"]
            self.options |= variables(plan.store)

    def turn(self, plan: Plan, number: int) -> None:
        """Makes the peers behave as planned for that invocation."""
        self.intake.script(plan.scripts[number])
        if self.proxy is not None and plan.proxy is not None:
            self.proxy.behaviour = plan.proxy[number]

    def recover(self) -> None:
        """Ends all faults, so that what the extension keeps can be delivered."""
        self.intake.script(Script())
        if self.proxy is not None:
            self.proxy.behaviour = "tunnel"
        if self.secrets is not None:
            self.secrets.fail(())
