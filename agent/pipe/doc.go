// Package pipe is what the launcher and the agent say to each other: lines of words over
// two pipes, and the agent's end of them. The launcher outlives many agents and is not
// updated with them, so the words are few and versioned: either side ignores words that
// it does not know, a word never changes its meaning, and testdata/ keeps what agents of
// every release said.
package pipe
