package model

const manifest = `
    #image: gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20211117
    image: gcr.io/k8s-staging-etcdadm/etcd-manager:v3.0.20220128-20-g9ef09c83
`
