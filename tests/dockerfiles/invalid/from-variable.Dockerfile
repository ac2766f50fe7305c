ARG V=x
FROM scratch
COPY --from=$V a b
