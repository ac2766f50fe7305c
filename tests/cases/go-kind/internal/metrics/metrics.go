package metrics

const Name = "with metrics"
