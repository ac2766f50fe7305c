FROM scratch AS a
FROM a
COPY --from=late a b
COPY --from=1 a b
COPY --from=7 a b
RUN --mount=from=9 true
FROM scratch AS late
FROM 1
