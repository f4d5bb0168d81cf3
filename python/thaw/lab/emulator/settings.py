"""Settings of a function and its environment: everything that a user of Lambda configures.

    Settings(name="orders", memory_mb=512, timeout=3.0, environment={"DD_API_KEY": "key"})

Durations are seconds, as everywhere in the laboratory, unless a name says otherwise.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

InitializationType = Literal["on-demand", "provisioned-concurrency", "snap-start", "lambda-managed-instances"]
INITIALIZATION_TYPES: tuple[InitializationType, ...] = get_args(InitializationType)

ShutdownReason = Literal["spindown", "timeout", "failure"]
SHUTDOWN_REASONS: tuple[ShutdownReason, ...] = get_args(ShutdownReason)

FreezeBy = Literal["auto", "cgroup", "signals", "nothing"]
FREEZE_BY: tuple[FreezeBy, ...] = get_args(FreezeBy)

Limit = Literal["memory", "cpu"]
LIMITS: tuple[Limit, ...] = get_args(Limit)

LogFormat = Literal["Text", "JSON"]

# Bounds that Lambda sets: least and most.
MEMORY_MB = (128, 10240)
TIMEOUT_SECONDS = (0.001, 900)
MAX_CONCURRENCY = (1, 1000)

# Lambda gives a function one virtual processor for each of these.
MEMORY_MB_PER_CPU = 1769


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A function's configuration, and how its environment is emulated.

    Attributes:
      name, version, handler, region, account_id: the function's; its ARN is made of them.
      memory_mb: the function's memory, as its variables say; a limit if `limits` names "memory".
      timeout: seconds an invocation may take, the extensions' work after it included.
      environment: the function's own variables; they go to the extensions, too.
      folder: the function's code (LAMBDA_TASK_ROOT), where its program and the extensions are started.
      runtime: goes into AWS_EXECUTION_ENV, which extensions don't get.
      initialization_type: Lambda's word for how the environment comes to be; see docs/emulator.md.
      max_concurrency: invocations at once on managed instances.
      log_format: JSON makes objects of lines that are JSON objects.
      knows_account_id: whether an extension that asks for its account id is told.
      init_timeout: None for Lambda's: 10 s, or 130 s where no invocation waits for the initialization.
      freeze_by: "auto" is the cgroup freezer if this process may use it, otherwise signals.
      limits: the resources that cgroups limit. Where that isn't allowed, a note says why.
      opt_folder: whether extensions appear in /opt/extensions (needs root; a note says why not).
      files_over: files that the environment's processes see in place of the machine's, by the machine's path
        (needs root).
    """

    name: str = "function"
    version: str = "$LATEST"
    handler: str = "handler.handler"
    region: str = "us-east-1"
    account_id: str = "123456789012"
    memory_mb: int = 512
    timeout: float = 3.0
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: pathlib.Path = pathlib.Path()
    runtime: str = "python3.11"
    initialization_type: InitializationType = "on-demand"
    max_concurrency: int = 4
    log_format: LogFormat = "Text"
    knows_account_id: bool = True
    init_timeout: float | None = None
    freeze_by: FreezeBy = "auto"
    limits: frozenset[Limit] = frozenset()
    opt_folder: bool = True
    files_over: Mapping[pathlib.Path, pathlib.Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, given, (least, most) in (
            ("memory_mb", self.memory_mb, MEMORY_MB),
            ("timeout", self.timeout, TIMEOUT_SECONDS),
            ("max_concurrency", self.max_concurrency, MAX_CONCURRENCY),
        ):
            if not least <= given <= most:
                raise ValueError(f"{what} is {given}; Lambda allows {least} to {most}")
        for what, chosen, known in (
            ("initialization_type", self.initialization_type, INITIALIZATION_TYPES),
            ("freeze_by", self.freeze_by, FREEZE_BY),
        ):
            if chosen not in known:
                raise ValueError(f"{what} is {chosen!r}, not one of {', '.join(known)}")
        if unknown := set(self.limits) - set(LIMITS):
            raise ValueError(f"limits names {', '.join(sorted(unknown))}; there are {', '.join(LIMITS)}")

    @property
    def arn(self) -> str:
        """The function's, without a qualifier."""
        partition = "aws"
        for prefix, other in (("us-gov-", "aws-us-gov"), ("cn-", "aws-cn")):
            if self.region.startswith(prefix):
                partition = other
        return f"arn:{partition}:lambda:{self.region}:{self.account_id}:function:{self.name}"

    @property
    def is_managed_instance(self) -> bool:
        return self.initialization_type == "lambda-managed-instances"

    @property
    def initializes_early(self) -> bool:
        """Returns whether the initialization is over long before the first invocation needs it."""
        return self.initialization_type != "on-demand"

    @property
    def init_limit(self) -> float:
        """Seconds that an initialization may take."""
        if self.init_timeout is not None:
            return self.init_timeout
        return max(130.0, self.timeout) if self.initializes_early else 10.0
