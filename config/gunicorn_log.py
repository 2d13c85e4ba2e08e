"""Gunicorn's own lines, in the form of all others and scrubbed as they are: they name paths and headers."""

from gunicorn.config import Config
from gunicorn.glogging import Logger

from config.logs import Line


class ScrubbedLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """For ``logger_class`` of gunicorn.conf.py. Whatever file or syslog gunicorn is told to write to, this is how."""

    def setup(self, cfg: Config) -> None:
        """As gunicorn does it, with our formatter on every handler."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(Line())
