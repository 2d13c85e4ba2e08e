# One image for web, worker, beat and migrate: only the command differs (docker-compose.yml).

FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1 \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never
RUN pip install "uv>=0.8,<1"
WORKDIR /app
# The packages first: this layer changes with uv.lock only. For the SES transport build with
# --build-arg UV_SYNC_ARGS="--extra ses".
COPY pyproject.toml uv.lock ./
ARG UV_SYNC_ARGS=""
# hadolint ignore=SC2086
RUN uv sync --frozen --no-dev --no-default-groups ${UV_SYNC_ARGS}
COPY . .
# Static files need settings that load, not settings that are true. These values end with this command: no ENV, no
# ARG, nothing of them is in the image.
RUN DEBUG=false \
    SECRET_KEY=only-for-collectstatic-during-the-image-build-and-nowhere-else \
    LINK_KEYS=only-for-collectstatic-during-the-image-build \
    ADDRESS_KEY=only-for-collectstatic-during-the-image-build \
    SITE_URL=https://build.invalid \
    POSTAL_ADDRESS=build \
    DATABASE_URL=sqlite://:memory: \
    MAIL_URL=memory: \
    .venv/bin/python manage.py collectstatic --noinput --verbosity 0

FROM python:3.12-slim-bookworm
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A number, not a name: Kubernetes' runAsNonRoot can only check numbers.
RUN groupadd --gid 10001 papers \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin papers \
    && install --directory /app
WORKDIR /app
# The code belongs to root: the process cannot change what it runs. It writes to /app/var (mails as files, SQLite)
# and /tmp only.
COPY --from=build /app /app
RUN chown 10001:10001 /app/var
USER 10001:10001
EXPOSE 8000

# Django answers to the host of SITE_URL only, so the probe names it; /healthz is exempt from the redirect to https.
# Worker and beat have probes of their own in docker-compose.yml.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.parse as p, urllib.request as r; host = p.urlsplit(os.environ.get('SITE_URL') or 'http://127.0.0.1:8000').netloc; r.urlopen(r.Request('http://127.0.0.1:8000/healthz', headers={'Host': host}), timeout=8)"]

# The rest stands in gunicorn.conf.py, with its reasons. More with GUNICORN_CMD_ARGS="--workers 4". This port is for a
# proxy that buffers and limits (config/nginx.conf), never for the internet.
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "--workers", "2"]
