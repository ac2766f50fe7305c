#!/bin/sh
# velero/velero-restore-helper:v1.15.2 is mirrored too
docker pull velero/velero-restore-helper:v1.15.2
docker tag velero/velero-restore-helper:$VERSION "$REGISTRY/velero-restore-helper:$VERSION"
skopeo copy docker://velero/velero-restore-helper:v1.15.2 "docker://${REG}/velero/velero-restore-helper:v1.15.2"
for image in velero/velero velero/velero-restore-helper; do :; done
