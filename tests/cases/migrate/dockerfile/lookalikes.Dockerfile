FROM velero/velero:v1.16.0 AS velero-restore-helper
COPY --from=velero-restore-helper /velero-restore-helper /usr/bin/velero-restore-helper
RUN go build -o /output/velero-restore-helper ./cmd/velero-restore-helper
WORKDIR /go/src/github.com/vmware-tanzu/velero/cmd/velero-restore-helper
ENTRYPOINT ["/velero-restore-helper"]
LABEL org.opencontainers.image.title=velero-restore-helper
