FROM alpine:3.20
RUN apk add --no-cache bash git
RUN wget -O /usr/bin/lint https://example.com/lint
CMD lint .
