package main

import "fmt"

var version = "none"

func main() {
	fmt.Println("agent", version, metrics())
}
