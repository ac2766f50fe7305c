package main

func main() { println("velero") }
