#!/bin/sh
go build -o velero-restore-helper ./cmd/velero-restore-helper
cp bin/velero-restore-helper /usr/bin/velero-restore-helper
BIN=velero-restore-helper make container
kubectl logs pod -c velero-restore-helper
exec /velero-restore-helper "$1"
docker pull velero/velero:v1.16.0
tar -cf velero-restore-helper.tar ~/velero-restore-helper
cd cmd/velero-restore-helper && ls ../velero-restore-helper
curl -LO https://example.com/releases/velero-restore-helper
test -x "$BIN/velero-restore-helper.exe" || echo "no velero-restore-helper here"
