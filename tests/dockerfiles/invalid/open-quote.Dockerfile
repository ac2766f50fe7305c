FROM scratch
ENV a="x
COPY 'a /
