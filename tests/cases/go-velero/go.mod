module example.com/velero

go 1.18
