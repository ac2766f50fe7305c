module example.com/reloader
