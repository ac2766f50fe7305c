module example.com/config-reloader

go 1.19
