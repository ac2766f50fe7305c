FROM registry.example/c:1 AS build
ARG TEXT
RUN ["/bin/make"]
FROM scratch AS last
COPY --from=build ["/out/c", "/usr/bin/c"]
COPY --chown=worker ["file", "/usr/share/c"]
RUN echo ignored
USER worker
ENTRYPOINT ["/usr/bin/c"]
