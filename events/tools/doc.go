// Package tools describes archives of the server software: their name, their size and
// their digest, and the simplestreams metadata that lists them.
//
// It reads and writes bytes only; who fetches and stores them is somebody else.
package tools
