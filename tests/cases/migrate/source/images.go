package test

// the default is velero/velero-restore-helper:v1.15.2
const Helper = "velero/velero-restore-helper:v1.15.2"

var ImagesMatrix = map[string]string{
	"velero-restore-helper": "velero/velero-restore-helper:main",
}

var format = fmt.Sprintf("%s/velero-restore-helper:%s", registry, version)
