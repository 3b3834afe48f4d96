# ztfast in a small image: the pure-Python package with proofs, YAML and compression.
#   docker build -t ztfast .
#   docker run --rm -v "$PWD:/work" ztfast check rules.ztrules
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE ./
COPY completions completions
COPY man man
COPY src src
RUN ZTFAST_NO_EXTENSIONS=1 pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir "$(echo /wheels/ztfast-*.whl)[analysis,yaml,compression]" \
    && rm -r /wheels \
    && useradd --create-home ztfast
USER ztfast
WORKDIR /work
ENTRYPOINT ["ztfast"]
CMD ["--help"]
