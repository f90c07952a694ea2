// Package local is what juju does on its own host: it finds jujud there, starts and stops
// its processes, has it make the data directory of a new environment, and removes the data
// directories of machines that are no longer wanted.
//
// juju links no server software. Where a host needs some, Find looks for the program jujud,
// and says what to do where there is none.
package local
