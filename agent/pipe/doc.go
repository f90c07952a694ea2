// Package pipe is what the launcher and the agent say to each other: lines of words over two
// pipes. It also has the agent's end of the pipes (Parent).
//
// The launcher outlives many agents and is not updated with them. So the words are few, a word
// never changes its meaning, and either side ignores words that it does not know. testdata/
// keeps what agents and launchers of every release said, for the tests.
package pipe
