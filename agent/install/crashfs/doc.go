// Package crashfs is a file system in memory that knows what a power cut at this moment
// could leave of it. It counts the calls that are made on it, makes any of them fail, and
// gives every state that a disk may be in after a cut. Tests run the installer on it.
//
// Two words: a call is one use of host.Disk or host.File; a state is what lies on
// the disk when the power is back, as a file system of its own on which life goes on.
//
// It does not know hard links, renames from one directory to another, or writes into the
// middle of a file: what nobody does is refused, loudly.
package crashfs
