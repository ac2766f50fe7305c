package main

import _ "example.com/b"

func main() {}
