"""The document on fleets, from a study."""

from __future__ import annotations

from thaw.lab.answer.document import Block, Document, Heading, Items, Paragraph, Picture, Table
from thaw.lab.fleet import charts, figures
from thaw.lab.fleet.figures import Outage, Usual
from thaw.lab.fleet.policies import POLICIES
from thaw.lab.fleet.study import EXACT_FLEETS, EXACT_SANDBOXES, Study

TITLE = "What a fleet of sandboxes means to the intake"
NAT_SOURCE = "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html"


def make(study: Study, command: str) -> Document:
    """Returns the document. `command` makes it again."""
    return Document(
        TITLE,
        [
            *_answer(study),
            _over_time(study),
            *_arms(study),
            *_usual(study),
            *_nat(study),
            *_outage(study),
            *_check(study),
            *_limits(study),
            Heading("Where this comes from"),
            Paragraph(
                f"Made by `{command}`. Costs: {study.settings.costs.source}. Seed {study.settings.seed};"
                " `result.json` has every figure and setting, `series.parquet` each step of each fleet."
            ),
        ],
    )


def _figures(study: Study, arm: str, sandboxes: int) -> tuple[Usual, Outage]:
    series, scene = study.series[arm, sandboxes], study.settings.scene
    return figures.of_usual(series, scene), figures.of_outage(series, scene)


def _times(value: float, usual: float) -> str:
    return f"{value / usual:.1f}" if usual else "-"


def _seconds(value: float | None) -> str:
    return "longer than simulated" if value is None else f"{value:.0f} s"


def _answer(study: Study) -> list[Block]:
    settings = study.settings
    largest = max(settings.sizes)
    said = []
    for arm in settings.arms:
        usual, outage = _figures(study, arm, largest)
        processors = figures.intake_processors(usual.handshakes, usual.requests, settings.costs)
        tries = _times(outage.peak_tries, usual.requests)
        said.append(
            f"`{arm}`: {usual.handshakes:,.0f} handshakes a second, which with the requests take"
            f" {processors:,.0f} processors of the intake. Around the outage, clients try up to {tries}"
            f" connections for each usual request. What had waited is delivered {_seconds(outage.recovery)}"
            f" after its end, at up to {_times(outage.peak_requests, usual.requests)} times the usual rate."
        )
    return [
        Paragraph(
            f"{largest:,} sandboxes, of which each flushes {settings.scene.requests} requests every"
            f" {settings.scene.interval:g} s on average, and an outage of {settings.scene.outage / 60:g}"
            " minutes:"
        ),
        Items(said),
    ]


def _over_time(study: Study) -> Picture:
    largest = max(study.settings.sizes)
    text = (
        "An outage and its recovery: connections that clients try to open, requests that the intake accepts,"
        " and requests that wait in the sandboxes. Rates are averages of ten seconds."
    )
    series = {arm: study.series[arm, largest] for arm in study.settings.arms}
    return Picture("outage", text, charts.over_time(text, series, study.settings.scene))


def _arms(study: Study) -> list[Block]:
    scene = study.settings.scene
    return [
        Heading("The arms and the scene"),
        Items([f"`{arm}`: {POLICIES[arm].text}" for arm in study.settings.arms]),
        Paragraph(
            f"A sandbox flushes once in {scene.interval:g} s on average; the logarithm of sandboxes' rates"
            " has a"
            f" standard deviation of {scene.spread:g}, so that some flush often and many rarely. The intake"
            " keeps"
            f" an idle connection for {scene.idle_limit:g} s, and takes {scene.headroom:g} times the usual"
            " requests in a second; it refuses what comes beyond that. Rates are proportional to the number"
            " of"
            " sandboxes; what changes with it is what no longer fits."
        ),
    ]


def _usual(study: Study) -> list[Block]:
    settings = study.settings
    rows = []
    processors: dict[str, list[float]] = {}
    for arm in settings.arms:
        for sandboxes in settings.sizes:
            usual, _ = _figures(study, arm, sandboxes)
            rates = usual.handshakes, usual.requests
            taken = figures.intake_processors(*rates, settings.costs)
            full = figures.intake_processors(*rates, settings.costs, resumed=False)
            processors.setdefault(arm, []).append(taken)
            row = (
                usual.requests,
                usual.handshakes,
                taken,
                full,
                figures.client_processors(usual, settings.costs),
            )
            rows.append([arm, f"{sandboxes:,}", *(_number(each) for each in row)])
    text = "Processors that TLS takes at the intake in the usual state, with sessions that are resumed."
    return [
        Heading("The usual state"),
        Paragraph(
            f"A handshake takes {settings.costs.full:g} ms of a processor at the intake, a resumed one"
            f" {settings.costs.resumed:g} ms, and an exchange {settings.costs.exchange:g} ms; a client's"
            " takes"
            f" {settings.costs.client_resumed:g} ms resumed, and {settings.costs.client_exchange:g} ms for an"
            " exchange. A sandbox's first handshake is a full one; a new sandbox has no session."
        ),
        Table(
            "usual",
            "Events a second, and processors that they take",
            (
                "arm",
                "sandboxes",
                "requests a second",
                "handshakes a second",
                "intake's processors",
                "without resumption",
                "clients' processors",
            ),
            rows,
        ),
        Picture(
            "processors",
            text,
            charts.by_size(text, settings.sizes, processors, up="processors at the intake"),
        ),
    ]


def _nat(study: Study) -> list[Block]:
    settings = study.settings
    rows = []
    ports: dict[str, list[float]] = {}
    for arm in settings.arms:
        for sandboxes in settings.sizes:
            usual, _ = _figures(study, arm, sandboxes)
            found = figures.nat_ports(POLICIES[arm], usual, round_trip=settings.round_trip)
            ports.setdefault(arm, []).append(found)
            addresses = figures.nat_addresses(found, settings.destinations)
            rows.append([arm, f"{sandboxes:,}", _number(usual.handshakes), _number(found), f"{addresses:,}"])
    text = "Ports that connections to the intake take at NAT gateways."
    return [
        Heading("A NAT gateway"),
        Paragraph(
            f"A NAT gateway has {figures.NAT_PORTS:,} ports for each of its addresses and each destination,"
            " and"
            f" forgets an idle connection after 350 s ({NAT_SOURCE}). A kept connection takes a port for as"
            " long"
            " as the gateway knows it, used or not. A fresh one takes it while it is open, and for a while"
            f" afterwards; how long AWS does not say, and {figures.NAT_HOLD:g} s, Linux's TIME_WAIT, are"
            " assumed."
            f" The intake has {settings.destinations:,} address{'es' * (settings.destinations > 1)} here."
        ),
        Table(
            "nat",
            "Ports and addresses of NAT gateways, where all sandboxes are behind some",
            ("arm", "sandboxes", "new connections a second", "ports", "addresses"),
            rows,
        ),
        Picture("ports", text, charts.by_size(text, settings.sizes, ports, up="ports", ports=True)),
    ]


def _outage(study: Study) -> list[Block]:
    settings = study.settings
    largest = max(settings.sizes)
    rows = []
    for arm in settings.arms:
        usual, outage = _figures(study, arm, largest)
        opened = usual.handshakes
        rows.append(
            [
                arm,
                _number(outage.tries),
                _times(outage.tries, opened),
                _times(outage.peak_tries, opened),
                _times(outage.peak_requests, usual.requests),
                _number(outage.kept / largest),
                _seconds(outage.recovery),
                _number(outage.refused / largest),
                _number(outage.dropped),
            ]
        )
    return [
        Heading("An outage"),
        Paragraph(
            f"The intake can't be reached for {settings.scene.outage / 60:g} minutes. Multiples are of the"
            " arm's"
            f" own usual rates, for {largest:,} sandboxes. The recovery ends when clients keep"
            f" {figures.RECOVERED:.0%} of what they kept at the outage's end."
        ),
        Table(
            "outage",
            "An outage, and its recovery",
            (
                "arm",
                "connections tried a second in it",
                "× usual",
                "at most, × usual",
                "most requests, × usual",
                "kept for each sandbox",
                "recovery",
                "refused flushes for each sandbox",
                "requests dropped",
            ),
            rows,
        ),
    ]


def _check(study: Study) -> list[Block]:
    rows = [
        [
            each.arm,
            each.figure,
            f"{each.by_events:,.1f}",
            f"{each.deviation:,.1f}",
            f"{each.by_arrays:,.1f}",
            f"{100 * each.share:+.1f} %",
            f"{each.large:,.1f}",
        ]
        for each in study.differences
    ]
    worst = max(study.differences, key=lambda each: abs(each.share), default=None)
    said = (
        ""
        if worst is None
        else f" The largest difference is {100 * worst.share:+.1f} %: {worst.arm}, {worst.figure}."
    )
    return [
        Heading("One simulation against the other"),
        Paragraph(
            f"{EXACT_FLEETS} fleets of {EXACT_SANDBOXES:,} sandboxes were simulated twice: by arrays, as all"
            " fleets of"
            f" this page, and by other code, one event after the other.{said} The last column has the largest"
            " fleet, scaled to the same size. A small fleet recovers later: the backlog of one busy sandbox"
            " may"
            " take all of its intake's capacity for seconds, in which others are refused."
        ),
        Table(
            "check",
            "Both simulations",
            ("arm", "figure", "by events", "standard deviation", "by arrays", "difference", "large, scaled"),
            rows,
        ),
    ]


def _limits(study: Study) -> list[Block]:
    simulated = max(each.simulated for each in study.series.values())
    return [
        Heading("Limits"),
        Items(
            [
                f"{simulated:,} sandboxes were simulated at most; larger fleets are scaled from them."
                " Sandboxes meet"
                " in nothing but the intake's capacity, so that a larger fleet differs by less noise alone.",
                "Sandboxes neither start nor end. Each that starts adds one full handshake, and each that"
                " ends"
                " takes what it keeps with it.",
                "A flush ends at once: a backlog of many requests takes as long as none.",
                "A connection that fails costs the intake nothing, and an intake at its capacity refuses"
                " without"
                " work. Both make recoveries look better than they are.",
                "The arms are policies, not implementations: `pooled`, `fresh` and `shared` try again at"
                " every"
                " flush, and keep what failed without a bound.",
            ]
        ),
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2g}"
