ARG V
FROM scratch
ARG W
LABEL a="${W:?tell me}"
LABEL b=${W?}
