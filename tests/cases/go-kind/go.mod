module registry.example/agent

go 1.18
