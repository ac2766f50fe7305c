FROM a
COPY --from a b c
COPY --link=maybe a b
COPY --chown=1 --chown=2 a b
