FROM docker.io/library/alpine:3.19
ENV LOG_DIR=/var/log/tailer
RUN apk add --no-cache curl bash
RUN addgroup -g 1000 tail && adduser -D -u 1000 -G tail tail
COPY bin/ /usr/local/bin/
RUN mkdir -p $LOG_DIR && chown tail:tail $LOG_DIR
USER tail
WORKDIR /var/log/tailer
VOLUME /var/log/tailer
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=30s CMD test -e /var/log/tailer/ready
CMD tailer.sh --follow
