FROM scratch AS me
COPY --from=me a b
COPY --from=0 a b
COPY --from=5 a b
