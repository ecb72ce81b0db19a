# Builds Squiggle's wheel, and an image that serves the page from it; docs/deploy.md says how it is used.
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
COPY requirements.lock /tmp/
RUN pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps --no-index /tmp/wheels/*.whl
RUN useradd --system --create-home squiggle && install -d -o squiggle /data
USER squiggle
WORKDIR /data
VOLUME /data
ENV HOST=0.0.0.0 PORT=8050 SQUIGGLE_DATA=/data MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1000000
EXPOSE 8050
HEALTHCHECK CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health')"]
CMD ["gunicorn", "--config", "python:segmentation.web.hosting", "segmentation.web.wsgi:server"]
