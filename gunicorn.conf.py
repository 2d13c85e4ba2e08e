"""How the web process runs. Gunicorn reads this file by its name, from the directory that it is started in.

``GUNICORN_CMD_ARGS`` and the command line win over what stands here. What it cannot do is wait for slow visitors: a
thread reads a request from its first octet to its last, so that as many slow bodies as there are threads stop the
site. That is the work of the proxy in front, which hands a request on when all of it is there: config/nginx.conf.
"""

from pathlib import Path

wsgi_app = "config.wsgi"
bind = "127.0.0.1:8000"  # to nobody but a proxy on this machine; the image says otherwise for its own network
# Threads, since most of a request is waiting for the database, and an idle connection holds none of them. Workers by
# WEB_CONCURRENCY or --workers. Each thread can hold one connection to PostgreSQL.
worker_class = "gthread"
threads = 8
backlog = 512  # what waits behind the threads is better refused than answered when nobody waits any more
# Seconds: a worker whose main loop is silent for so long is killed. It bounds no request.
timeout = 30
graceful_timeout = (
    30  # for requests that are under way when it is stopped; stop_grace_period of the compose file is more
)
keepalive = 5  # an idle connection waits in the poller, not in a thread
# What leaks in a library is given back; not by all workers at once.
max_requests = 10_000
max_requests_jitter = 1_000
# A preview's choices stand in its address: 50 keywords of 80 characters, encoded. 8190 is gunicorn's most.
limit_request_line = 8190
limit_request_fields = 64  # browsers send some 20, proxies add a handful
limit_request_field_size = 8190
# Whether a proxy is believed is said in one place: BEHIND_PROXY and PROXY_HOPS, which Django and the guard read. With
# gunicorn's default every process of this machine could say that a request came by https, and name its path anew.
forwarded_allow_ips = ""
forwarder_headers = ""
# A heartbeat on a slow disk stops a worker for no reason.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - memory where there is some
control_socket_disable = True  # nobody asks it, and it would be one more file to guard
# No access log: the proxy's says what matters, without paths, which hold readers' tokens. One that is turned on all
# the same goes through the scrubber.
accesslog = None
logger_class = "config.gunicorn_log.ScrubbedLogger"
