FROM a
ENV a
ENV a=1 b
ENV =x
LABEL a=1 =2
ARG =x
