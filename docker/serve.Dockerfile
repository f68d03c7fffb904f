# askmask's server on the CPU; see docs/serve.md.
FROM python:3.12-slim

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir '.[serve]'

RUN useradd --system --no-create-home --uid 10001 askmask
USER 10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --start-period=20s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=3)"]

# All addresses of the container: publish the port with -p 127.0.0.1:8000:8000.
ENTRYPOINT ["askmask", "serve", "--host", "0.0.0.0", "--token"]
