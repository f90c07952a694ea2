package events

//go:generate go run ./gen
