"""The rows, in the order in which they are run."""

from collections.abc import Callable

from benchmarks.delivery.compared import PEERS, measure
from benchmarks.delivery.measured import Figures, RowFailed
from benchmarks.delivery.servers import NoServer, broker, far_away, provider
from benchmarks.delivery.stage import Row, Stage

ROUND_TRIP, FAR_THREADS = 0.02, 64  # seconds
LATENCY = 0.1  # seconds of the provider
# How many at most, where more would only take longer.
SHORT, FAR, SINGLE, PEER = 4000, 5000, 2000, 2000

LABELS = {
    "a": "(a) smtplib, one connection, one ready-made mail",
    "a2": "(a') durable one-row UPDATEs",
    "b": "(b) Django's send_messages",
    "c": "(c) ours, one process",
    "d": "(d) ours, two workers",
    "e": "(e) peers",
    "f": f"(f) ours, {ROUND_TRIP * 1000:.0f} ms away, {FAR_THREADS} threads",
    "g": f"(g) ours, a provider of {LATENCY * 1000:.0f} ms, single mails",
    "h": f"(h) ours, a provider of {LATENCY * 1000:.0f} ms, batches",
}
# The short rows three times, in turn with the long ones: what else the machine does meanwhile hits all alike.
ORDER = ("a", "a2", "b", "c", "b", "a2", "a", "f", "d", "e", "a", "a2", "b", "g", "h")


def run(stage: Stage, readers: int, wanted: set[str], *, times: int = 3) -> list[Row]:
    """Run the rows of ``wanted``, short ones so many times; a row that cannot be run says why."""
    rows = {key: Row(key, LABELS[key]) for key in LABELS if key in wanted and key != "e"}
    found_peers: list[Row] = []
    stage.fill(min(readers, SHORT), write_mail=True)
    for key in ORDER:
        if key == "e" and key in wanted:
            found_peers = [_peer(stage, name, min(readers, PEER)) for name in PEERS]
        elif key in rows and len(rows[key].runs) < times:
            _attempt(rows[key], lambda measured=RUNS[key]: measured(stage, readers))  # type: ignore[misc]
    return [*rows.values(), *found_peers]


def memory(stage: Stage, readers: list[int]) -> list[Row]:
    """Row (c) once more for each number of readers."""
    rows = [Row(f"m{number}", f"(c) at {number:,} readers") for number in readers]
    for row, number in zip(rows, readers, strict=True):
        _attempt(row, lambda number=number: _ours(stage, number))  # type: ignore[misc]
    return rows


def _attempt(row: Row, measured: Callable[[], Figures]) -> None:
    try:
        row.runs.append(measured())
    except (RowFailed, NoServer) as error:
        row.missing = str(error)


def _smtplib(stage: Stage, readers: int) -> Figures:
    options = {"messages": min(readers, SHORT), "port": stage.mail_port, "message": str(stage.folder / "message.eml")}
    return stage.child("plain:smtp", options, LABELS["a"])


def _updates(stage: Stage, readers: int) -> Figures:
    options = {"messages": min(readers, SHORT), "threads": stage.threads, "database": stage.database}
    return stage.child("plain:updates", options, LABELS["a2"])


def _django(stage: Stage, readers: int) -> Figures:
    options = {"messages": min(readers, SHORT), "folder": str(stage.folder)}
    return stage.child("projects:send_messages", options, LABELS["b"])


def _ours(stage: Stage, readers: int) -> Figures:
    return _send(stage, readers, LABELS["c"])


def _send(
    stage: Stage, readers: int, words: str, *, mail_url: str = "", alike: bool = False, threads: int = 0
) -> Figures:
    stage.fill(readers + stage.warm_up, alike=alike)
    options = {"messages": readers, "warm_up": stage.warm_up, "statistics": stage.server}
    return stage.child("ours:send", options, words, mail_url=mail_url, SEND_THREADS=str(threads or stage.threads))


def _workers(stage: Stage, readers: int) -> Figures:
    stage.fill(readers)
    with broker(stage.folder / "broker") as redis:
        options = {"messages": readers, "statistics": stage.server}
        return stage.child("workers:send", options, LABELS["d"], REDIS_URL=redis)


def _far(stage: Stage, readers: int) -> Figures:
    with far_away(stage.mail_port, ROUND_TRIP) as port:
        url = f"smtp://127.0.0.1:{port}"
        return _send(stage, min(readers, FAR), LABELS["f"], mail_url=url, threads=FAR_THREADS)


def _single(stage: Stage, readers: int) -> Figures:
    with provider(LATENCY) as url:
        return _send(stage, min(readers, SINGLE), LABELS["g"], mail_url=_mailgun(url))


def _batches(stage: Stage, readers: int) -> Figures:
    with provider(LATENCY) as url:
        return _send(stage, readers, LABELS["h"], mail_url=_mailgun(url), alike=True)


def _mailgun(url: str) -> str:
    return f"mailgun:?api_key=a-key-of-the-benchmark&sender_domain=example.org&api_url={url}"


def _peer(stage: Stage, name: str, messages: int) -> Row:
    row = Row(name, f"(e) {PEERS[name].package}")
    with stage.bar(row.label, messages):
        _attempt(row, lambda: measure(PEERS[name], messages, stage.folder, stage.server, stage.mail_port))
    return row


RUNS = {
    "a": _smtplib,
    "a2": _updates,
    "b": _django,
    "c": _ours,
    "d": _workers,
    "f": _far,
    "g": _single,
    "h": _batches,
}
