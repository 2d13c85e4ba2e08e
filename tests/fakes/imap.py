"""A small IMAP server with one folder, as much of RFC 3501 as reading unseen mails needs. In a thread of its own."""

import re
import socketserver
import threading

_SIZE = re.compile(rb"BODY\.PEEK\[\]<0\.(\d+)>")


class Imap:
    """``mails`` are octets in their order; ``flags`` what was set on each, by its UID from 1."""

    def __init__(self, mails: list[bytes], password: str = "secret") -> None:
        self.mails, self.password = mails, password
        self.flags: dict[int, set[str]] = {uid: set() for uid in range(1, len(mails) + 1)}
        folder = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"* OK ready\r\n")
                while line := self.rfile.readline():
                    tag, _, command = line.strip().partition(b" ")
                    for answer in folder.answers(command):
                        self.wfile.write(answer + b"\r\n")
                    if command.startswith(b"LOGOUT"):
                        self.wfile.write(b"* BYE\r\n")
                    done = b"NO wrong" if folder.refuses(command) else b"OK done"
                    self.wfile.write(tag + b" " + done + b"\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> "Imap":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"imap://papers%40example.org:{self.password}@127.0.0.1:{self.port}/INBOX"

    def refuses(self, command: bytes) -> bool:
        return command.startswith(b"LOGIN") and b'"secret"' not in command

    def answers(self, command: bytes) -> list[bytes]:
        """The untagged answers to one command."""
        if command.startswith(b"CAPABILITY"):
            return [b"* CAPABILITY IMAP4rev1"]
        if command.startswith(b"SELECT"):
            return [b"* %d EXISTS" % len(self.mails)]
        if command.startswith(b"UID SEARCH"):
            left = [str(uid).encode() for uid, flags in self.flags.items() if not flags & {"\\Seen", "\\Flagged"}]
            return [b"* SEARCH " + b" ".join(left)]
        if command.startswith(b"UID FETCH"):
            uid, size = int(command.split()[2]), int(_SIZE.search(command)[1])
            mail = self.mails[uid - 1][:size]
            return [b"* %d FETCH (UID %d BODY[]<0> {%d}" % (uid, uid, len(mail)), mail + b")"]
        if command.startswith(b"UID STORE"):
            uid, flag = int(command.split()[2]), command.decode().rpartition("(")[2].rstrip(")")
            self.flags[uid].add(flag)
        return []
