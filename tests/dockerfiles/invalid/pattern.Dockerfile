FROM scratch
ARG V=x
LABEL a=${V#\q}
