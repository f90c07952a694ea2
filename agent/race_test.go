//go:build race

package agent

const raced = true // the race detector takes terabytes of address space
